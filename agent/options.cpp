#include "agent/options.h"

#include <cstring>

#include "agent/stack_walk.h"

namespace cgo::agent {
namespace {

/// The number behind "NAME=" at `text`; false when something else stands there.
bool number_of(const char* text, const char* name, std::uint64_t& number) {
  const std::size_t length = std::strlen(name);
  if (std::strncmp(text, name, length) != 0 || text[length] != '=') return false;
  constexpr std::uint64_t kMost = std::uint64_t{1} << 40;
  std::uint64_t value = 0;
  const char* digit = text + length + 1;
  if (*digit < '0' || *digit > '9') return false;
  for (; *digit >= '0' && *digit <= '9' && value < kMost; ++digit)
    value = value * 10 + static_cast<std::uint64_t>(*digit - '0');
  if (*digit == 'k') value <<= 10;
  if (*digit == 'm') value <<= 20;
  if (*digit == 'g') value <<= 30;
  number = value < kMost ? value : kMost;
  return true;
}

std::uint32_t between(std::uint64_t value, std::uint32_t least, std::uint32_t most) {
  if (value < least) return least;
  return value > most ? most : static_cast<std::uint32_t>(value);
}

std::uint32_t power_of_two(std::uint32_t value) {
  std::uint32_t power = 1;
  while (power * 2 <= value) power *= 2;
  return power;
}

}  // namespace

Options parse_options(const char* text) {
  Options options;
  for (; text != nullptr && *text != '\0'; text = std::strchr(text, ',')) {
    if (*text == ',') ++text;
    std::uint64_t number;
    if (number_of(text, "sample", number))
      options.sample_bytes = number;
    else if (number_of(text, "quarantine", number))
      options.quarantine_bytes = number;
    else if (number_of(text, "frees", number))
      options.kept_frees = power_of_two(between(number, 1, 65536));
    else if (number_of(text, "depth", number))
      options.most_frames = between(number, 1, kMostFrames);
  }
  return options;
}

}  // namespace cgo::agent
