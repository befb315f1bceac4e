#include "goruntime/go_version.h"

#include <charconv>

namespace cgo {
namespace {

/// Takes a number from the front of `text`; nothing (and `text` unchanged) when there is none or it
/// is absurd.
std::optional<int> take_number(std::string_view& text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || value < 0 || value > 9999) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

/// What may follow the numbers: nothing, experiments (" X:…", "-X:…"), a vendor's mark.
bool ends_version(std::string_view rest) {
  return rest.empty() || rest.front() == ' ' || rest.front() == '-' || rest.front() == '+';
}

}  // namespace

std::optional<GoVersion> parse_go_version(std::string_view text) {
  take_prefix(text, "devel ");
  if (!take_prefix(text, "go1.")) return std::nullopt;
  const auto minor = take_number(text);
  if (!minor) return std::nullopt;
  GoVersion version{.minor = *minor, .patch = 0};
  if (take_prefix(text, "rc") || take_prefix(text, "beta")) {
    if (!take_number(text)) return std::nullopt;
  } else if (take_prefix(text, ".")) {
    const auto patch = take_number(text);
    if (!patch) return std::nullopt;
    version.patch = *patch;
  }
  if (!ends_version(text)) return std::nullopt;
  return version;
}

std::string format_go_version(GoVersion version) {
  return "1." + std::to_string(version.minor) + "." + std::to_string(version.patch);
}

}  // namespace cgo
