#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "target/address.h"
#include "unwind/frame.h"

namespace cgo {

/// What fills a deep stack.
struct RecursionReport {
  std::size_t frames = 0;  ///< That were walked.
  bool at_least = false;   ///< The walk ended before the stack did.
  /// Frames that repeat in a fixed order; none where `rounds` is 0.
  std::size_t rounds = 0;
  std::size_t first = 0, last = 0;  ///< Numbers of the frames of one round, as `cgo bt` has them.
  std::vector<const Frame*> round;  ///< Its frames without plumbing; of the stack given.
  /// Functions with many frames in no fixed order, most first; only where `rounds` is 0.
  struct Share {
    std::string_view function;
    std::size_t frames = 0;
  };
  std::vector<Share> shares;
};

/// Nothing where no frames repeat. `stack` was made from `walk` and is not cut.
std::optional<RecursionReport> recursion_in(const Walk& walk, const Stack& stack);

/// The largest frame of those that begin on `range`, if it takes a good part of it.
struct LargeFrame {
  std::size_t element = 0;  ///< Index into Walk::elements.
  std::uint64_t bytes = 0;
};
std::optional<LargeFrame> large_frame_in(const Walk& walk, AddressRange range);

}  // namespace cgo
