#include <algorithm>
#include <map>

#include "values/expression_tokens.h"

namespace cgo {
namespace {

using Tree = std::unique_ptr<Expression>;
using Kind = Expression::Kind;

constexpr int kDeepest = 100;

/// Source: The Go Programming Language Specification, "Operator precedence".
int precedence(const Token& token) {
  static const std::map<std::string_view, int> kOperators = {
      {"||", 1}, {"&&", 2}, {"==", 3}, {"!=", 3}, {"<", 3}, {"<=", 3}, {">", 3},
      {">=", 3}, {"+", 4},  {"-", 4},  {"|", 4},  {"^", 4}, {"*", 5},  {"/", 5},
      {"%", 5},  {"<<", 5}, {">>", 5}, {"&", 5},  {"&^", 5}};
  if (token.kind != Token::Kind::sign) return 0;
  const auto found = kOperators.find(token.text);
  return found == kOperators.end() ? 0 : found->second;
}

std::string shown(const Token& token) {
  return token.kind == Token::Kind::end ? "the end" : "\"" + token.text + "\"";
}

class Parser {
 public:
  explicit Parser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  ParsedExpression run() {
    ParsedExpression out;
    out.tree = binary(1);
    if (!failure_ && peek().kind != Token::Kind::end)
      fail("an operator or the end is expected, not " + shown(peek()));
    if (failure_) out.tree.reset();
    out.failure = std::move(failure_);
    return out;
  }

 private:
  const Token& peek(std::size_t ahead = 0) const {
    return tokens_[std::min(next_ + ahead, tokens_.size() - 1)];
  }
  Token take() {
    const Token token = peek();
    if (next_ + 1 < tokens_.size()) ++next_;
    return token;
  }
  bool accept(std::string_view sign) {
    if (!peek().is(sign)) return false;
    take();
    return true;
  }
  Tree fail(std::string why) {
    if (!failure_)
      failure_ = {Error{ErrorCode::malformed_data, std::move(why)},
                  {peek().at.begin, std::max(peek().at.end, peek().at.begin + 1)}};
    return std::make_unique<Expression>();
  }
  void expect(std::string_view sign) {
    if (!accept(sign)) fail("\"" + std::string(sign) + "\" is expected, not " + shown(peek()));
  }
  std::size_t end() const { return next_ == 0 ? 0 : tokens_[next_ - 1].at.end; }

  Tree make(Kind kind, std::string text, std::size_t begin, TextRange mark) {
    auto out = std::make_unique<Expression>();
    out->kind = kind;
    out->text = std::move(text);
    out->mark = mark;
    out->at = {begin, mark.end};
    return out;
  }

  /// Counts nesting for as long as it lives.
  struct Level {
    explicit Level(Parser& parser) : owner(parser) { ++owner.depth_; }
    ~Level() { --owner.depth_; }
    Parser& owner;
  };

  Tree binary(int least) {
    const Level level(*this);
    if (depth_ > kDeepest) return fail("nested too deeply");
    Tree left = unary();
    int chained = 0;
    while (!failure_ && precedence(peek()) >= least) {
      if (++chained > kDeepest) return fail("too many operators");
      const Token sign = take();
      Tree right = binary(precedence(sign) + 1);
      Tree both = make(Kind::binary, sign.text, left->at.begin, sign.at);
      both->at.end = end();
      both->parts.push_back(std::move(left));
      both->parts.push_back(std::move(right));
      left = std::move(both);
    }
    return left;
  }

  Tree unary() {
    const Level level(*this);
    if (depth_ > kDeepest) return fail("nested too deeply");
    const Token sign = peek();
    Kind kind = Kind::unary;
    if (sign.is("*"))
      kind = Kind::dereference;
    else if (sign.is("&"))
      kind = Kind::address;
    else if (!sign.is("+") && !sign.is("-") && !sign.is("!") && !sign.is("^") && !sign.is("~"))
      return postfix(primary());
    take();
    Tree out = make(kind, sign.is("~") ? "^" : sign.text, sign.at.begin, sign.at);
    out->parts.push_back(unary());
    out->at.end = end();
    return out;
  }

  Tree primary() {
    const Token token = peek();
    switch (token.kind) {
      case Token::Kind::name:
        if (token.text == "map" || token.text == "chan" || token.text == "interface" ||
            token.text == "struct" || token.text == "union" || token.text == "enum")
          return type_word();
        take();
        return qualified(token);
      case Token::Kind::integer:
        return literal(Kind::integer);
      case Token::Kind::floating:
        return literal(Kind::floating);
      case Token::Kind::imaginary:
        return literal(Kind::imaginary);
      case Token::Kind::character:
        return literal(Kind::character);
      case Token::Kind::string:
        return literal(Kind::string);
      case Token::Kind::sign:
      case Token::Kind::end:
        break;
    }
    if (accept("(")) {
      Tree inner = binary(1);
      expect(")");
      inner->at = {token.at.begin, end()};
      return inner;
    }
    if (token.is("[")) return bracket_type();
    return fail("a value is expected, not " + shown(token));
  }

  Tree literal(Kind kind) {
    const Token token = take();
    return make(kind, token.text, token.at.begin, token.at);
  }

  /// A name of C++ may have "::" in it.
  Tree qualified(const Token& first) {
    std::string text = first.text;
    while (peek().is("::") && peek(1).kind == Token::Kind::name) {
      take();
      text += "::" + take().text;
    }
    return make(Kind::name, std::move(text), first.at.begin, {first.at.begin, end()});
  }

  Tree type_word() {
    const Token word = take();
    if (word.text == "map") {
      Tree out = make(Kind::map_type, "", word.at.begin, word.at);
      expect("[");
      out->parts.push_back(type());
      expect("]");
      out->parts.push_back(type());
      out->at.end = end();
      return out;
    }
    if (word.text == "chan") {
      Tree out = make(Kind::chan_type, "", word.at.begin, word.at);
      out->parts.push_back(type());
      out->at.end = end();
      return out;
    }
    const bool is_interface = word.text == "interface";
    Tree out =
        make(is_interface ? Kind::interface_type : Kind::struct_type, "", word.at.begin, word.at);
    if (!is_interface && peek().kind == Token::Kind::name) {
      out->text = word.text + " " + take().text;
    } else {
      expect("{");
      expect("}");
    }
    out->at.end = end();
    return out;
  }

  Tree bracket_type() {
    const Token open = take();
    if (accept("]")) {
      Tree out = make(Kind::slice_type, "", open.at.begin, {open.at.begin, end()});
      out->parts.push_back(type());
      out->at.end = end();
      return out;
    }
    Tree out = make(Kind::array_type, "", open.at.begin, open.at);
    out->parts.push_back(binary(1));
    expect("]");
    out->parts.push_back(type());
    out->at.end = end();
    return out;
  }

  /// A type where nothing else can stand.
  Tree type() {
    const Level level(*this);
    if (depth_ > kDeepest) return fail("nested too deeply");
    const Token token = peek();
    if (accept("*")) {
      Tree out = make(Kind::dereference, "*", token.at.begin, token.at);
      out->parts.push_back(type());
      out->at.end = end();
      return out;
    }
    if (token.is("(")) {
      take();
      Tree inner = type();
      expect(")");
      return inner;
    }
    if (token.is("[")) return bracket_type();
    if (token.kind != Token::Kind::name && token.kind != Token::Kind::string)
      return fail("a type is expected, not " + shown(token));
    Tree out = primary();
    while (!failure_ && peek().is(".") && peek(1).kind == Token::Kind::name)
      out = field(std::move(out));
    if (peek().is("[") && !peek(1).is("]")) out = index(std::move(out));
    return out;
  }

  Tree postfix(Tree left) {
    int chained = 0;
    while (!failure_) {
      if (++chained > kDeepest) return fail("too many parts");
      if (peek().is(".") && peek(1).is("("))
        left = assertion(std::move(left));
      else if (peek().is(".") || peek().is("->"))
        left = field(std::move(left));
      else if (peek().is("["))
        left = index(std::move(left));
      else if (peek().is("("))
        left = call(std::move(left));
      else
        break;
    }
    return left;
  }

  Tree field(Tree left) {
    const Token sign = take();
    const Token name = peek();
    if (name.kind != Token::Kind::name)
      return fail("a name is expected after \"" + sign.text + "\", not " + shown(name));
    take();
    Tree out = make(Kind::field, name.text, left->at.begin, name.at);
    out->parts.push_back(std::move(left));
    return out;
  }

  Tree assertion(Tree left) {
    const Token dot = take();
    take();
    Tree out = make(Kind::assertion, "", left->at.begin, dot.at);
    out->parts.push_back(std::move(left));
    out->parts.push_back(type());
    expect(")");
    out->mark.end = out->at.end = end();
    return out;
  }

  Tree index(Tree left) {
    const Token open = take();
    Tree out = make(Kind::index, "", left->at.begin, open.at);
    out->parts.push_back(std::move(left));
    Tree first = peek().is(":") ? nullptr : element();
    if (peek().is(":")) {
      out->kind = Kind::slice;
      out->parts.push_back(std::move(first));
      while (accept(":") && out->parts.size() < 4)
        out->parts.push_back(peek().is(":") || peek().is("]") ? nullptr : binary(1));
      while (out->parts.size() < 4) out->parts.push_back(nullptr);
    } else {
      out->parts.push_back(std::move(first));
      while (accept(",")) out->parts.push_back(element());
    }
    expect("]");
    out->mark.end = out->at.end = end();
    return out;
  }
  /// An index, or a type argument.
  Tree element() {
    const bool is_type = peek().is("[") || peek().is("*");
    return is_type ? type() : binary(1);
  }

  Tree call(Tree left) {
    const Token open = take();
    Tree out = make(Kind::call, "", left->at.begin, left->at);
    out->parts.push_back(std::move(left));
    while (!failure_ && !peek().is(")")) {
      out->parts.push_back(binary(1));
      if (!accept(",")) break;
    }
    (void)open;
    expect(")");
    out->at.end = end();
    return out;
  }

  std::vector<Token> tokens_;
  std::size_t next_ = 0;
  int depth_ = 0;
  std::optional<ExpressionError> failure_;
};

}  // namespace

ParsedExpression parse_expression(std::string_view text) {
  Tokens tokens = tokenize(text);
  if (tokens.failure) return {nullptr, std::move(tokens.failure)};
  if (tokens.all.size() == 1)
    return {nullptr,
            ExpressionError{{ErrorCode::malformed_data, "an expression is expected"}, {0, 1}}};
  return Parser(std::move(tokens.all)).run();
}

std::string format_expression_error(std::string_view text, const ExpressionError& error) {
  std::size_t columns = 0;
  for (const char c : text.substr(0, error.at.begin))
    columns += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  const std::size_t end =
      std::clamp(error.at.end, error.at.begin + 1, std::max(text.size(), error.at.begin + 1));
  std::string out =
      error.error.message + "\n  " + std::string(text) + "\n  " + std::string(columns, ' ');
  out += '^';
  for (std::size_t i = error.at.begin + 1; i < end; ++i)
    if (i >= text.size() || (static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) out += '~';
  return out;
}

}  // namespace cgo
