#include "seeds.h"
#include "support/elf_builder.h"

namespace cgo {

/// Inputs that choose: each container with members of the first names, over words that point into
/// the memory behind them. What they mean is told by the fuzzer's Types.
void write_seeds(const SeedWriter& out) {
  constexpr unsigned kContainers = 22, kNames = 53;
  for (unsigned container = 0; container < kContainers; ++container) {
    ByteWriter input;
    std::uint32_t state = container + 1;
    const auto next = [&] { return state = state * 1664525 + 1013904223; };
    input.u8(5).u8(static_cast<std::uint8_t>(container)).u8(5);
    for (int i = 0; i < 5; ++i) {
      input.u8(static_cast<std::uint8_t>((container * 3 + static_cast<unsigned>(i)) % kNames));
      input.u8(static_cast<std::uint8_t>(i * 2)).u8(static_cast<std::uint8_t>(next() >> 24));
    }
    for (int i = 0; i < 64; ++i) input.u8(static_cast<std::uint8_t>(next() >> 24));
    for (int i = 0; i < 64; ++i)
      input.u64(next() % 4 == 0 ? next() % 40 : 0x10000 + next() % 64 * 8);
    out.add("container" + std::to_string(container), input.take());
  }
}

}  // namespace cgo
