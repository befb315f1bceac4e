#include "values/quote.h"

#include <fmt/format.h>

#include <cstdint>

namespace cgo {
namespace {

struct Character {
  std::uint32_t value = 0;
  std::size_t bytes = 0;  ///< 0: not UTF-8.
};

Character decode(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const std::uint32_t first = byte(0);
  if (first < 0x80) return {first, 1};
  const std::size_t bytes = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
  if (bytes == 0 || first > 0xf4 || text.size() < bytes) return {};
  std::uint32_t value = first & (0x7f >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    value = value << 6 | (byte(i) & 0x3f);
  }
  const std::uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  if (value < least[bytes] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) return {};
  return {value, bytes};
}

/// Control characters, and those that would reorder or hide what a terminal shows.
bool prints(std::uint32_t c) {
  if (c < 0x20 || (c >= 0x7f && c < 0xa0)) return false;
  const bool hides = c == 0xad || (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
                     (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff0 && c <= 0xfffb);
  const bool private_use = (c >= 0xe000 && c < 0xf900) || c >= 0xe0000;
  return !hides && !private_use;
}

std::string escaped_character(std::uint32_t c, char quote) {
  switch (c) {
    case '\a':
      return "\\a";
    case '\b':
      return "\\b";
    case '\f':
      return "\\f";
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    case '\v':
      return "\\v";
    case '\\':
      return "\\\\";
    default:
      break;
  }
  if (c == static_cast<unsigned char>(quote)) return std::string("\\") + quote;
  if (c < 0x80) return fmt::format("\\x{:02x}", c);
  return c < 0x10000 ? fmt::format("\\u{:04x}", c) : fmt::format("\\U{:08x}", c);
}

bool needs_escape(std::uint32_t c, char quote) {
  return !prints(c) || c == '\\' || c == static_cast<unsigned char>(quote);
}

}  // namespace

std::string quoted(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const Character c = decode(text);
    if (c.bytes == 0) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[0]));
      text.remove_prefix(1);
      continue;
    }
    if (needs_escape(c.value, '"'))
      out += escaped_character(c.value, '"');
    else
      out += text.substr(0, c.bytes);
    text.remove_prefix(c.bytes);
  }
  return out + "\"";
}

std::string quoted_character(std::uint32_t c) {
  if (c >= 0x80) return fmt::format("'\\x{:02x}'", c);
  const std::string text =
      needs_escape(c, '\'') ? escaped_character(c, '\'') : std::string(1, static_cast<char>(c));
  return "'" + text + "'";
}

std::size_t whole_characters(std::string_view text) {
  for (std::size_t back = 1; back <= 3 && back <= text.size(); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if ((byte & 0xc0) == 0x80) continue;
    const std::size_t needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return needed > back ? text.size() - back : text.size();
  }
  return text.size();
}

}  // namespace cgo
