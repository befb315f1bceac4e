#pragma once

#include <optional>

#include "target/address.h"
#include "target/byte_view.h"
#include "target/memory_reader.h"

namespace cgo {

/// Where a call goes, and what it passes as the closure (Go: rdx), where that is known.
struct CallTarget {
  Address code;
  std::optional<Address> closure;
};

/// Where the indirect call at `call` goes when the function whose `code` begins at `entry` is
/// called as the closure at `closure`: by computing what moves and loads from the entry to the call
/// give, with conditional jumps not taken. Nothing where anything else decides. For the wrappers
/// that Go's compiler makes for what is deferred: they load a function from their closure and call
/// it.
std::optional<CallTarget> call_target_amd64(const MemoryReader& memory, ByteView code,
                                            Address entry, Address call, Address closure);

}  // namespace cgo
