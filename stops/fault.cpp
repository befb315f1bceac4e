#include "stops/fault.h"

#include <algorithm>
#include <csignal>

#include "stops/forbidden_access.h"

namespace cgo {
namespace {

// Source: Intel SDM volume 3, 6.15 (vectors, error code of page faults).
constexpr std::uint64_t kGeneralProtection = 13, kPageFault = 14;
/// Handlers within handlers: more than any program has.
constexpr std::size_t kMostFaults = 16;

bool is_of_memory(int number) { return number == SIGSEGV || number == SIGBUS; }

Fault::Access access_of(const SignalContext& context, Address fault_address) {
  // What the kernel notes of page faults is of the last one, which it may have served itself.
  if (context.trap != kPageFault || context.page_fault_address != fault_address)
    return Fault::Access::unknown;
  return access_of_page_fault(context);
}

Fault fault_in(const PhysicalFrame& frame, std::size_t index, int number, int code,
               std::optional<Address> address) {
  Fault fault{.number = number,
              .code = code,
              .pc = frame.registers.pc(),
              .sp = frame.registers.sp(),
              .frame = index};
  (is_of_memory(number) ? fault.address : fault.instruction) = address;
  if (fault.address == fault.pc) fault.access = Fault::Access::execute;
  return fault;
}

void add_context(Fault& fault, const SignalContext& context) {
  fault.alternate = context.alternate;
  fault.protection = context.trap == kGeneralProtection && !fault.address;
  if (fault.address && fault.access == Fault::Access::unknown)
    fault.access = access_of(context, *fault.address);
}

}  // namespace

std::optional<Fault> handled_fault(const Debuggee& debuggee, const PhysicalFrame& interrupted,
                                   std::size_t index, Address ucontext) {
  const auto context = signal_context(debuggee.memory(), ucontext);
  auto signal = signal_behind(debuggee.memory(), ucontext);
  if ((!signal || !is_fault(signal->number, signal->code)) && context)
    signal = page_fault_in(debuggee, interrupted.registers, *context);
  if (!signal || !is_fault(signal->number, signal->code)) return std::nullopt;
  Fault fault = fault_in(interrupted, index, signal->number, signal->code, signal->fault_address);
  if (context) add_context(fault, *context);
  return fault;
}

std::vector<Fault> faults_of(const Walk& walk, const Debuggee& debuggee,
                             const std::optional<SignalDetails>& now) {
  std::vector<Fault> faults;
  const auto frame_at = [&](std::size_t index) {
    return index < walk.elements.size() ? std::get_if<PhysicalFrame>(&walk.elements[index])
                                        : nullptr;
  };
  if (const PhysicalFrame* innermost = frame_at(0); innermost != nullptr && now)
    if (is_fault(now->number, now->code))
      faults.push_back(fault_in(*innermost, 0, now->number, now->code, now->fault_address));
  for (std::size_t i = 0; i < walk.elements.size() && faults.size() < kMostFaults; ++i) {
    const PhysicalFrame* trampoline = frame_at(i);
    const PhysicalFrame* interrupted = frame_at(i + 1);
    if (trampoline == nullptr || trampoline->crossing != Crossing::signal) continue;
    if (interrupted == nullptr) continue;
    auto fault = handled_fault(debuggee, *interrupted, i + 1, trampoline->registers.sp());
    if (!fault) continue;
    if (frame_at(i - 1) != nullptr) fault->handler = i - 1;
    faults.push_back(*fault);
  }
  std::reverse(faults.begin(), faults.end());
  return faults;
}

}  // namespace cgo
