#include <fmt/format.h>

#include "unwind/format.h"

namespace cgo {
namespace {

/// Length of the valid UTF-8 sequence at the start of `text`, or 0. Overlong forms, surrogates and
/// values beyond U+10FFFF are not valid.
std::size_t utf8_length(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = at(0);
  std::size_t length = 0;
  std::uint32_t value = 0;
  if (first < 0x80) return 1;
  if (first >> 5 == 0x6)
    length = 2, value = first & 0x1f;
  else if (first >> 4 == 0xe)
    length = 3, value = first & 0x0f;
  else if (first >> 3 == 0x1e)
    length = 4, value = first & 0x07;
  else
    return 0;
  if (text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if (at(i) >> 6 != 2) return 0;
    value = value << 6 | (at(i) & 0x3f);
  }
  constexpr std::uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  if (value < kLeast[length] || value > 0x10ffff) return 0;
  if (value >= 0xd800 && value <= 0xdfff) return 0;
  return length;
}

bool is_control(std::string_view sequence) {
  const auto first = static_cast<unsigned char>(sequence[0]);
  if (sequence.size() == 1) return first < 0x20 || first == 0x7f;
  // C1 controls (U+0080-U+009F) and the bidirectional overrides, which reorder what is shown.
  if (sequence.size() == 2 && first == 0xc2) return static_cast<unsigned char>(sequence[1]) < 0xa0;
  if (sequence.size() == 3 && first == 0xe2) {
    const auto second = static_cast<unsigned char>(sequence[1]);
    const auto third = static_cast<unsigned char>(sequence[2]);
    return (second == 0x80 && third >= 0xaa && third <= 0xae) ||
           (second == 0x81 && third >= 0xa6 && third <= 0xa9);
  }
  return false;
}

bool stands_for_itself_in_json(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

/// What stands for the character at the start of `text`; its length.
std::size_t append_json_special(std::string& out, std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  const std::size_t length = utf8_length(text);
  if (first == '"' || first == '\\') {
    out += '\\';
    out += text[0];
  } else if (length == 0) {
    out += fmt::format("\\\\x{:02x}", first);
  } else if (length == 1) {
    out += fmt::format("\\u{:04x}", first);
  } else {
    out += text.substr(0, length);
  }
  return length == 0 ? 1 : length;
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const std::string_view sequence = text.substr(0, length == 0 ? 1 : length);
    if (length != 0 && !is_control(sequence)) {
      out += sequence;
    } else {
      for (char c : sequence) out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
    text.remove_prefix(sequence.size());
  }
  return out;
}

std::string json_string(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 2);
  out += '"';
  append_json_text(out, text);
  out += '"';
  return out;
}

void append_json_text(std::string& out, std::string_view text) {
  while (!text.empty()) {
    std::size_t plain = 0;
    while (plain < text.size() && stands_for_itself_in_json(text[plain])) ++plain;
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (!text.empty()) text.remove_prefix(append_json_special(out, text));
  }
}

}  // namespace cgo
