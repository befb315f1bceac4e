// Everything DwarfInfo says about DWARF that nobody vouches for.
#include <cstdint>

#include "dwarf_sections.h"
#include "support/dwarf_builder.h"
#include "target/dwarf_cache.h"
#include "target/dwarf_code.h"
#include "target/dwarf_index.h"
#include "target/dwarf_types.h"

namespace cgo {
namespace {

DwarfBuilder::Sections sections_of(ByteView input) {
  DwarfBuilder::Sections sections;
  DwarfCursor in(input);
  while (!in.at_end()) {
    const std::size_t kind = in.u8() % kFuzzedSections.size();
    const std::uint32_t size = in.u32();
    const ByteView contents = in.block(std::min<std::uint64_t>(size, input.size() - in.position()));
    sections.try_emplace(std::string(kFuzzedSections[kind]), contents.begin(), contents.end());
  }
  return sections;
}

void ask_about_functions(const DwarfInfo& dwarf, const DwarfUnitContents& contents) {
  constexpr std::size_t kMost = 8;
  for (std::size_t i = 0; i < contents.functions.size() && i < kMost; ++i) {
    const Address entry = contents.functions[i].entry;
    (void)dwarf.frames_at(entry);
    (void)dwarf.frames_at({entry.value + 0x14});
    for (std::size_t j = 0; j < contents.functions.size() && j < kMost; ++j) {
      (void)dwarf.tail_calls_from(entry, contents.functions[j].entry);
      (void)dwarf.tail_calls({entry.value + 5}, contents.functions[j].entry);
    }
  }
}

void ask_everything(std::shared_ptr<const ElfFile> elf) {
  constexpr std::size_t kMostUnits = 8, kMostTypes = 32;
  const auto dwarf = DwarfInfo::open(elf);
  if (!dwarf) return;
  (void)(*dwarf)->struct_type("ns::Thing");
  (void)(*dwarf)->struct_type("runtime.g");
  (void)(*dwarf)->functions_named("main");
  (void)(*dwarf)->frames_at({0x1014});
  (void)(*dwarf)->tail_calls({0x1035}, {0x1080});
  const DwarfFile file(elf);
  const auto headers = file.headers();
  for (std::size_t i = 0; headers && i < headers->size() && i < kMostUnits; ++i) {
    const auto unit = file.unit(i);
    if (!unit) continue;
    const auto contents = DwarfUnitContents::read(**unit, true);
    if (!contents) continue;
    ask_about_functions(**dwarf, *contents);
    for (std::size_t t = 0; t < contents->types.size() && t < kMostTypes; ++t)
      (void)read_struct({*unit, contents->types[t].offset});
  }
}

}  // namespace
}  // namespace cgo

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  const auto elf = cgo::ElfFile::from_bytes(cgo::elf_with(cgo::sections_of(bytes)), "fuzz");
  if (elf) cgo::ask_everything(*elf);
  (void)cgo::decode_structs(bytes);
  if (const auto index = cgo::DwarfIndex::from_bytes({bytes.begin(), bytes.end()})) {
    (void)index->functions("main");
    (void)index->structures("");
  }
  return 0;
}
