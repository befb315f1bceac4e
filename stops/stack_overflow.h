#pragma once

#include <cstdint>
#include <optional>

#include "stops/fault.h"
#include "target/debuggee.h"

namespace cgo {

/// A stack that C code runs on.
struct CStack {
  enum class Kind : std::uint8_t {
    thread,     ///< That pthread_create gave to the thread.
    main,       ///< Of the main thread; the kernel grows it.
    alternate,  ///< For handlers of signals (sigaltstack).
    mapping,    ///< Neither is known: the mapping that the frames lie in.
  };
  Kind kind = Kind::mapping;
  AddressRange range;
  /// What is below it and cannot be accessed, as far as that is known; may be empty.
  AddressRange guard;
};

/// What a fault has to do with the stack it happened on.
struct StackUse {
  CStack stack;
  std::uint64_t used_bytes = 0;  ///< From the stack pointer to its end; all of it beyond its begin.
  /// Nothing where it cannot be told, because the kernel gave no address.
  std::optional<bool> overflow;
  /// The frame of this fault ends further below the stack than its guard reaches.
  bool past_guard = false;
};

/// Nothing where the code that faulted runs on a goroutine's stack, or its stack is not known.
/// An overflow is said where the stack pointer is below the stack that its frames began on, or the
/// instruction accesses memory below that stack right below its stack pointer. A pointer that leads
/// there from elsewhere is none.
std::optional<StackUse> stack_use(const Debuggee& debuggee, std::uint64_t tid, const Walk& walk,
                                  const Fault& fault);

}  // namespace cgo
