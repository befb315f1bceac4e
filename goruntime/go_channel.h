#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "goruntime/go_version.h"
#include "target/memory_reader.h"
#include "target/result.h"

namespace cgo {

/// A goroutine that waits on a channel: a runtime.sudog in one of its queues.
struct ChannelWaiter {
  Address g;
  Address element;  ///< What it sends, or where to put what it receives; 0 when it does not care.
};

/// A runtime.hchan.
struct Channel {
  Address address;
  std::uint64_t count = 0, capacity = 0;
  std::uint64_t element_bytes = 0;
  Address element_type;  ///< Descriptor.
  Address buffer;
  std::uint64_t next_receive = 0;  ///< Index in the buffer of the oldest element.
  bool closed = false;
  std::vector<ChannelWaiter> receivers, senders;  ///< In the order they will be served.
  std::optional<Error> waiters_error;             ///< Why there may be more of them.

  /// Where the element lies that will be received after `index` others.
  Address element(std::uint64_t index) const {
    return wrapping_add(buffer, (next_receive + index) % capacity * element_bytes);
  }
};

/// Reads the channel whose header is at `at` (the word in a channel variable, not 0).
/// malformed_data when its numbers contradict each other.
Result<Channel> decode_channel(const MemoryReader& memory, GoVersion version, Address at);

}  // namespace cgo
