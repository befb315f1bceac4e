#include "unwind/callback.h"

#include <algorithm>

#include "unwind/go_frames.h"

namespace cgo {
namespace {

/// cgocallback saves the frame pointer right below its return address and sets it there; the rest
/// of its frame lies below. Measured in Go 1.19-1.27: g0 SP = frame pointer - 0x18.
constexpr std::uint64_t kFramePointerToSp = 0x18;

std::optional<CallbackCandidate> candidate_at(const MemoryReader& memory, const GoRuntime& runtime,
                                              const SwitchSite& site, Address g0_sp) {
  Registers half = site.registers;
  half.set_sp(g0_sp);
  auto step = step_go(memory, site.frame_bytes, half);
  if (!step) return std::nullopt;
  const auto caller = runtime.function_at(step->caller.pc());
  if (!caller || caller->name != "crosscall2") return std::nullopt;
  auto next = read_pointer(memory, g0_sp);
  if (!next) return std::nullopt;
  return CallbackCandidate{.g0_sp = g0_sp,
                           .crosscall2 = {.registers = step->caller,
                                          .origin = CodeAddress::Origin::return_address,
                                          .innermost = false},
                           .next_in_chain = *next};
}

}  // namespace

Result<CallbackAnchor> callback_anchor(const MemoryReader& memory, const GoRuntime& runtime,
                                       const SwitchSite& site) {
  auto made_up = step_go(memory, site.frame_bytes, site.registers);
  if (!made_up) return std::move(made_up).error().in("cgocallback on the goroutine's stack");
  CallbackAnchor anchor{.cfa = made_up->cfa, .caller = std::nullopt};
  const auto function = runtime.function_at(made_up->caller.pc());
  if (!function)
    return Error{ErrorCode::malformed_data,
                 "cgocallback returns to " + hex(made_up->caller.pc()) + ", which is not Go code",
                 made_up->cfa};
  if (function->id == FuncId::goexit) return anchor;
  if (function->id != FuncId::systemstack_switch)
    return Error{ErrorCode::malformed_data, "cgocallback returns to " + std::string(function->name),
                 made_up->cfa};
  auto frame_bytes = function->module->frame_bytes(*function, made_up->caller.pc());
  if (!frame_bytes) return std::move(frame_bytes).error().in("systemstack_switch");
  auto outward = step_go(memory, *frame_bytes, made_up->caller);
  if (!outward) return std::move(outward).error().in("the frame that called C");
  anchor.caller = Position{.registers = outward->caller,
                           .origin = CodeAddress::Origin::return_address,
                           .innermost = false};
  return anchor;
}

std::vector<CallbackCandidate> callback_candidates(const MemoryReader& memory,
                                                   const GoRuntime& runtime,
                                                   const SwitchContext& context,
                                                   const SwitchSite& site) {
  std::vector<CallbackCandidate> found;
  const auto try_at = [&](std::optional<Address> sp) {
    if (!sp || !*sp) return;
    for (const CallbackCandidate& known : found)
      if (known.g0_sp == *sp) return;
    if (auto candidate = candidate_at(memory, runtime, site, *sp)) found.push_back(*candidate);
  };
  if (const auto fp = site.registers.fp()) try_at(checked_sub(*fp, kFramePointerToSp));
  try_at(context.callback_sp);
  return found;
}

}  // namespace cgo
