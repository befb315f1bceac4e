#pragma once

#include <cstdint>
#include <vector>

#include "target/elf.h"
#include "target/result.h"

namespace cgo {

/// Where the unwind rule of a piece of code lies. File addresses.
struct EhFrameEntry {
  Address begin;  ///< First instruction.
  Address fde;    ///< The FDE, in .eh_frame.
  friend bool operator==(EhFrameEntry, EhFrameEntry) = default;
};

/// All FDEs of .eh_frame by rising address: what .eh_frame_hdr has where a linker writes one
/// (gcc -static does not). Costs a pass over the section. Ends at the first record that makes no
/// sense; not_found when there is no .eh_frame, or nothing in it.
/// Source: Linux Standard Base 5.0, Core, section 10.6 (Exception Frames).
Result<std::vector<EhFrameEntry>> read_eh_frame(const ElfFile& file);

}  // namespace cgo
