#include "lldb-plugin/lldb_system_calls.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <charconv>

#include "lldb-plugin/local_process.h"
#include "target/process_memory.h"

namespace cgo {
namespace {

/// Below the stack pointer leaf functions of C keep data. Source: System V ABI amd64, 3.2.2.
constexpr std::uint64_t kRedZoneBytes = 128;
constexpr std::uint64_t kScratchBytes = 64;
constexpr std::uint64_t kInstructionBytes = 2;  // 0f 05

// Source: Linux arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/signal-defs.h.
constexpr std::uint64_t kRtSigprocmask = 14, kSetMask = 2, kMaskBytes = 8;
constexpr std::int64_t kMostErrno = 4095;

constexpr std::array kArgumentRegisters{"rdi", "rsi", "rdx", "r10"};

Error refused(std::uint64_t tid, std::string why) {
  return {ErrorCode::unsupported, fmt::format("thread {} {}", tid, why)};
}

/// Of lldb-server's "T13thread:…"; 0 in any other answer.
int signal_in(std::string_view stopped) {
  int number = 0;
  if (stopped.size() < 3 || stopped[0] != 'T') return 0;
  std::from_chars(stopped.data() + 1, stopped.data() + 3, number, 16);
  return number;
}

}  // namespace

/// A thread while it makes calls: what has to be put back.
struct LldbSystemCalls::Borrowed {
  std::uint64_t tid = 0;
  Address instruction;
  Address scratch;
  std::vector<std::byte> bytes;  ///< What `scratch` held.
  std::string registers;         ///< The number lldb-server keeps them by.
  bool masked = false;
  std::uint64_t mask = 0;
  std::optional<int> signal;  ///< That came in place of a call.
};

std::int32_t LldbSystemCalls::pid() const { return *session_.debuggee().local_pid(); }

Result<std::vector<std::byte>> LldbSystemCalls::read(Address at, std::uint64_t bytes) const {
  return read_bytes(ProcessMemory(pid()), at, bytes);
}

/// Where breakpoints are, the instruction is another one: read past LLDB, which would hide that.
bool LldbSystemCalls::is_syscall_instruction(Address at) const {
  const auto code = read(at, kInstructionBytes);
  return code && code->at(0) == std::byte{0x0f} && code->at(1) == std::byte{0x05};
}

Result<void> LldbSystemCalls::process_allows() {
  if (session_.debuggee().arch().name != "amd64")
    return Error{ErrorCode::unsupported, "calls are made on amd64 only"};
  if (!session_.debuggee().local_pid())
    return Error{ErrorCode::unsupported, "the process does not run on this machine"};
  return {};
}

/// A signal that a thread is stopped for goes on to its handler with all that the kernel told of
/// it, and that would be lost.
Result<void> LldbSystemCalls::stop_allows(std::uint64_t tid) {
  lldb::SBThread thread = process_.GetThreadByID(tid);
  if (!thread.IsValid()) return refused(tid, "is gone");
  switch (thread.GetStopReason()) {
    case lldb::eStopReasonNone:
    case lldb::eStopReasonTrace:
    case lldb::eStopReasonBreakpoint:
    case lldb::eStopReasonWatchpoint:
    case lldb::eStopReasonPlanComplete:
      return {};
    case lldb::eStopReasonSignal:
      if (thread.GetStopReasonDataCount() > 0 && (thread.GetStopReasonDataAtIndex(0) == SIGSTOP ||
                                                  thread.GetStopReasonDataAtIndex(0) == SIGTRAP))
        return {};
      return refused(tid, "is about to handle a signal");
    default:
      return refused(tid, "stopped for a reason after which it cannot make calls");
  }
}

Result<void> LldbSystemCalls::signals_allow(std::uint64_t tid) {
  auto signals = local_thread_signals(pid(), static_cast<pid_t>(tid));
  if (!signals) return std::move(signals).error();
  if (!signals->pending || !signals->process_pending || !signals->blocked)
    return refused(tid, "has signals that /proc does not tell of");
  const SignalSet waiting{(signals->pending->bits | signals->process_pending->bits) &
                          ~signals->blocked->bits};
  if (waiting.bits != 0)
    return refused(tid, "is about to get " + format_signals(waiting) + ", which waits for it");
  // For the end of a step the kernel forces SIGTRAP on the thread, and where that is blocked or
  // ignored it takes the process's handler away first. Source: Linux kernel/signal.c,
  // force_sig_info_to_task.
  if (signals->blocked->contains(SIGTRAP) || !signals->ignored ||
      signals->ignored->contains(SIGTRAP))
    return refused(tid, "blocks or ignores SIGTRAP, so that a step would change what SIGTRAP does");
  return thread_may_call(pid(), static_cast<pid_t>(tid));
}

/// The instruction a thread waits in, in a system call.
std::optional<Address> LldbSystemCalls::instruction(std::uint64_t tid) const {
  const auto registers = session_.debuggee().registers(tid);
  if (!registers) return std::nullopt;
  const auto before = checked_sub(registers->pc(), kInstructionBytes);
  if (!before || !is_syscall_instruction(*before)) return std::nullopt;
  return before;
}

/// In a system call, or in code of Go: elsewhere the thread may be within a restartable sequence
/// (rseq), which the kernel aborts when it finds the thread outside of it.
Result<void> LldbSystemCalls::place_allows(std::uint64_t tid) {
  if (const auto at = instruction(tid)) {
    instruction_ = at;
    return {};
  }
  const auto registers = session_.debuggee().registers(tid);
  if (!registers) return registers.error();
  auto stop = session_.stop();
  if (!stop) return std::move(stop).error();
  if ((*stop)->program->runtimes.at(registers->pc()) == nullptr)
    return refused(tid, "runs code of C, and is in no system call");
  for (const ThreadInfo& other : session_.debuggee().threads())
    if (!instruction_) instruction_ = instruction(other.tid);
  if (!instruction_) return refused(tid, "is in no system call, nor is any other");
  return {};
}

Result<Address> LldbSystemCalls::scratch_of(std::uint64_t tid) const {
  const auto registers = session_.debuggee().registers(tid);
  if (!registers) return registers.error();
  const auto at = checked_sub(registers->sp(), kRedZoneBytes + kScratchBytes);
  const Address scratch{at.value_or(Address{}).value & ~(kScratchBytes - 1)};
  const MappingList* mappings = session_.debuggee().mappings();
  const Mapping* mapping = mappings == nullptr ? nullptr : mappings->find(scratch);
  if (mapping == nullptr || !mapping->writable || !mapping->readable)
    return refused(tid, "has no room on its stack");
  return scratch;
}

Result<void> LldbSystemCalls::possible(std::uint64_t tid) {
  if (auto done = process_allows(); !done) return done;
  if (auto done = stop_allows(tid); !done) return done;
  if (auto done = signals_allow(tid); !done) return done;
  if (auto done = place_allows(tid); !done) return done;
  if (auto scratch = scratch_of(tid); !scratch) return std::move(scratch).error();
  return {};
}

/// With a signal that lldb-server passes by itself the thread would enter its handler.
Result<void> LldbSystemCalls::pass_signals(bool as_lldb_wants) {
  std::string packet = "QPassSignals:";
  lldb::SBUnixSignals signals = process_.GetUnixSignals();
  for (std::int32_t i = 0; as_lldb_wants && i < signals.GetNumSignals(); ++i) {
    const std::int32_t number = signals.GetSignalAtIndex(i);
    if (signals.GetShouldSuppress(number) || signals.GetShouldStop(number) ||
        signals.GetShouldNotify(number))
      continue;
    packet += fmt::format("{}{:x}", packet.ends_with(':') ? "" : ";", number);
  }
  return packets_.order(packet);
}

/// One system call: its result, or -errno.
Result<std::int64_t> LldbSystemCalls::step(Borrowed& thread, std::uint64_t number,
                                           std::span<const std::uint64_t> arguments) {
  const auto set = [&](const char* name, std::uint64_t value) {
    return packets_.write_register(thread.tid, name, value);
  };
  if (auto done = set("rip", thread.instruction.value); !done) return std::move(done).error();
  if (auto done = set("rax", number); !done) return std::move(done).error();
  for (std::size_t i = 0; i < arguments.size(); ++i)
    if (auto done = set(kArgumentRegisters[i], arguments[i]); !done) return std::move(done).error();
  auto stopped = packets_.send(fmt::format("vCont;s:{:x}", thread.tid));
  if (!stopped) return std::move(stopped).error();
  const int signal = signal_in(*stopped);
  auto pc = packets_.read_register(thread.tid, "rip");
  if (!pc) return std::move(pc).error();
  if (signal != SIGTRAP && *pc == thread.instruction.value) {
    thread.signal = signal;
    return refused(thread.tid, "got " + signal_name(signal) + " at that very moment; ask again");
  }
  if (signal != SIGTRAP || *pc != thread.instruction.value + kInstructionBytes)
    return refused(thread.tid,
                   fmt::format("did not make the call: {} at {}", stopped->substr(0, 3), hex(*pc)));
  auto result = packets_.read_register(thread.tid, "rax");
  if (!result) return std::move(result).error();
  return static_cast<std::int64_t>(*result);
}

/// With registers and memory saved.
Result<SystemCalls::Answers> LldbSystemCalls::make_on(Borrowed& thread,
                                                      const std::vector<Call>& calls) {
  const Address old_mask = wrapping_add(thread.scratch, kMaskBytes);
  const SignalSet all_but_sigtrap{~(std::uint64_t{1} << (SIGTRAP - 1))};
  const auto all = std::as_bytes(std::span(&all_but_sigtrap.bits, 1));
  if (auto done = packets_.write_memory(thread.scratch, all); !done) return std::move(done).error();
  const std::array block{kSetMask, thread.scratch.value, old_mask.value, kMaskBytes};
  auto blocked = step(thread, kRtSigprocmask, block);
  if (!blocked) return std::move(blocked).error();
  if (*blocked != 0) return refused(thread.tid, "could not block signals");
  auto mask = read_unsigned<std::uint64_t>(ProcessMemory(pid()), old_mask);
  if (!mask) return std::move(mask).error();
  thread.masked = true;
  thread.mask = *mask;
  Answers out;
  for (const Call& call : calls) {
    const std::vector<std::byte> zeros(call.result_bytes);
    if (auto done = packets_.write_memory(thread.scratch, zeros); !done)
      return std::move(done).error();
    auto arguments = call.arguments;
    arguments.at(call.result_argument) = thread.scratch.value;
    auto result = step(thread, call.number, arguments);
    if (!result) return std::move(result).error();
    if (*result < 0 && *result >= -kMostErrno)
      out.push_back(Error{ErrorCode::io_failure,
                          fmt::format("system call {} gives errno {}", call.number, -*result)});
    else
      out.push_back(read(thread.scratch, call.result_bytes));
  }
  return out;
}

/// Everything that can be is put back, whatever of it fails.
Result<void> LldbSystemCalls::give_back(Borrowed& thread) {
  std::optional<Error> problem;
  const auto keep = [&](const char* what, Result<void> done) {
    if (!done && !problem) problem = std::move(done).error().in(what);
  };
  if (thread.masked) {
    const auto bytes = std::as_bytes(std::span(&thread.mask, 1));
    keep("the mask of the thread", packets_.write_memory(thread.scratch, bytes));
    const std::array unblock{kSetMask, thread.scratch.value, std::uint64_t{0}, kMaskBytes};
    const auto done = step(thread, kRtSigprocmask, unblock);
    if (!done || *done != 0)
      keep("the mask of the thread", done ? refused(thread.tid, "did not take it") : done.error());
  }
  keep("the thread's stack", packets_.write_memory(thread.scratch, thread.bytes));
  keep("the thread's registers", packets_.restore_registers(thread.tid, thread.registers));
  keep("the signals that lldb-server passes", pass_signals(true));
  // Taken from the thread's queue, it would get lost.
  if (thread.signal) syscall(SYS_tgkill, pid(), static_cast<pid_t>(thread.tid), *thread.signal);
  if (problem) return std::move(*problem).in("could not be put back");
  return {};
}

Result<SystemCalls::Answers> LldbSystemCalls::make(std::uint64_t tid,
                                                   const std::vector<Call>& calls) {
  for (const Call& call : calls) assert(call.result_bytes <= kScratchBytes);
  if (auto done = possible(tid); !done) return std::move(done).error();
  auto scratch = scratch_of(tid);
  if (!scratch) return std::move(scratch).error();
  Borrowed thread{
      .tid = tid, .instruction = instruction(tid).value_or(*instruction_), .scratch = *scratch};
  auto bytes = read(thread.scratch, kScratchBytes);
  if (!bytes) return std::move(bytes).error();
  thread.bytes = *std::move(bytes);
  auto saved = packets_.save_registers(tid);
  if (!saved) return std::move(saved).error();
  thread.registers = *std::move(saved);
  if (auto done = pass_signals(false); !done) return std::move(done).error();
  // What waited for the moment when signals are no more passed by themselves.
  auto answers =
      signals_allow(tid) ? make_on(thread, calls) : Result<Answers>(signals_allow(tid).error());
  auto put_back = give_back(thread);
  if (!put_back) return std::move(put_back).error();
  return answers;
}

}  // namespace cgo
