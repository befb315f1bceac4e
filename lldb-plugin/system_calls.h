#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "target/result.h"

namespace cgo {

/// System calls that a stopped thread of the debuggee makes for us, one instruction each.
class SystemCalls {
 public:
  struct Call {
    std::uint64_t number = 0;
    std::array<std::uint64_t, 4> arguments{};
    /// The argument that is replaced by the address of `result_bytes` zeroed bytes of the debuggee.
    std::size_t result_argument = 0;
    std::uint64_t result_bytes = 0;
  };
  /// For each call what it wrote, or its errno as an error.
  using Answers = std::vector<Result<std::vector<std::byte>>>;
  virtual ~SystemCalls() = default;

  /// Whether a thread can make calls now; else why not.
  virtual Result<void> possible(std::uint64_t tid) = 0;
  /// Makes the calls in order on one thread, which is left as it was. No signal is handled on the
  /// thread meanwhile. Fails as a whole when the thread cannot make them; what could not be put
  /// back is in the error then.
  virtual Result<Answers> make(std::uint64_t tid, const std::vector<Call>& calls) = 0;
};

}  // namespace cgo
