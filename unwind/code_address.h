#pragma once

#include <cstdint>

#include "target/address.h"

namespace cgo {

/// An address in code, with what it means: decides once, here, which byte to look up.
struct CodeAddress {
  enum class Origin : std::uint8_t {
    program_counter,  ///< The instruction itself: frame 0, or interrupted by a signal.
    return_address,   ///< The instruction after a call.
  };
  Address address;
  Origin origin = Origin::program_counter;

  /// The address to look up. A return address is moved back one byte, into the call: when the
  /// callee never returns, the next byte may already belong to another function.
  constexpr Address for_lookup() const {
    return origin == Origin::return_address && address.value != 0 ? Address{address.value - 1}
                                                                  : address;
  }
};

}  // namespace cgo
