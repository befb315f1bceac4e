#pragma once

#include <sys/types.h>

#include "target/memory_reader.h"

namespace cgo {

/// Memory of a process of this machine through process_vm_readv: a tenth of the cost of asking
/// LLDB. Shows LLDB's breakpoint instructions where they are. Thread-safe.
class LocalMemory final : public MemoryReader {
 public:
  explicit LocalMemory(pid_t pid) : pid_(pid) {}
  Result<void> read(Address from, std::span<std::byte> out) const override;

 private:
  pid_t pid_;
};

}  // namespace cgo
