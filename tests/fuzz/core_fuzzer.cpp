// An ELF core's memory and notes, and ELF images that lie in its memory.
#include <cstdint>

#include "target/core_file.h"

namespace cgo {
namespace {

void ask_everything(const CoreFile& core) {
  (void)core.cut();
  (void)core.process();
  if (const auto executable = core.executable())
    if (const auto file = ElfFile::from_bytes({}, "none")) (void)mismatch(*executable, **file);
  for (const CoreThread& thread : core.threads())
    (void)read_unsigned<std::uint64_t>(core, thread.registers.sp());
  for (const Mapping& mapping : core.mappings()) {
    (void)read_bytes(core, mapping.range.begin, mapping.range.bytes(), 1 << 16);
    const auto image = elf_file_from_memory(core, mapping.range.begin, "image", 1 << 20);
    if (!image) continue;
    for (const ElfSymbol& symbol : (*image)->symbols()) (void)(*image)->find_symbol(symbol.name);
    for (const ElfSection& section : (*image)->sections()) (void)(*image)->section_bytes(section);
  }
}

}  // namespace
}  // namespace cgo

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  const auto core = cgo::CoreFile::from_bytes({bytes.begin(), bytes.end()}, "fuzz");
  if (core) cgo::ask_everything(**core);
  return 0;
}
