#include "target/arch.h"

namespace cgo {

const ArchInfo* arch_for_elf_machine(std::uint16_t machine) {
  return machine == kAmd64.elf_machine ? &kAmd64 : nullptr;
}

}  // namespace cgo
