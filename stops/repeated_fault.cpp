#include "stops/repeated_fault.h"

#include <algorithm>
#include <csignal>
#include <vector>

#include "stops/forbidden_access.h"
#include "target/byte_view.h"
#include "unwind/call_check.h"
#include "unwind/signal_frame.h"
#include "unwind/stack_switch.h"

namespace cgo {
namespace {

// The kernel's frame of a signal lies at the end of the stack that the handler runs on, or below
// the red zone: the vector registers, at most 11 KiB with AMX, and below them the ucontext.
// Source: Linux arch/x86/kernel/signal.c, get_sigframe.
constexpr std::uint64_t kWindow = 16384, kRedZone = 128;
// Source: Linux arch/x86/include/uapi/asm/sigcontext.h, struct sigcontext_64, behind 40 bytes.
constexpr std::uint64_t kSavedSp = 160, kSavedPc = 168, kContextBytes = 304;
constexpr unsigned kGeneralRegisters = 17;  // rax to r15 and rip, by DWARF's numbers.

bool same_registers(const Registers& saved, const Registers& now) {
  for (unsigned number = 0; number < kGeneralRegisters; ++number)
    if (!saved.get(number) || saved.get(number) != now.get(number)) return false;
  return true;
}

/// The ucontext of a handler that has been left, with the thread's registers in it.
std::optional<Address> left_context(const MemoryReader& memory, AddressRange window,
                                    const Registers& now) {
  std::vector<std::byte> bytes(window.bytes());
  if (!memory.read(window.begin, bytes)) return std::nullopt;
  const ByteView all(bytes);
  for (std::uint64_t at = 8; at + kContextBytes <= all.size(); at += 8) {
    if (load<std::uint64_t>(all, at + kSavedPc) != now.pc().value ||
        load<std::uint64_t>(all, at + kSavedSp) != now.sp().value)
      continue;
    const Address ucontext{window.begin.value + at};
    const auto returns_to = load<std::uint64_t>(all, at - 8);
    if (!returns_to || !is_signal_return(memory, {*returns_to})) continue;
    const auto saved = registers_from_ucontext(memory, now.arch(), ucontext);
    if (saved && same_registers(*saved, now)) return ucontext;
  }
  return std::nullopt;
}

std::optional<AddressRange> below_red_zone(Address sp) {
  if (sp.value < kRedZone + kWindow) return std::nullopt;
  const std::uint64_t end = (sp.value - kRedZone) & ~std::uint64_t{7};
  return AddressRange{{end - kWindow}, {end}};
}

std::optional<Address> left_context(const MemoryReader& memory, const Registers& now,
                                    std::span<const AddressRange> signal_stacks) {
  for (const AddressRange stack : signal_stacks) {
    const std::uint64_t bytes = std::min(stack.bytes(), kWindow);
    if (stack.contains(now.sp()) || bytes < kContextBytes) continue;
    if (const auto found = left_context(memory, {{stack.end.value - bytes}, stack.end}, now))
      return found;
  }
  const auto below = below_red_zone(now.sp());
  return below ? left_context(memory, *below, now) : std::nullopt;
}

bool will_fault_again(const Debuggee& debuggee, const Registers& registers, const Fault& fault) {
  // The kernel names the instruction.
  if (fault.number == SIGFPE || fault.number == SIGILL) return fault.instruction == registers.pc();
  return fault.address &&
         makes_forbidden_access(debuggee, registers, fault.number, *fault.address, fault.access);
}

}  // namespace

std::optional<Fault> repeated_fault(const Debuggee& debuggee, const PhysicalFrame& innermost,
                                    const std::optional<SignalDetails>& now,
                                    std::span<const AddressRange> signal_stacks) {
  if (&debuggee.arch() != &kAmd64) return std::nullopt;
  const MemoryReader& memory = debuggee.memory();
  const Registers& registers = innermost.registers;
  const auto context = left_context(memory, registers, signal_stacks);
  auto out = context ? handled_fault(debuggee, innermost, 0, *context) : std::nullopt;
  if (!out || !will_fault_again(debuggee, registers, *out)) return std::nullopt;
  if (now && is_fault(now->number, now->code) && now->number != out->number) return std::nullopt;
  out->repeats = true;
  return out;
}

}  // namespace cgo
