#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "support/elf_builder.h"

namespace cgo {

// The contents of a core's notes, as Linux writes them for amd64.

struct PrStatus {
  std::uint32_t tid = 0;
  std::uint16_t signal = 0;
  std::uint64_t rip = 0, rsp = 0, rbp = 0, fs_base = 0;
  std::uint64_t pending = 0, blocked = 0;
  std::uint32_t parent = 0;
};
std::vector<std::byte> prstatus(const PrStatus& status);

std::vector<std::byte> prpsinfo(std::uint32_t pid, std::string_view name,
                                std::string_view arguments);

/// `value` is the fault's address, or the sender's pid, depending on the code.
std::vector<std::byte> siginfo(std::int32_t number, std::int32_t code, std::uint64_t value);

struct NtFile {
  std::uint64_t begin, end, page_offset;
  std::string_view path;
};
std::vector<std::byte> nt_file(const std::vector<NtFile>& files);

std::vector<std::byte> auxv(const std::vector<std::pair<std::uint64_t, std::uint64_t>>& entries);

/// An ELF header page as it lies in memory: one PT_LOAD at offset 0, a PT_NOTE with this build id.
/// `file_address` is where the file wants to be.
std::vector<std::byte> elf_header_page(Address file_address, std::string_view build_id);

/// A file without section headers whose first segment maps all of it, with one dynamic symbol,
/// "vdso_call" at 0x20 of 16 bytes. Its dynamic section says where things are at this load address.
std::vector<std::byte> elf_in_memory(bool gnu_hash, std::uint64_t dynamic_bias = 0);

/// A core of a program with two threads, a crash, two mapped files and some memory.
std::vector<std::byte> small_core();

}  // namespace cgo
