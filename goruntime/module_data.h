#pragma once

#include <cstdint>
#include <memory>

#include "goruntime/image_bytes.h"
#include "goruntime/layout.h"
#include "goruntime/pclntab.h"
#include "target/byte_view.h"

namespace cgo {

/// The header of a pclntab. All offsets count from its first byte.
/// Source: src/runtime/symtab.go, type pcHeader.
struct PcHeader {
  static constexpr std::size_t kBytes = 72;
  std::uint32_t magic = 0;
  std::uint8_t minimum_instruction_bytes = 0;
  std::uint64_t functions = 0;
  std::uint64_t funcname_offset = 0, cu_offset = 0, filetab_offset = 0, pctab_offset = 0,
                pcln_offset = 0;
};

/// Reads a pcHeader from its first PcHeader::kBytes bytes. malformed_data when it is none that Go
/// 1.19 to 1.27 writes on a 64-bit CPU.
Result<PcHeader> decode_pc_header(ByteView bytes);
/// The magic the linker of a release writes.
std::uint32_t pc_header_magic(GoVersion version);

/// What a Go module's data says about where everything lies.
struct ModuleData {
  struct Slice {
    Address pointer;
    std::uint64_t length = 0;
  };
  Address address;
  Address pc_header;
  Slice funcnametab, cutab, filetab, pctab, pclntable, ftab;
  Address minpc, maxpc, text, etext, gofunc;
  AddressRange types;  ///< Type descriptors and the names they refer to.
  std::uint64_t text_sections = 0;
  bool is_plugin = false;  ///< Has a pluginpath: belongs to the runtime of the program.
  Address next;            ///< The module loaded after this one, or 0.
};

/// Reads a runtime.moduledata. malformed_data when it contradicts itself.
Result<ModuleData> decode_module_data(const MemoryReader& memory, const ModuleDataLayout& layout,
                                      Address at);

/// A module with its tables, from a moduledata in the image. Every table is checked to lie where
/// its pcHeader puts it.
Result<std::unique_ptr<const GoModule>> load_module(const ImageBytes& image, const ModuleData& data,
                                                    GoVersion version);

}  // namespace cgo
