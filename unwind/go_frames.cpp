#include "unwind/go_frames.h"

namespace cgo {

Result<GoStep> step_go(const MemoryReader& memory, std::uint32_t frame_bytes,
                       const Registers& registers) {
  const ArchInfo& arch = registers.arch();
  const auto cfa =
      checked_add(registers.sp(), std::uint64_t{frame_bytes} + arch.return_address_bytes);
  if (!cfa)
    return Error{ErrorCode::malformed_data, "the frame wraps the address space", registers.sp()};
  auto return_pc = read_pointer(memory, {cfa->value - arch.pointer_bytes});
  if (!return_pc) return std::move(return_pc).error().in("return address");

  GoStep step{.caller = Registers(arch), .cfa = *cfa};
  step.caller.set_pc(*return_pc);
  step.caller.set_sp(*cfa);
  if (frame_bytes >= arch.pointer_bytes) {
    auto saved = read_pointer(memory, {cfa->value - 2 * arch.pointer_bytes});
    if (!saved) return std::move(saved).error().in("saved frame pointer");
    step.caller.set_fp(*saved);
  } else if (const auto fp = registers.fp()) {
    step.caller.set_fp(*fp);
  }
  return step;
}

}  // namespace cgo
