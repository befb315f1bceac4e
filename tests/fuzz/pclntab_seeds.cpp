#include "seeds.h"
#include "support/elf_builder.h"
#include "support/pclntab_builder.h"

namespace cgo {
namespace {

PclntabBuilder program(GoVersion version) {
  PclntabBuilder builder(version);
  builder.function({.name = "main.main",
                    .entry = 0,
                    .func_id = 2,
                    .frame = {{0x4, 0}, {0x1c, 24}, {0x20, 0}},
                    .files = {{0x20, "/src/main.go"}},
                    .lines = {{0x10, 7}, {0x20, 300}}});
  builder.function({.name = "main.outer",
                    .entry = 0x20,
                    .frame = {{0x80, 0x1000}},
                    .files = {{0x20, "/src/outer.go"}, {0x80, "/src/inner.go"}},
                    .lines = {{0x20, 101}, {0x80, 102}},
                    .inline_index = {{0x20, -1}, {0x30, 1}, {0x40, 0}, {0x80, -1}},
                    .inlined = {{.function = "main.middle",
                                 .parent_pc = 0x18,
                                 .call_file = "/src/outer.go",
                                 .call_line = 101},
                                {.function = "main.inner",
                                 .parent_pc = 0x30,
                                 .parent = 0,
                                 .call_file = "/src/outer.go",
                                 .call_line = 200}}});
  return builder;
}

std::vector<std::byte> input(std::uint8_t release, GoVersion version) {
  const auto tables = program(version).bytes(0x100);
  const std::vector<std::byte>* const parts[] = {&tables.funcnametab, &tables.cutab,
                                                 &tables.filetab,     &tables.pctab,
                                                 &tables.pclntable,   &tables.ftab};
  ByteWriter out;
  out.u8(release);
  for (const auto* part : parts) out.u16(static_cast<std::uint16_t>(part->size()));
  for (const auto* part : parts) out.bytes(*part);
  return out.bytes(tables.gofunc).take();
}

}  // namespace

void write_seeds(const SeedWriter& out) {
  out.add("go1.19", input(0, {19, 0}));
  out.add("go1.20", input(1, {20, 0}));
  out.add("go1.22", input(2, {22, 0}));
  out.add("go1.27", input(3, {27, 0}));
}

}  // namespace cgo
