#pragma once

#include "support/dwarf_builder.h"

namespace cgo {

// One C++ program in each of the two forms of DWARF, as tests and fuzzers need it:
//
//   0x1000-0x1040  outer(int)       one.c:10; calls first() at 0x1030 (returns to 0x1035)
//     0x1010-0x1020  ns::mid        inlined at one.c:12
//       0x1014-0x1018  ns::in       inlined at two.c:30
//   0x1040-0x1060  first            tail-calls second at 0x1050
//   0x1060-0x1080  second           tail-calls last at 0x1070
//   0x1080-0x10a0  last
//   0x10a0-0x10c0  either           tail-calls first and last
//
// and the structure ns::Thing {int a; char b[3]; union {long c; double d;}; Thing* next;}.

/// Before DWARF 5 with the GNU form of call sites.
DwarfBuilder::Sections sample_sections(std::uint16_t version);

}  // namespace cgo
