#include "lldb-plugin/lldb_debuggee.h"

#include <elf.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <iterator>

#include "lldb-plugin/goroutine_threads.h"
#include "lldb-plugin/local_process.h"

namespace cgo {

bool is_core_process(lldb::SBProcess process) {
  const char* plugin = process.GetPluginName();
  return plugin != nullptr &&
         (std::strstr(plugin, "core") != nullptr || std::strstr(plugin, "minidump") != nullptr);
}

Result<const ArchInfo*> arch_of(lldb::SBTarget target) {
  const char* triple = target.GetTriple();
  const std::string text = triple == nullptr ? "" : triple;
  const ArchInfo* arch = nullptr;
  if (text.starts_with("x86_64")) arch = arch_for_elf_machine(EM_X86_64);
  if (text.starts_with("aarch64") || text.starts_with("arm64"))
    arch = arch_for_elf_machine(EM_AARCH64);
  if (arch == nullptr)
    return Error{ErrorCode::unsupported, "no support for the CPU of this target (" + text + ")"};
  return arch;
}

LldbDebuggee::LldbDebuggee(lldb::SBProcess process, std::shared_ptr<const ImageMap> images,
                           StopMemory memory, const ArchInfo& arch,
                           std::shared_ptr<TakenRegisters> taken)
    : process_(process),
      images_(std::move(images)),
      memory_(std::move(memory)),
      arch_(arch),
      is_core_(is_core_process(process)),
      taken_(std::move(taken)) {
  for (const CoreThread& thread : memory_.core_threads)
    registers_.emplace(thread.tid, ThreadRegisters{thread.registers, thread.thread_pointer});
}

/// What rules for the innermost frame refer to. In C that is what calls preserve, and on amd64 r10
/// (the frame address while C realigns a stack); in Go, which preserves nothing, rdx and r12 (the
/// old stack while Go switches to another).
bool LldbDebuggee::unwinding_needs(const ArchInfo& arch, unsigned dwarf, Wanted wanted) {
  constexpr unsigned kRdx = 1, kR10 = 10, kR12 = 12;
  if (wanted == Wanted::all) return true;
  if (dwarf == arch.dwarf_pc || dwarf == arch.dwarf_sp || dwarf == arch.dwarf_fp) return true;
  if (wanted == Wanted::few) return false;
  const bool amd64 = arch.name == "amd64";
  if (wanted == Wanted::for_go && amd64) return dwarf == kRdx || dwarf == kR12;
  if (amd64 && (dwarf == kRdx || dwarf == kR10)) return true;
  return std::find(arch.callee_saved.begin(), arch.callee_saved.end(), dwarf) !=
         arch.callee_saved.end();
}

// LLDB is never asked with the lock held: it may answer by making a list of frames, which comes
// back here with registers, on this thread or on another.

std::vector<ThreadInfo> LldbDebuggee::threads() const {
  {
    const std::lock_guard lock(mutex_);
    if (threads_) return *threads_;
  }
  std::vector<ThreadInfo> threads;
  for (std::uint32_t i = 0; i < process_.GetNumThreads(); ++i) {
    lldb::SBThread thread = process_.GetThreadAtIndex(i);
    ThreadInfo info;
    info.tid = thread.GetThreadID();
    if (goroutine_of_tid(info.tid)) continue;  // A goroutine that is shown as a thread.
    info.index = thread.GetIndexID();
    if (const char* name = thread.GetName()) info.name = name;
    if (thread.GetStopReason() == lldb::eStopReasonSignal && thread.GetStopReasonDataCount() > 0)
      if (const auto signal = static_cast<int>(thread.GetStopReasonDataAtIndex(0)); signal != 0)
        info.signal = signal;
    threads.push_back(std::move(info));
  }
  const std::lock_guard lock(mutex_);
  threads_ = threads;
  return threads;
}

ThreadRegisters LldbDebuggee::read_registers(lldb::SBFrame frame, Wanted wanted) const {
  ThreadRegisters result{Registers(arch_), std::nullopt};
  const auto value_of = [&](std::string_view name) -> std::optional<std::uint64_t> {
    lldb::SBValue value = frame.FindRegister(std::string(name).c_str());
    if (!value.IsValid()) return std::nullopt;
    // Looked for otherwise, for every register at every step.
    value.SetPreferSyntheticValue(false);
    value.SetPreferDynamicValue(lldb::eNoDynamicValues);
    lldb::SBError error;
    const std::uint64_t number = value.GetValueAsUnsigned(error);
    if (error.Fail()) return std::nullopt;
    return number;
  };
  const auto of_frame = [&](unsigned dwarf) -> std::optional<std::uint64_t> {
    std::uint64_t value = LLDB_INVALID_ADDRESS;  // Also a value a register can have.
    if (dwarf == arch_.dwarf_pc) value = frame.GetPC();
    if (dwarf == arch_.dwarf_sp) value = frame.GetSP();
    if (dwarf == arch_.dwarf_fp) value = frame.GetFP();
    if (value != LLDB_INVALID_ADDRESS) return value;
    return value_of(arch_.register_names[dwarf]);
  };
  for (unsigned dwarf = 0; dwarf < arch_.register_names.size(); ++dwarf) {
    if (arch_.register_names[dwarf].empty() || !unwinding_needs(arch_, dwarf, wanted)) continue;
    if (const auto value = of_frame(dwarf)) result.general.set(dwarf, *value);
  }
  if (arch_.name == "amd64")
    if (const auto base = value_of("fs_base")) result.thread_pointer = Address{*base};
  return result;
}

Result<ThreadRegisters> LldbDebuggee::thread_registers(std::uint64_t tid) const {
  const auto gone = [&] {
    return Error{ErrorCode::not_found, "no registers for thread " + std::to_string(tid)};
  };
  if (taken_are_enough_ > 0)
    if (auto taken = taken_->get(tid)) return *std::move(taken);
  {
    const std::lock_guard lock(mutex_);
    const auto known = registers_.find(tid);
    if (known != registers_.end()) return known->second;
    if (all_fetched_) return gone();
  }
  lldb::SBThread thread = process_.GetThreadByID(tid);
  if (!thread.IsValid()) return gone();
  lldb::SBFrame frame = thread.GetFrameAtIndex(0);
  if (!frame.IsValid()) return gone();
  ThreadRegisters registers = read_registers(frame, Wanted::all);
  // After an expression was evaluated, a thread that LLDB makes anew for goroutine threads has the
  // registers of the function it called; the frame was made before.
  lldb::SBValue pc = frame.FindRegister(arch_.register_names[arch_.dwarf_pc].data());
  if (pc.IsValid() && pc.GetValueAsUnsigned() != frame.GetPC())
    return Error{ErrorCode::malformed_data,
                 "LLDB has two program counters for thread " + std::to_string(tid) + ", " +
                     hex(Address{pc.GetValueAsUnsigned()}) + " and " + hex(Address{frame.GetPC()}) +
                     ": its registers are those of a function that an expression called; let the "
                     "process run or step to have them read again"};
  const std::lock_guard lock(mutex_);
  return registers_.insert_or_assign(tid, std::move(registers)).first->second;
}

void LldbDebuggee::fetch_threads() const {
  for (const ThreadInfo& thread : threads()) (void)thread_registers(thread.tid);
  (void)stop_signal(0);  // Asks for all.
  const std::lock_guard lock(mutex_);
  all_fetched_ = true;
}

void LldbDebuggee::take_registers(std::uint64_t tid, lldb::SBFrame innermost, bool in_go) const {
  if (is_core_ && has_registers(tid)) return;  // They never change.
  taken_->put(tid, read_registers(innermost, in_go ? Wanted::for_go : Wanted::for_c));
}

void LldbDebuggee::take_few_registers(std::uint64_t tid, lldb::SBFrame innermost) const {
  if (is_core_ && has_registers(tid)) return;
  taken_->put(tid, read_registers(innermost, Wanted::few));
}

void LldbDebuggee::take_basic_registers(std::uint64_t tid, lldb::SBFrame innermost) const {
  if (innermost.GetPC() == LLDB_INVALID_ADDRESS) return;
  ThreadRegisters registers{Registers(arch_), std::nullopt};
  registers.general.set_pc(Address{innermost.GetPC()});
  registers.general.set_sp(Address{innermost.GetSP()});
  registers.general.set_fp(Address{innermost.GetFP()});
  taken_->put(tid, std::move(registers));
}

bool LldbDebuggee::has_registers(std::uint64_t tid) const {
  if (taken_->get(tid)) return true;
  const std::lock_guard lock(mutex_);
  return registers_.contains(tid);
}

Result<Registers> LldbDebuggee::registers(std::uint64_t tid) const {
  auto all = thread_registers(tid);
  if (!all) return std::move(all).error();
  // Zero is one: where a null function pointer led.
  if (!all->general.get(arch_.dwarf_pc))
    return Error{ErrorCode::not_found, "thread " + std::to_string(tid) + " has no program counter"};
  return all->general;
}

Result<Address> LldbDebuggee::thread_pointer(std::uint64_t tid) const {
  auto all = thread_registers(tid);
  if (!all) return std::move(all).error();
  if (!all->thread_pointer)
    return Error{ErrorCode::not_found,
                 "the thread pointer of thread " + std::to_string(tid) + " is not known"};
  return *all->thread_pointer;
}

Result<ThreadSignals> LldbDebuggee::signals(std::uint64_t tid) const {
  for (const CoreThread& thread : memory_.core_threads)
    if (thread.tid == tid) return known_signals(thread);
  if (!memory_.local_pid)
    return Error{ErrorCode::unsupported,
                 is_core_ ? "LLDB does not tell which signals threads of this core block"
                          : "the process does not run on this machine, whose /proc would tell"};
  return local_thread_signals(*memory_.local_pid, static_cast<pid_t>(tid));
}

/// Asks LLDB's server what the kernel says of threads that stopped for a fault; others have nothing
/// to say here.
std::map<std::uint64_t, SignalDetails> LldbDebuggee::ask_faults() const {
  constexpr int kFaults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};
  std::map<std::uint64_t, SignalDetails> faults;
  for (const ThreadInfo& one : threads()) {
    if (!one.signal || std::ranges::find(kFaults, *one.signal) == std::end(kFaults)) continue;
    lldb::SBThread thread = process_.GetThreadByID(one.tid);
    if (!thread.IsValid()) continue;
    lldb::SBData data = thread.GetSiginfo().GetData();
    std::array<std::byte, kSiginfoBytes> bytes{};
    lldb::SBError error;
    if (data.ReadRawData(error, 0, bytes.data(), bytes.size()) != bytes.size()) continue;
    const auto details = decode_signal_details(bytes);
    // What the server has may be of another stop.
    if (details && details->number == *one.signal) faults.emplace(one.tid, *details);
  }
  return faults;
}

std::optional<SignalDetails> LldbDebuggee::stop_signal(std::uint64_t tid) const {
  for (const CoreThread& thread : memory_.core_threads)
    if (thread.tid == tid) return thread.details;
  if (is_core_) return std::nullopt;
  std::unique_lock lock(mutex_);
  if (!faults_) {
    lock.unlock();
    auto faults = ask_faults();
    lock.lock();
    faults_ = std::move(faults);
  }
  const auto found = faults_->find(tid);
  if (found == faults_->end()) return std::nullopt;
  return found->second;
}

std::optional<bool> LldbDebuggee::started_secure() const {
  return memory_.local_pid ? local_started_secure(*memory_.local_pid) : std::nullopt;
}

std::vector<KernelWord> LldbDebuggee::kernel_words() const {
  return memory_.local_pid ? local_kernel_words(*memory_.local_pid) : std::vector<KernelWord>();
}

std::optional<std::uint64_t> LldbDebuggee::stack_limit() const {
  return memory_.local_pid ? local_stack_limit(*memory_.local_pid) : std::nullopt;
}

bool LldbDebuggee::executable(Address address) const {
  if (images_->find(address) != nullptr) return images_->executable(address);
  if (memory_.mappings) {
    const MappingList* list = mappings();
    const Mapping* mapping = list == nullptr ? nullptr : list->find(address);
    return mapping != nullptr && mapping->executable;
  }
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [range, executable] : regions_)
      if (range.contains(address)) return executable;
  }
  lldb::SBMemoryRegionInfo info;
  if (process_.GetMemoryRegionInfo(address.value, info).Fail()) return false;
  const AddressRange range{{info.GetRegionBase()}, {info.GetRegionEnd()}};
  const bool executable = info.IsMapped() && info.IsExecutable();
  const std::lock_guard lock(mutex_);
  if (range.contains(address)) regions_.emplace_back(range, executable);
  return executable;
}

}  // namespace cgo
