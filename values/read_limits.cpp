#include <algorithm>

#include "values/value.h"

namespace cgo {
namespace {

constexpr std::uint64_t kMostElements = std::uint64_t{1} << 32;
constexpr std::uint64_t kUsualParts = 16;  // That an element has.
constexpr std::uint64_t kMostTextBytes = std::uint64_t{1} << 24;
constexpr unsigned kMostDepth = 64;

}  // namespace

void ReadLimits::set_depth(std::uint64_t wanted) {
  depth = static_cast<unsigned>(std::min<std::uint64_t>(wanted, kMostDepth));
}

void ReadLimits::set_elements(std::uint64_t wanted) {
  elements = std::min(wanted, kMostElements);
  values = std::max(values, std::min(elements * kUsualParts, kMostValues));
}

void ReadLimits::set_text_bytes(std::uint64_t wanted) {
  text_bytes = std::min(wanted, kMostTextBytes);
}

}  // namespace cgo
