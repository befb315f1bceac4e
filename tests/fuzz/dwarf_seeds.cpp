#include "dwarf_sections.h"
#include "seeds.h"
#include "support/dwarf_samples.h"
#include "target/dwarf_cache.h"

namespace cgo {
namespace {

std::vector<std::byte> as_input(const DwarfBuilder::Sections& sections) {
  ByteWriter out;
  append_sections(sections, out);
  return out.take();
}

}  // namespace

void write_seeds(const SeedWriter& out) {
  out.add("dwarf4", as_input(sample_sections(4)));
  out.add("dwarf5", as_input(sample_sections(5)));
  out.add("variables4", as_input(variable_sections(4)));
  out.add("variables5", as_input(variable_sections(5)));
  DwarfStructs structs;
  structs["runtime.g"] = {.name = "runtime.g", .bytes = 456, .members = {{"stack", 0, 16}}};
  out.add("structs", encode_structs(structs));
}

}  // namespace cgo
