#include "values/expression_tokens.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace cgo {
namespace {

constexpr std::size_t kLongest = 4096;

// Longest first.
constexpr std::array<std::string_view, 33> kSigns = {
    "&&", "||", "==", "!=", "<=", ">=", "<<", ">>", "&^", "->", "::", "+", "-", "*", "/", "%", "&",
    "|",  "^",  "<",  ">",  "!",  "(",  ")",  "[",  "]",  "{",  "}",  ".", ",", ":", "~", "="};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool starts_name(char c) {
  return c == '_' || c == '$' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool in_name(char c) { return starts_name(c) || is_digit(c); }
bool in_number(char c) { return is_digit(c) || starts_name(c); }

void append_utf8(std::string& out, std::uint32_t c) {
  const auto put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (c < 0x80) return put(c);
  if (c < 0x800) {
    put(0xc0 | c >> 6);
  } else {
    if (c < 0x10000) {
      put(0xe0 | c >> 12);
    } else {
      put(0xf0 | c >> 18);
      put(0x80 | ((c >> 12) & 0x3f));
    }
    put(0x80 | ((c >> 6) & 0x3f));
  }
  put(0x80 | (c & 0x3f));
}

/// The number of the single UTF-8 character that is all of `text`; nothing otherwise.
std::optional<std::uint32_t> single_character(std::string_view text) {
  if (text.size() == 1) return static_cast<unsigned char>(text[0]);
  if (text.size() < 2 || text.size() > 4) return std::nullopt;
  const auto first = static_cast<unsigned char>(text[0]);
  const std::size_t bytes = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
  if (bytes != text.size()) return std::nullopt;
  std::uint32_t value = first & (0x7fu >> bytes);
  for (const char c : text.substr(1)) value = value << 6 | (static_cast<unsigned char>(c) & 0x3f);
  return value;
}

class Tokenizer {
 public:
  explicit Tokenizer(std::string_view text) : text_(text) {}

  Tokens run() {
    if (text_.size() > kLongest) {
      fail(0, 1, "the expression is longer than " + std::to_string(kLongest) + " bytes");
      return std::move(out_);
    }
    while (!out_.failure && skip_space()) next();
    out_.all.push_back({Token::Kind::end, "", {text_.size(), text_.size()}});
    return std::move(out_);
  }

 private:
  bool skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
    return at_ < text_.size();
  }
  void fail(std::size_t begin, std::size_t end, std::string why) {
    out_.failure = {Error{ErrorCode::malformed_data, std::move(why)}, {begin, end}};
  }
  void add(Token::Kind kind, std::string text, std::size_t begin) {
    out_.all.push_back({kind, std::move(text), {begin, at_}});
  }

  void next() {
    const char c = text_[at_];
    const bool number = is_digit(c) || (c == '.' && at_ + 1 < text_.size() &&
                                        is_digit(text_[at_ + 1]) && !follows_value());
    if (number) return read_number();
    if (starts_name(c)) {
      const std::size_t begin = at_;
      while (at_ < text_.size() && in_name(text_[at_])) ++at_;
      return add(Token::Kind::name, std::string(text_.substr(begin, at_ - begin)), begin);
    }
    if (c == '"' || c == '`' || c == '\'') return read_quoted(c);
    for (const std::string_view sign : kSigns) {
      if (!text_.substr(at_).starts_with(sign)) continue;
      const std::size_t begin = at_;
      at_ += sign.size();
      return add(Token::Kind::sign, std::string(sign), begin);
    }
    fail(at_, at_ + 1, "nothing in an expression is written so");
  }

  bool follows_value() const {
    if (out_.all.empty()) return false;
    const Token& last = out_.all.back();
    return last.kind != Token::Kind::sign || last.is(")") || last.is("]");
  }

  void read_number() {
    const std::size_t begin = at_;
    const bool hexadecimal =
        text_.substr(at_).starts_with("0x") || text_.substr(at_).starts_with("0X");
    const std::string_view exponent = hexadecimal ? "pP" : "eE";
    bool floating = false;
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      const bool sign = (c == '+' || c == '-') && exponent.find(text_[at_ - 1]) != exponent.npos;
      if (c == '.' || exponent.find(c) != exponent.npos)
        floating = true;
      else if (!sign && !in_number(c))
        break;
    }
    std::string digits(text_.substr(begin, at_ - begin));
    std::erase(digits, '_');
    Token::Kind kind = floating ? Token::Kind::floating : Token::Kind::integer;
    if (!hexadecimal && digits.ends_with('i')) {
      digits.pop_back();
      kind = Token::Kind::imaginary;
    }
    add(kind, std::move(digits), begin);
  }

  void read_quoted(char quote) {
    const std::size_t begin = at_++;
    std::string value;
    while (at_ < text_.size() && text_[at_] != quote) {
      if (text_[at_] == '\\' && quote != '`') {
        if (!read_escape(value)) return fail(at_, at_ + 2, "no such escape");
      } else {
        value += text_[at_++];
      }
    }
    if (at_ >= text_.size()) return fail(begin, text_.size(), "the quote is not closed");
    ++at_;
    if (quote != '\'') return add(Token::Kind::string, std::move(value), begin);
    const auto character = single_character(value);
    if (!character) return fail(begin, at_, "not one character");
    add(Token::Kind::character, std::to_string(*character), begin);
  }

  bool read_escape(std::string& value) {
    if (at_ + 1 >= text_.size()) return false;
    const char c = text_[at_ + 1];
    constexpr std::string_view kLetters = "abfnrtv\\'\"0", kStandFor = "\a\b\f\n\r\t\v\\'\"";
    if (const auto letter = kLetters.find(c); letter != kLetters.npos) {
      value += c == '0' ? '\0' : kStandFor[letter];
      at_ += 2;
      return true;
    }
    const std::size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    std::uint32_t number = 0;
    const char* first = text_.data() + std::min(at_ + 2, text_.size());
    const char* last = text_.data() + std::min(at_ + 2 + digits, text_.size());
    const auto [end, error] = std::from_chars(first, last, number, 16);
    if (digits == 0 || error != std::errc() || end != first + digits || number > 0x10ffff)
      return false;
    if (c == 'x')
      value += static_cast<char>(number);
    else
      append_utf8(value, number);
    at_ += 2 + digits;
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  Tokens out_;
};

}  // namespace

Tokens tokenize(std::string_view text) { return Tokenizer(text).run(); }

}  // namespace cgo
