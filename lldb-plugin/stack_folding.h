#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "unwind/frame.h"

namespace cgo {

/// What two stacks must share to be shown as one: state, wait reason, and every function and line.
/// Addresses do not count.
std::string folding_key(const Stack& stack);

/// "goroutines 4, 5, 6 and 97 more": at most `shown` numbers.
std::string format_members(const std::vector<std::uint64_t>& goroutines, std::size_t shown = 10);

}  // namespace cgo
