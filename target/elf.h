#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "target/address.h"
#include "target/arch.h"
#include "target/result.h"

namespace cgo {

/// One section header. Addresses are file addresses (as linked, before the load bias).
struct ElfSection {
  std::string name;
  std::uint32_t type = 0;
  std::uint64_t flags = 0;
  Address file_address;
  std::uint64_t file_offset = 0;
  std::uint64_t bytes = 0;  ///< As stored; a compressed section is larger once read.

  bool has_bytes_in_file() const { return type != 8; }  // SHT_NOBITS
  bool writable() const { return flags & 1; }           // SHF_WRITE
  bool compressed() const;  ///< SHF_COMPRESSED, or the older .zdebug_* form.
};

/// One program header.
struct ElfSegment {
  std::uint32_t type = 0;
  std::uint32_t flags = 0;  ///< PF_X 1, PF_W 2, PF_R 4.
  std::uint64_t file_offset = 0;
  Address file_address;
  std::uint64_t file_bytes = 0;
  std::uint64_t memory_bytes = 0;
  std::uint64_t alignment = 0;

  bool loaded() const { return type == 1; }  // PT_LOAD
  bool executable() const { return flags & 1; }
  bool writable() const { return flags & 2; }
  AddressRange range() const { return {file_address, {file_address.value + memory_bytes}}; }
};

/// A symbol of .symtab or .dynsym. `name` lives as long as the ElfFile. The address of a
/// thread-local one (STT_TLS) is its offset in the module's TLS block.
struct ElfSymbol {
  std::string_view name;
  Address file_address;
  std::uint64_t bytes = 0;
  std::uint8_t type = 0;  ///< STT_*.
  std::uint8_t binding = 0;
};

/// What .gnu_debuglink says.
struct DebugLink {
  std::string file_name;
  std::uint32_t crc = 0;
};

/// An ELF file, mapped and read lazily. Every offset and size in it is checked: the file is not
/// trusted. Immutable after opening; all methods may be called from several threads at once.
/// Does not know about processes, load addresses or DWARF.
class ElfFile {
 public:
  /// Maps `path`. Fails with io_failure (cannot be opened), malformed_data (not an ELF file, cut),
  /// or unsupported (32-bit, big-endian).
  static Result<std::shared_ptr<const ElfFile>> open(const std::string& path);

  /// Parses bytes that are already in memory; `name` stands for the path in messages.
  static Result<std::shared_ptr<const ElfFile>> from_bytes(std::vector<std::byte> bytes,
                                                           std::string name);

  ~ElfFile();
  ElfFile(const ElfFile&) = delete;
  ElfFile& operator=(const ElfFile&) = delete;

  const std::string& path() const;
  std::uint16_t type() const;     ///< ET_EXEC 2, ET_DYN 3, ET_CORE 4.
  std::uint16_t machine() const;  ///< EM_*.
  const ArchInfo* arch() const;   ///< Null for a CPU without a row in the table.
  Address entry() const;          ///< File address where execution begins; 0 for none.

  std::span<const ElfSection> sections() const;
  std::span<const ElfSegment> segments() const;
  const ElfSection* section(std::string_view name) const;

  /// The whole file, as mapped.
  std::span<const std::byte> bytes() const;
  /// The bytes of a section, decompressed (SHF_COMPRESSED zlib and zstd, and .zdebug_*); cached for
  /// the life of the file. Empty for NOBITS. `section` must be one of sections(), not a copy.
  Result<std::span<const std::byte>> section_bytes(const ElfSection& section) const;
  /// Bytes at a file address through PT_LOAD segments; fails where the file has none.
  Result<std::span<const std::byte>> bytes_at(Address file_address, std::uint64_t bytes) const;

  /// Lower-case hex of NT_GNU_BUILD_ID, or nothing.
  const std::optional<std::string>& build_id() const;
  std::optional<DebugLink> debug_link() const;

  /// All defined symbols of .symtab, or of .dynsym where there is no .symtab (found through
  /// PT_DYNAMIC where there are no section headers), sorted by address, else in the file's order.
  /// Section and file symbols are left out. Built on first use.
  std::span<const ElfSymbol> symbols() const;
  /// The function symbol that covers `file_address` (its size decides; a size of 0 reaches to the
  /// next symbol of the same section), or null. Of several names for the same code a function
  /// before a bare label, a global before a local one, and the one with fewer leading underscores.
  const ElfSymbol* symbol_at(Address file_address) const;
  /// The data symbol (STT_OBJECT, with a size) that covers `file_address`, or null.
  const ElfSymbol* object_at(Address file_address) const;
  /// The first symbol of exactly this name, or null.
  const ElfSymbol* find_symbol(std::string_view name) const;

 private:
  struct State;
  static Result<std::shared_ptr<const ElfFile>> finish(std::unique_ptr<State> state);
  explicit ElfFile(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace cgo
