#include "stops/forbidden_access.h"

#include <algorithm>
#include <array>
#include <csignal>

#include "crossings/accessed_memory.h"
#include "target/byte_view.h"

namespace cgo {
namespace {

// Source: Intel SDM volume 3, 6.15 (vectors, error code of page faults).
constexpr std::uint64_t kPageFault = 14, kWrite = 2, kFetch = 16;
// Source: Linux include/uapi/asm-generic/siginfo.h.
constexpr int kMapError = 1, kAccessError = 2;
constexpr std::size_t kMostInstructionBytes = 15;

bool allows(const Mapping& mapping, Fault::Access access) {
  switch (access) {
    case Fault::Access::read:
      return mapping.readable;
    case Fault::Access::write:
      return mapping.writable;
    case Fault::Access::execute:
      return mapping.executable;
    case Fault::Access::unknown:
      return mapping.readable || mapping.writable || mapping.executable;
  }
  return true;
}

bool forbidden(const Debuggee& debuggee, int signal, Address address, Fault::Access access) {
  std::array<std::byte, 1> byte{};
  // The page of a file that is not there any more.
  if (signal == SIGBUS) return !debuggee.memory().read(address, byte);
  if (debuggee.mappings() == nullptr) return false;
  const Mapping* there = debuggee.mappings()->find(address);
  return there == nullptr || !allows(*there, access);
}

bool accesses(const MemoryReader& memory, const Registers& registers, Address address) {
  std::array<std::byte, kMostInstructionBytes> code{};
  std::size_t bytes = code.size();
  while (bytes > 0 && !memory.read(registers.pc(), std::span(code).first(bytes))) --bytes;
  const auto accessed = accessed_memory_amd64(ByteView(code).first(bytes), registers);
  return accessed && std::ranges::any_of(*accessed, [&](const AccessedMemory& one) {
           return one.contains(address);
         });
}

}  // namespace

bool makes_forbidden_access(const Debuggee& debuggee, const Registers& registers, int signal,
                            Address address, Fault::Access access) {
  if (&debuggee.arch() != &kAmd64 || !forbidden(debuggee, signal, address, access)) return false;
  if (access == Fault::Access::execute) return address == registers.pc();
  return accesses(debuggee.memory(), registers, address);
}

Fault::Access access_of_page_fault(const SignalContext& context) {
  if ((context.error & kFetch) != 0) return Fault::Access::execute;
  return (context.error & kWrite) != 0 ? Fault::Access::write : Fault::Access::read;
}

std::optional<HandledSignal> page_fault_in(const Debuggee& debuggee, const Registers& interrupted,
                                           const SignalContext& context) {
  // Without the flag another signal came between two instructions, and the rest is older.
  if (context.trap != kPageFault || !context.resumes()) return std::nullopt;
  const Address address = context.page_fault_address;
  if (!makes_forbidden_access(debuggee, interrupted, SIGSEGV, address,
                              access_of_page_fault(context)))
    return std::nullopt;
  const bool mapped = debuggee.mappings()->find(address) != nullptr;
  return HandledSignal{SIGSEGV, mapped ? kAccessError : kMapError, address};
}

}  // namespace cgo
