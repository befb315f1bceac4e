#pragma once

#include <cstdint>
#include <vector>

#include "target/mapping.h"
#include "target/memory_reader.h"

namespace cgo {

/// Bytes of the program that a debugger has overwritten, with a breakpoint instruction mostly.
struct CodePatch {
  Address address;
  std::vector<std::byte> original;
};

/// The memory of a process on this machine, read with process_vm_readv: no ptrace call, and the
/// process need not be stopped. The caller must be allowed to trace it. Reads see the bytes of the
/// program where `patches` tell the originals. Immutable; safe to use from several threads.
class ProcessMemory final : public MemoryReader {
 public:
  explicit ProcessMemory(std::int32_t pid, std::vector<CodePatch> patches = {});

  Result<void> read(Address from, std::span<std::byte> out) const override;
  void read_each(std::span<MemoryPiece> pieces) const override;

 private:
  void hide_patches(Address from, std::span<std::byte> out) const;

  std::int32_t pid_;
  std::vector<CodePatch> patches_;  // Sorted by address.
  std::uint64_t longest_patch_ = 0;
};

/// The mappings of a process on this machine; io_failure when it is gone or not ours to look at.
Result<std::vector<Mapping>> process_mappings(std::int32_t pid);

}  // namespace cgo
