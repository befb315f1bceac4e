#pragma once

#include <lldb/API/LLDB.h>

#include "target/memory_reader.h"

namespace cgo {

/// Memory through LLDB: works for every kind of process and hides LLDB's breakpoints, but is slow
/// for live ones. To be used from the thread that runs the command only.
class SbMemory final : public MemoryReader {
 public:
  explicit SbMemory(lldb::SBProcess process) : process_(process) {}
  Result<void> read(Address from, std::span<std::byte> out) const override;

 private:
  bool read_piece(Address from, std::span<std::byte> out) const;
  mutable lldb::SBProcess process_;
};

}  // namespace cgo
