#include <elf.h>

#include "seeds.h"
#include "support/core_builder.h"

namespace cgo {
namespace {

/// A core whose memory holds images that have no section headers, as memory mostly does.
std::vector<std::byte> with_images(bool gnu_hash) {
  ElfBuilder core(ET_CORE);
  core.segment(
      {.type = PT_NOTE, .contents = elf_note("CORE", NT_AUXV, auxv({{AT_PHDR, 0x10040}}))});
  core.segment({.address = {0x10000}, .contents = elf_in_memory(gnu_hash, 0x10000)});
  return core.build();
}

}  // namespace

void write_seeds(const SeedWriter& out) {
  auto core = small_core();
  out.add("two-threads", core);
  core.resize(core.size() / 2);
  out.add("cut", core);
  out.add("image-sysv-hash", with_images(false));
  out.add("image-gnu-hash", with_images(true));
}

}  // namespace cgo
