#include "values/wide_text.h"

#include "values/quote.h"

namespace cgo {

void append_utf8(std::string& out, std::uint32_t point) {
  const auto put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) point = 0xfffd;
  if (point < 0x80) return put(point);
  if (point < 0x800) {
    put(0xc0 | point >> 6);
  } else if (point < 0x10000) {
    put(0xe0 | point >> 12);
    put(0x80 | (point >> 6 & 0x3f));
  } else {
    put(0xf0 | point >> 18);
    put(0x80 | (point >> 12 & 0x3f));
    put(0x80 | (point >> 6 & 0x3f));
  }
  put(0x80 | (point & 0x3f));
}

std::string quoted_wide(std::uint32_t point) {
  if (point < 0x80 || point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
    return quoted_character(point);
  std::string text;
  append_utf8(text, point);
  const std::string out = quoted(text);
  return "'" + out.substr(1, out.size() - 2) + "'";
}

}  // namespace cgo
