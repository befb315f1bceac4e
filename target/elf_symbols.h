#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "target/elf_layout.h"
#include "target/interval_map.h"

namespace cgo {

/// The symbols of one ELF file, in the three orders they are asked for; each is built on first use.
/// Thread-safe. `file` and `layout` must outlive it.
class ElfSymbolTable {
 public:
  ElfSymbolTable(ByteView file, const ElfLayout& layout) : file_(file), layout_(layout) {}

  std::span<const ElfSymbol> by_address() const;
  const ElfSymbol* function_at(Address file_address) const;
  const ElfSymbol* object_at(Address file_address) const;
  const ElfSymbol* find(std::string_view name) const;

 private:
  void read() const;
  void index_functions() const;
  bool is_code(std::size_t symbol) const;
  /// The best of the symbols [begin, end), which share an address; nothing when none is code.
  std::optional<std::size_t> best_name(std::size_t begin, std::size_t end) const;
  void index_names() const;

  ByteView file_;
  const ElfLayout& layout_;
  mutable std::once_flag read_once_, functions_once_, names_once_;
  mutable std::vector<ElfSymbol> symbols_;
  mutable std::vector<std::uint32_t> sections_;   // Section index by symbol, parallel.
  mutable IntervalMap<std::uint32_t> functions_;  // Index into symbols_.
  mutable std::vector<std::uint32_t> names_;      // Open-addressed; index + 1, 0 is free.
};

}  // namespace cgo
