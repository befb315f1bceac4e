#include "dwarf_sections.h"
#include "seeds.h"
#include "support/dwarf_samples.h"

namespace cgo {
namespace {

std::vector<std::byte> input(std::uint16_t inner, const DwarfBuilder::Sections& sections) {
  ByteWriter out;
  out.u16(inner).u16(0x1035);
  for (const std::uint64_t value : {41, 5, 6, 41, 5, 6}) out.u64(value);
  out.u64(0);
  append_sections(sections, out);
  return out.take();
}

}  // namespace

void write_seeds(const SeedWriter& out) {
  // In registers, on entry, in an inlined function; see dwarf_samples.h.
  for (const std::uint16_t pc : {0x1000, 0x1018, 0x1022}) {
    out.add("variables4-" + std::to_string(pc), input(pc, variable_sections(4)));
    out.add("variables5-" + std::to_string(pc), input(pc, variable_sections(5)));
  }
}

}  // namespace cgo
