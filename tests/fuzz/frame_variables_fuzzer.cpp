// The variables of frames whose code, debug information and registers nobody vouches for. Input:
// the pc of the inner and the outer frame in the file (2 bytes each), rbx, rax and rsi of both (8
// bytes each), what memory holds (8 bytes), then sections as for the DWARF fuzzer.
#include <cstdint>

#include "dwarf_sections.h"
#include "support/dwarf_builder.h"
#include "support/memory_image.h"
#include "target/arch.h"
#include "target/dwarf.h"
#include "target/dwarf_cursor.h"
#include "values/format_value.h"
#include "values/frame_scope.h"
#include "values/frame_variables.h"
#include "values/value_context.h"

namespace cgo {
namespace {

constexpr std::uint64_t kBias = 0x100000, kStack = 0x8000, kStackBytes = 128;

class OnlyMemory final : public ValueContext {
 public:
  explicit OnlyMemory(const MemoryReader& memory) : memory_(memory) {}
  const MemoryReader& memory() const override { return memory_; }

 private:
  const MemoryReader& memory_;
};

DwarfBuilder::Sections sections_of(DwarfCursor& in, std::size_t bytes) {
  DwarfBuilder::Sections sections;
  while (!in.at_end()) {
    const std::size_t kind = in.u8() % kFuzzedSections.size();
    const std::uint32_t size = in.u32();
    const ByteView contents = in.block(std::min<std::uint64_t>(size, bytes - in.position()));
    sections.try_emplace(std::string(kFuzzedSections[kind]), contents.begin(), contents.end());
  }
  return sections;
}

PhysicalFrame frame(std::uint16_t pc, CodeAddress::Origin origin, Address cfa, DwarfCursor& in) {
  Registers registers(kAmd64);
  registers.set_pc({kBias + pc});
  for (const unsigned number : {3u, 0u, 4u}) registers.set(number, in.u64());
  return {.pc = {registers.pc(), origin}, .registers = registers, .cfa = cfa};
}

void read_all(const FrameSource& source, FramePosition position) {
  const auto variables = frame_variables(source, position);
  if (!variables) return;
  const OnlyMemory context(*source.memory);
  for (const FrameVariable& variable : *variables) {
    (void)visible_variable(*variables, variable.name);
    for (const auto* datum : {&variable.datum, &variable.stale})
      if (*datum)
        (void)format_text(read_value(context, variable.name, **datum,
                                     {.depth = 3, .elements = 8, .text_bytes = 32, .values = 50}));
  }
}

}  // namespace
}  // namespace cgo

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cgo;
  DwarfCursor in(std::as_bytes(std::span(data, size)));
  const std::uint16_t inner = in.u16(), outer = in.u16();
  Walk walk;
  using Origin = CodeAddress::Origin;
  walk.elements.emplace_back(frame(inner, Origin::program_counter, {kStack}, in));
  walk.elements.emplace_back(frame(outer, Origin::return_address, {kStack + 64}, in));
  MemoryImage memory;
  const std::uint64_t word = in.u64();
  for (std::uint64_t at = kStack - kStackBytes; at < kStack + kStackBytes; at += 8)
    memory.u64({at}, word + at);
  const auto file = ElfFile::from_bytes(elf_with(sections_of(in, size)), "fuzzed");
  if (!file) return 0;
  const auto dwarf = DwarfInfo::open(*file);
  if (!dwarf) return 0;
  const ImageMap images({{.path = "/bin/fuzzed",
                          .file = *file,
                          .bias = kBias,
                          .range = {{kBias + 0x1000}, {kBias + 0x9000}}}});
  const FrameSource source{.memory = &memory,
                           .images = &images,
                           .dwarf = [&](const Image&) { return dwarf; },
                           .walk = &walk};
  for (const std::size_t physical : {0, 1})
    for (const std::size_t depth : {0, 1})
      read_all(source, {.physical = physical, .inline_depth = depth});
  return 0;
}
