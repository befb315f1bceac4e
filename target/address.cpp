#include "target/address.h"

#include <charconv>

namespace cgo {

std::string hex(std::uint64_t value) {
  char text[2 + 16] = {'0', 'x'};
  const auto end = std::to_chars(text + 2, text + sizeof text, value, 16).ptr;
  return std::string(text, end);
}

}  // namespace cgo
