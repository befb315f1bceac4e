#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace cgo {

/// A Go release, as .go.buildinfo and runtime.buildVersion spell it.
struct GoVersion {
  int minor = 0;  ///< 25 of "go1.25.3"; the major is always 1.
  int patch = 0;  ///< 3 of "go1.25.3"; 0 for betas and release candidates.

  friend auto operator<=>(const GoVersion&, const GoVersion&) = default;
};

/// Reads "go1.25.3", "go1.27rc1", "go1.21", "devel go1.28-abcdef …", with or without what
/// experiments and vendors append ("go1.25.3 X:greenteagc"). Nothing for anything else.
std::optional<GoVersion> parse_go_version(std::string_view text);

/// "1.25.3".
std::string format_go_version(GoVersion version);

}  // namespace cgo
