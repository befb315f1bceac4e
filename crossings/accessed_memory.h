#pragma once

#include <cstdint>
#include <vector>

#include "target/byte_view.h"
#include "target/registers.h"
#include "target/result.h"

namespace cgo {

/// Memory that an instruction reads or writes when it runs next.
struct AccessedMemory {
  Address at;
  std::uint64_t bytes = 0;

  bool contains(Address address) const { return address >= at && address.value - at.value < bytes; }
};

/// What the instruction of amd64 at `registers.pc()` accesses beside itself; `code` begins with it.
/// An empty list is an instruction that accesses none. unsupported where the registers alone do not
/// tell: the thread's own segments, gathered vectors, a register that is not known.
Result<std::vector<AccessedMemory>> accessed_memory_amd64(ByteView code,
                                                          const Registers& registers);

}  // namespace cgo
