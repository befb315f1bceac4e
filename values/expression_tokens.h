#pragma once

#include <string>
#include <vector>

#include "values/expression.h"

namespace cgo {

struct Token {
  enum class Kind : std::uint8_t {
    end,
    name,
    integer,
    floating,
    imaginary,
    character,
    string,
    sign
  };
  Kind kind = Kind::end;
  std::string text;  ///< Of strings and characters: what they stand for.
  TextRange at;

  bool is(std::string_view sign) const { return kind == Kind::sign && text == sign; }
};

/// The tokens of `text`, with one of kind end as the last.
struct Tokens {
  std::vector<Token> all;
  std::optional<ExpressionError> failure;
};
Tokens tokenize(std::string_view text);

}  // namespace cgo
