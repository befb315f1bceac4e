#include "stops/fault.h"

#include <algorithm>
#include <csignal>

namespace cgo {
namespace {

// Source: Intel SDM volume 3, 6.15 (vectors, error code of page faults).
constexpr std::uint64_t kGeneralProtection = 13, kPageFault = 14;
constexpr std::uint64_t kWrite = 2, kFetch = 16;
/// Handlers within handlers: more than any program has.
constexpr std::size_t kMostFaults = 16;

bool is_of_memory(int number) { return number == SIGSEGV || number == SIGBUS; }

Fault::Access access_of(const SignalContext& context, Address fault_address) {
  // What the kernel notes of page faults is of the last one, which it may have served itself.
  if (context.trap != kPageFault || context.page_fault_address != fault_address)
    return Fault::Access::unknown;
  if ((context.error & kFetch) != 0) return Fault::Access::execute;
  return (context.error & kWrite) != 0 ? Fault::Access::write : Fault::Access::read;
}

Fault fault_in(const PhysicalFrame& frame, std::size_t index, int number, int code,
               std::optional<Address> address) {
  Fault fault{.number = number,
              .code = code,
              .pc = frame.registers.pc(),
              .sp = frame.registers.sp(),
              .frame = index};
  if (is_of_memory(number)) fault.address = address;
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

std::vector<Fault> faults_of(const Walk& walk, const MemoryReader& memory,
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
    const Address ucontext = trampoline->registers.sp();
    const auto signal = signal_behind(memory, ucontext);
    if (interrupted == nullptr || !signal || !is_fault(signal->number, signal->code)) continue;
    Fault fault =
        fault_in(*interrupted, i + 1, signal->number, signal->code, signal->fault_address);
    if (frame_at(i - 1) != nullptr) fault.handler = i - 1;
    if (const auto context = signal_context(memory, ucontext)) add_context(fault, *context);
    faults.push_back(fault);
  }
  std::reverse(faults.begin(), faults.end());
  return faults;
}

}  // namespace cgo
