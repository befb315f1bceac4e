// Everything DwarfInfo says about DWARF that nobody vouches for.
#include <cstdint>

#include "dwarf_sections.h"
#include "support/dwarf_builder.h"
#include "target/arch.h"
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

void ask_about_type(const Type& type, int depth) {
  constexpr std::size_t kMost = 8;
  (void)format_type(type);
  (void)stripped(&type);
  (void)type.bytes();
  (void)type.is_signed();
  (void)type.enumerators();
  (void)type.length();
  (void)type.runtime_type();
  if (depth == 0) return;
  for (const auto& next : {type.target(), type.key(), type.representation()})
    if (next) ask_about_type(**next, depth - 1);
  const auto members = type.members();
  for (std::size_t i = 0; members && i < members->size() && i < kMost; ++i)
    if (const auto member = type.member_type(i)) ask_about_type(**member, depth - 1);
}

void ask_about_variables(const DwarfInfo& dwarf, Address pc) {
  const Registers registers(kAmd64);
  ExpressionContext context{.registers = &registers, .cfa = Address{0x8000}};
  const auto scopes = dwarf.scopes_at(pc);
  for (std::size_t i = 0; scopes && i < scopes->size(); ++i) {
    context.frame_base = (*scopes)[i].frame_base;
    for (const Variable& variable : (*scopes)[i].variables) {
      if (const auto pieces = locate(variable, context)) (void)read_pieces(*pieces, 64, context);
      if (variable.type) ask_about_type(*variable.type, 3);
    }
  }
  (void)dwarf.call_site(pc);
}

void ask_about_functions(const DwarfInfo& dwarf, const DwarfUnitContents& contents) {
  constexpr std::size_t kMost = 8;
  for (std::size_t i = 0; i < contents.functions.size() && i < kMost; ++i) {
    const Address entry = contents.functions[i].entry;
    (void)dwarf.frames_at(entry);
    (void)dwarf.frames_at({entry.value + 0x14});
    ask_about_variables(dwarf, entry);
    ask_about_variables(dwarf, {entry.value + 0x20});
    for (std::size_t j = 0; j < contents.functions.size() && j < kMost; ++j) {
      (void)dwarf.tail_calls_from(entry, contents.functions[j].entry);
      (void)dwarf.tail_calls({entry.value + 5}, contents.functions[j].entry);
    }
  }
}

void ask_by_name(const DwarfInfo& dwarf) {
  if (const auto all = dwarf.types_matching("", 16))
    for (const Type* type : all->types) ask_about_type(*type, 2);
  for (const char* name : {"hidden", "struct bits", "int", "main.T"}) (void)dwarf.type_named(name);
  (void)dwarf.type_with_descriptor(0x1000);
  (void)dwarf.variables_named("counter");
  (void)dwarf.variable_at({0x5003});
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
  (void)(*dwarf)->call_site({0x1035});
  ask_by_name(**dwarf);
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
    (void)index->variables("a");
    (void)index->type_with_descriptor(1);
    std::size_t more = 0;
    (void)index->types_matching("", 4, more);
  }
  return 0;
}
