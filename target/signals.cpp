#include "target/signals.h"

#include <array>
#include <charconv>
#include <utility>

namespace cgo {
namespace {

/// Source: Linux arch/x86/include/uapi/asm/signal.h.
constexpr std::array<std::string_view, 32> kNames{
    "",          "SIGHUP",  "SIGINT",    "SIGQUIT", "SIGILL",   "SIGTRAP", "SIGABRT", "SIGBUS",
    "SIGFPE",    "SIGKILL", "SIGUSR1",   "SIGSEGV", "SIGUSR2",  "SIGPIPE", "SIGALRM", "SIGTERM",
    "SIGSTKFLT", "SIGCHLD", "SIGCONT",   "SIGSTOP", "SIGTSTP",  "SIGTTIN", "SIGTTOU", "SIGURG",
    "SIGXCPU",   "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO",   "SIGPWR",  "SIGSYS"};
/// The first that glibc gives to programs.
constexpr int kFirstRealTime = 34;

constexpr std::pair<std::uint64_t, std::string_view> kFlags[] = {
    {0x1, "SA_NOCLDSTOP"},       {0x2, "SA_NOCLDWAIT"},        {0x4, "SA_SIGINFO"},
    {0x400, "SA_UNSUPPORTED"},   {0x800, "SA_EXPOSE_TAGBITS"}, {0x04000000, "SA_RESTORER"},
    {0x08000000, "SA_ONSTACK"},  {0x10000000, "SA_RESTART"},   {0x40000000, "SA_NODEFER"},
    {0x80000000, "SA_RESETHAND"}};

/// Three and more real-time signals in a row are told by the first and the last.
std::string joined(const std::vector<int>& numbers) {
  std::string out;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    out += (out.empty() ? "" : ", ") + signal_name(numbers[i]);
    std::size_t last = i;
    while (last + 1 < numbers.size() && numbers[last + 1] == numbers[last] + 1) ++last;
    if (numbers[i] < kFirstRealTime || last < i + 2) continue;
    out += " to " + signal_name(numbers[last]);
    i = last;
  }
  return out;
}

std::optional<SignalSet> set_in(std::string_view text) {
  SignalSet set;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), set.bits, 16);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return set;
}

/// Whether the union in siginfo_t holds the address of a fault for this signal.
/// Source: signal(7); sigaction(2), "The siginfo_t argument to a SA_SIGINFO handler".
bool has_fault_address(int signal) {
  constexpr std::array kFaults{4 /* ILL */, 5 /* TRAP */, 7 /* BUS */, 8 /* FPE */, 11 /* SEGV */};
  return std::find(kFaults.begin(), kFaults.end(), signal) != kFaults.end();
}

}  // namespace

std::string signal_name(int number) {
  if (number > 0 && number < static_cast<int>(kNames.size())) return std::string(kNames[number]);
  if (number == kFirstRealTime) return "SIGRTMIN";
  if (number > kFirstRealTime && number <= kMostSignals)
    return "SIGRTMIN+" + std::to_string(number - kFirstRealTime);
  return "signal " + std::to_string(number);
}

std::vector<int> signals_in(SignalSet set) {
  std::vector<int> out;
  for (int number = 1; number <= kMostSignals; ++number)
    if (set.contains(number)) out.push_back(number);
  return out;
}

std::string format_signals(SignalSet set) {
  if (set.bits == 0) return "none";
  const SignalSet left{SignalSet::blockable().bits & ~set.bits};
  if (left.bits == 0) return "all";
  constexpr std::size_t kFew = 12;
  const std::vector<int> without = signals_in(left);
  if (without.size() <= kFew) return "all but " + joined(without);
  return joined(signals_in(set));
}

Result<SignalAction> decode_signal_action(ByteView bytes) {
  const auto handler = load<std::uint64_t>(bytes, 0), flags = load<std::uint64_t>(bytes, 8),
             restorer = load<std::uint64_t>(bytes, 16), mask = load<std::uint64_t>(bytes, 24);
  if (!handler || !flags || !restorer || !mask)
    return Error{ErrorCode::malformed_data,
                 "a struct sigaction has 32 bytes, not " + std::to_string(bytes.size())};
  return SignalAction{{*handler}, *flags, {*restorer}, {*mask}};
}

Result<SignalAction> decode_libc_signal_action(ByteView bytes) {
  // The handler, a mask of 1024 bits, the flags as an int.
  constexpr std::uint64_t kMask = 8, kFlagsAt = 136;
  const auto handler = load<std::uint64_t>(bytes, 0), mask = load<std::uint64_t>(bytes, kMask);
  const auto flags = load<std::uint32_t>(bytes, kFlagsAt);
  if (!handler || !mask || !flags)
    return Error{
        ErrorCode::malformed_data,
        "a struct sigaction of the C library has 152 bytes, not " + std::to_string(bytes.size())};
  return SignalAction{{*handler}, *flags, {}, {*mask}};
}

std::vector<std::string> signal_action_flags(std::uint64_t flags) {
  std::vector<std::string> out;
  for (const auto& [bit, name] : kFlags) {
    if ((flags & bit) == 0) continue;
    out.emplace_back(name);
    flags &= ~bit;
  }
  if (flags != 0) out.push_back(hex(flags));
  return out;
}

Result<AlternateStack> decode_alternate_stack(ByteView bytes) {
  const auto base = load<std::uint64_t>(bytes, 0);
  const auto flags = load<std::uint32_t>(bytes, 8);
  const auto size = load<std::uint64_t>(bytes, 16);
  if (!base || !flags || !size)
    return Error{ErrorCode::malformed_data,
                 "a stack_t has 24 bytes, not " + std::to_string(bytes.size())};
  return AlternateStack{{*base}, *size, *flags};
}

ThreadSignals parse_status_signals(std::string_view status) {
  ThreadSignals out;
  const std::pair<std::string_view, std::optional<SignalSet>*> keys[] = {
      {"SigPnd:\t", &out.pending},
      {"ShdPnd:\t", &out.process_pending},
      {"SigBlk:\t", &out.blocked},
      {"SigIgn:\t", &out.ignored},
      {"SigCgt:\t", &out.caught}};
  while (!status.empty()) {
    const std::string_view line = status.substr(0, status.find('\n'));
    status.remove_prefix(std::min(line.size() + 1, status.size()));
    for (const auto& [key, value] : keys)
      if (line.starts_with(key)) *value = set_in(line.substr(key.size()));
  }
  return out;
}

std::optional<SignalDetails> decode_signal_details(ByteView bytes) {
  const auto number = load<std::int32_t>(bytes, 0);
  const auto code = load<std::int32_t>(bytes, 8);
  const auto address = load<std::uint64_t>(bytes, 16);
  const auto pid = load<std::uint32_t>(bytes, 16);
  if (!number || !code || !address || !pid) return std::nullopt;
  constexpr int kKernel = 0x80;  // SI_KERNEL: raised by the kernel, but no address is given.
  SignalDetails details{.number = *number, .code = *code};
  if (*code > 0 && *code != kKernel && has_fault_address(*number))
    details.fault_address = Address{*address};
  if (*code <= 0) details.sender_pid = *pid;
  return details;
}

}  // namespace cgo
