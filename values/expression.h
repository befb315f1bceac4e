#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "target/result.h"

namespace cgo {

/// A piece of an expression's text: [begin, end) in bytes.
struct TextRange {
  std::size_t begin = 0, end = 0;
};

/// An expression of Go, with `->` of C, as a tree. What is a type and what a value only names can
/// tell: "*T" is `dereference` either way.
struct Expression {
  enum class Kind : std::uint8_t {
    name,
    integer,  ///< `text` as written.
    floating,
    imaginary,       ///< `text` without its "i".
    character,       ///< `text`: its number in decimal.
    string,          ///< `text`: its contents.
    field,           ///< parts[0].text, also parts[0]->text.
    index,           ///< parts[0][parts[1], …]; more than one only for type arguments.
    slice,           ///< parts[0][parts[1]:parts[2]:parts[3]]; absent ones are null.
    call,            ///< parts[0](parts[1], …): len, cap, conversions.
    assertion,       ///< parts[0].(parts[1]).
    dereference,     ///< *parts[0]
    address,         ///< &parts[0]
    unary,           ///< `text` is the operator: + - ! ^
    binary,          ///< parts[0] `text` parts[1]
    slice_type,      ///< []parts[0]
    array_type,      ///< [parts[0]]parts[1]
    map_type,        ///< map[parts[0]]parts[1]
    chan_type,       ///< chan parts[0]
    interface_type,  ///< interface{}
    struct_type,     ///< struct{}; "struct name" of C has the name as `text`.
  };
  Kind kind = Kind::name;
  std::string text;
  std::vector<std::unique_ptr<Expression>> parts;
  TextRange at;    ///< All of it.
  TextRange mark;  ///< What an error about it points at: its operator, or its name.
};

/// What is wrong with an expression, and where.
struct ExpressionError {
  Error error;
  TextRange at;
};

/// The tree of `text`, or what is wrong with it and where. Bounded in size and depth.
struct ParsedExpression {
  std::unique_ptr<Expression> tree;
  std::optional<ExpressionError> failure;
};
ParsedExpression parse_expression(std::string_view text);

/// The expression with a line below it that points at the place:
///   a.b + c
///     ^
std::string format_expression_error(std::string_view text, const ExpressionError& error);

}  // namespace cgo
