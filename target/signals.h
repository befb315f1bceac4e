#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "target/address.h"
#include "target/byte_view.h"
#include "target/result.h"

namespace cgo {

// Signals as the Linux kernel numbers and keeps them on amd64. Knows no Go.

/// Signals are 1 to 64.
constexpr int kMostSignals = 64;

/// "SIGSEGV", "SIGRTMIN+3", "signal 32" (the C library keeps 32 and 33 to itself), as `kill -l`.
std::string signal_name(int number);

/// A set of signals as the kernel has it: signal n is bit n - 1.
struct SignalSet {
  std::uint64_t bits = 0;

  bool contains(int number) const {
    return number >= 1 && number <= kMostSignals && (bits >> (number - 1) & 1) != 0;
  }
  /// What a mask can block: all but SIGKILL and SIGSTOP.
  static constexpr SignalSet blockable() { return {~(std::uint64_t{1} << 8 | 1ull << 18)}; }
  friend bool operator==(SignalSet, SignalSet) = default;
};

/// "none", "all", "all but SIGSEGV, SIGBUS", "SIGUSR1, SIGRTMIN+1 to SIGRTMIN+9". SIGKILL and
/// SIGSTOP, which nothing can block, do not count for "all".
std::string format_signals(SignalSet set);
std::vector<int> signals_in(SignalSet set);

/// A signal as the kernel described it to the process (siginfo_t).
struct SignalDetails {
  int number = 0;
  int code = 0;  ///< si_code; above 0 the kernel raised it for a fault.
  std::optional<Address>
      fault_address;  ///< SIGILL, SIGTRAP, SIGFPE, SIGSEGV, SIGBUS by the kernel.
  std::optional<std::uint32_t> sender_pid;  ///< Of kill, tgkill and sigqueue.
};

/// The first bytes of a siginfo_t; at least kSiginfoBytes, else nothing.
/// Source: Linux include/uapi/asm-generic/siginfo.h.
constexpr std::size_t kSiginfoBytes = 24;
std::optional<SignalDetails> decode_signal_details(ByteView bytes);

/// struct sigaction as the kernel has it. Source: Linux include/linux/signal_types.h,
/// struct sigaction; arch/x86/include/uapi/asm/signal.h.
struct SignalAction {
  static constexpr std::uint64_t kBytes = 32, kLibcBytes = 152;
  static constexpr std::uint64_t kOnStack = 0x08000000;

  Address handler;  ///< 0 is SIG_DFL, 1 is SIG_IGN.
  std::uint64_t flags = 0;
  Address restorer;
  SignalSet mask;  ///< Blocked while the handler runs, beside the signal itself.

  bool is_default() const { return handler.value == 0; }
  bool is_ignored() const { return handler.value == 1; }
  bool has_handler() const { return handler.value > 1; }
  bool on_stack() const { return (flags & kOnStack) != 0; }
};

/// malformed_data when `bytes` is not kBytes long.
Result<SignalAction> decode_signal_action(ByteView bytes);
/// struct sigaction as the GNU C library's sigaction() takes it; its restorer is not the program's
/// to set. malformed_data when `bytes` is shorter than kLibcBytes.
Result<SignalAction> decode_libc_signal_action(ByteView bytes);
/// "SA_SIGINFO", "SA_ONSTACK" … in the order of their bits; unknown bits as one number.
std::vector<std::string> signal_action_flags(std::uint64_t flags);

/// stack_t. Source: Linux include/uapi/linux/signal.h and include/uapi/asm-generic/signal.h.
struct AlternateStack {
  static constexpr std::uint64_t kBytes = 24;

  Address base;
  std::uint64_t bytes = 0;
  std::uint32_t flags = 0;

  bool disabled() const { return (flags & 2) != 0; }  // SS_DISABLE
  bool in_use() const { return (flags & 1) != 0; }    // SS_ONSTACK
  bool disarms() const { return flags >> 31 != 0; }   // SS_AUTODISARM
  AddressRange range() const { return {base, wrapping_add(base, bytes)}; }
};

/// malformed_data when `bytes` is not kBytes long.
Result<AlternateStack> decode_alternate_stack(ByteView bytes);

/// What the kernel tells of the signals of a thread without a call in its process. Each part is
/// there where the source has it.
struct ThreadSignals {
  std::optional<SignalSet> blocked;
  std::optional<SignalSet> pending;          ///< For this thread alone.
  std::optional<SignalSet> process_pending;  ///< For any thread of the process.
  std::optional<SignalSet> caught;           ///< That have a handler; of the whole process.
  std::optional<SignalSet> ignored;          ///< That are ignored by SIG_IGN; of the whole process.
};

/// From the text of /proc/PID/task/TID/status; keys that are missing or damaged are left out.
ThreadSignals parse_status_signals(std::string_view status);

}  // namespace cgo
