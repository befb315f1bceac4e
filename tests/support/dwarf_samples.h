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

// One C program with variables of every kind, in each of the two forms of DWARF:
//
//   0x1000-0x1080  f(int a, long b)   frame base: the CFA
//     a: rdi in 0x1000-0x1010, what rdi was on entry in 0x1010-0x1020, then nowhere
//     v: CFA-16; seen: static at 0x5008
//     0x1010-0x1040  v: the constant 7, hides the outer one
//       0x1020-0x1030  w: CFA-24
//         0x1020-0x1028  g(int p, int r) inlined: p in rax; r and q have no place
//     a call that returns to 0x1035: of f itself, with rdi = rbx + 1
//   counter at 0x5000, an enum color; hidden is declared here and defined in a second unit
//
// types: struct bits {int a:3; int b:5; long wide:40;}, struct hidden {int x; int grid[2][3];},
// const char *text, int (*callback)(...), an enum color {red, blue = -1}, word = unsigned int.

/// Before DWARF 5 with .debug_loc, DW_AT_bit_offset and the GNU form of call sites.
DwarfBuilder::Sections variable_sections(std::uint16_t version);

}  // namespace cgo
