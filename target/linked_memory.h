#pragma once

#include <map>
#include <memory>

#include "target/elf.h"
#include "target/memory_reader.h"

namespace cgo {

/// The memory of an ELF file as it would be right after loading, at its own file addresses: all
/// segments, zeros behind what the file has of them, and pointers into the file itself put in
/// place. Pointers to other files are zero, as nothing is loaded beside it. Thread-safe.
/// Source: System V ABI, AMD64 supplement, table 4.9 (R_X86_64_RELATIVE, R_X86_64_64).
class LinkedMemory final : public MemoryReader {
 public:
  explicit LinkedMemory(std::shared_ptr<const ElfFile> file);
  Result<void> read(Address from, std::span<std::byte> out) const override;

 private:
  void read_relocations();

  std::shared_ptr<const ElfFile> file_;
  std::map<Address, std::uint64_t> words_;  // What relocations put in place, 8 bytes each.
};

}  // namespace cgo
