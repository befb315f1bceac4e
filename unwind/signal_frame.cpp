#include "unwind/signal_frame.h"

#include <array>
#include <csignal>
#include <cstring>

#include "target/byte_view.h"

namespace cgo {
namespace {

// Source: Linux, arch/x86/include/asm/sigframe.h, struct rt_sigframe: the ucontext (which ends with
// the signal mask), then the siginfo.
constexpr std::uint64_t kSiginfoBehindUcontext = 304;
// Source: Linux, include/uapi/asm-generic/ucontext.h; arch/x86/include/uapi/asm/sigcontext.h,
// struct sigcontext_64.
constexpr std::uint64_t kStackAt = 16, kFlagsAt = 176, kErrorAt = 192, kTrapAt = 200, kCr2At = 216;
constexpr std::uint64_t kContextBytes = 224;

}  // namespace

bool is_fault(int number, int code) {
  return code > 0 &&
         (number == SIGSEGV || number == SIGBUS || number == SIGFPE || number == SIGILL);
}

std::optional<HandledSignal> signal_behind(const MemoryReader& memory, Address ucontext) {
  const auto at = checked_add(ucontext, kSiginfoBehindUcontext);
  std::array<std::byte, kSiginfoBytes> bytes{};
  if (!at || !memory.read(*at, bytes)) return std::nullopt;
  const auto details = decode_signal_details(bytes);
  if (!details || details->number <= 0 || details->number > kMostSignals) return std::nullopt;
  HandledSignal signal{details->number, details->code, std::nullopt};
  if (is_fault(signal.number, signal.code)) signal.fault_address = details->fault_address;
  return signal;
}

Result<SignalContext> signal_context(const MemoryReader& memory, Address ucontext) {
  std::array<std::byte, kContextBytes> bytes{};
  if (auto done = memory.read(ucontext, bytes); !done)
    return std::move(done).error().in("the kernel's frame of a signal");
  const ByteView all(bytes);
  SignalContext out;
  auto alternate = decode_alternate_stack(all.subspan(kStackAt, AlternateStack::kBytes));
  if (!alternate) return std::move(alternate).error();
  out.alternate = *alternate;
  out.flags = load<std::uint64_t>(all, kFlagsAt).value_or(0);
  out.error = load<std::uint64_t>(all, kErrorAt).value_or(0);
  out.trap = load<std::uint64_t>(all, kTrapAt).value_or(0);
  out.page_fault_address = {load<std::uint64_t>(all, kCr2At).value_or(0)};
  return out;
}

}  // namespace cgo
