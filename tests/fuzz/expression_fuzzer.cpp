// Location expressions that nobody vouches for, in a frame with memory and some registers.
#include <cstdint>

#include "support/memory_image.h"
#include "target/arch.h"
#include "target/variables.h"

namespace cgo {
namespace {

/// A unit is not at hand, so typed operations end early; the DWARF fuzzer has them.
void evaluate(ByteView code) {
  MemoryImage memory;
  for (std::uint64_t at = 0x8000; at < 0x8040; at += 8) memory.u64({at}, at);
  Registers registers(kAmd64);
  registers.set(6, 0x8000);
  registers.set(7, 0x8020);
  const ByteView half = code.first(code.size() / 2);
  ExpressionContext context{.memory = &memory,
                            .registers = &registers,
                            .cfa = Address{0x8040},
                            .frame_base = {half, nullptr},
                            .bias = 0x1000};
  context.entry_value = [](const DwarfExpression& expression) -> Result<std::uint64_t> {
    return expression.code.size();
  };
  (void)evaluate_number({code, nullptr}, context);
  if (const auto pieces = evaluate_location({code, nullptr}, context))
    (void)read_pieces(*pieces, 256, context);
}

}  // namespace
}  // namespace cgo

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  cgo::evaluate(std::as_bytes(std::span(data, size)));
  return 0;
}
