// A minidump's memory, threads, modules and mappings.
#include <cstdint>

#include "target/minidump.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  const auto dump = cgo::Minidump::from_bytes({bytes.begin(), bytes.end()}, "fuzz");
  if (!dump) return 0;
  const cgo::Minidump& memory = **dump;
  (void)memory.cut();
  for (const cgo::CoreThread& thread : memory.threads())
    (void)cgo::read_unsigned<std::uint64_t>(memory, thread.registers.sp());
  for (const cgo::MinidumpModule& module : memory.modules())
    (void)cgo::read_bytes(memory, module.range.begin, module.range.bytes(), 1 << 16);
  for (const cgo::Mapping& mapping : memory.mappings())
    (void)cgo::read_bytes(memory, mapping.range.begin, mapping.range.bytes(), 1 << 16);
  return 0;
}
