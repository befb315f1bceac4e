#pragma once

#include <lldb/API/LLDB.h>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "lldb-plugin/memory_access.h"
#include "target/debuggee.h"

namespace cgo {

/// What LLDB tells of a thread.
struct ThreadRegisters {
  Registers general;
  std::optional<Address> thread_pointer;
};

/// Registers that frame providers took from the innermost frames LLDB showed them. They stay true
/// for as long as LLDB keeps its list of the thread's frames, which can outlive what is a stop here
/// (an evaluated expression is one); a new list begins by taking them anew. Thread-safe.
class TakenRegisters {
 public:
  void put(std::uint64_t tid, ThreadRegisters registers) {
    const std::lock_guard lock(mutex_);
    registers_.insert_or_assign(tid, std::move(registers));
  }
  std::optional<ThreadRegisters> get(std::uint64_t tid) const {
    const std::lock_guard lock(mutex_);
    const auto found = registers_.find(tid);
    if (found == registers_.end()) return std::nullopt;
    return found->second;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::uint64_t, ThreadRegisters> registers_;
};

/// One stop of a process that LLDB has. Registers are asked from LLDB once a thread and kept; what
/// asks LLDB may run on the command's thread only, so call `fetch_threads` before several threads
/// use this.
class LldbDebuggee final : public Debuggee {
 public:
  /// `taken` is the process's, kept from stop to stop.
  LldbDebuggee(lldb::SBProcess process, std::shared_ptr<const ImageMap> images, StopMemory memory,
               const ArchInfo& arch, std::shared_ptr<TakenRegisters> taken);

  const ArchInfo& arch() const override { return arch_; }
  bool is_core() const override { return is_core_; }
  const MemoryReader& memory() const override { return *memory_.reader; }
  const ImageMap& images() const override { return *images_; }
  std::vector<ThreadInfo> threads() const override;
  Result<Registers> registers(std::uint64_t tid) const override;
  Result<Address> thread_pointer(std::uint64_t tid) const override;
  bool executable(Address address) const override;
  const MappingList* mappings() const override {
    return memory_.mappings ? memory_.mappings() : nullptr;
  }

  Result<ThreadSignals> signals(std::uint64_t tid) const override;
  std::optional<SignalDetails> stop_signal(std::uint64_t tid) const override;
  std::optional<std::uint64_t> stack_limit() const override;
  std::optional<bool> started_secure() const override;
  std::vector<KernelWord> kernel_words() const override;
  std::optional<std::int32_t> local_pid() const { return memory_.local_pid; }

  /// Reads the registers and faults of all threads, so that nothing below asks LLDB any more.
  void fetch_threads() const;
  /// Takes the registers of a thread that unwinding can need from its innermost frame, instead of
  /// asking the thread for the frame: a frame provider must not do that. Each one costs as much as
  /// walking some frames, so no other register is read. `in_go` says what its pc is in.
  void take_registers(std::uint64_t tid, lldb::SBFrame innermost, bool in_go) const;
  /// The same with pc, sp, frame pointer and thread pointer, with which most C code can be unwound.
  void take_few_registers(std::uint64_t tid, lldb::SBFrame innermost) const;
  /// The same with pc, sp and frame pointer only: all that can be asked once LLDB has put the frame
  /// into a list that is being made. Unwinding mostly needs no more.
  void take_basic_registers(std::uint64_t tid, lldb::SBFrame innermost) const;
  bool has_registers(std::uint64_t tid) const;

  /// While one of these lives, taken registers are good enough and LLDB is not asked for frames.
  class TakenAreEnough {
   public:
    explicit TakenAreEnough(const LldbDebuggee& debuggee) : debuggee_(debuggee) {
      ++debuggee_.taken_are_enough_;
    }
    ~TakenAreEnough() { --debuggee_.taken_are_enough_; }
    TakenAreEnough(const TakenAreEnough&) = delete;
    TakenAreEnough& operator=(const TakenAreEnough&) = delete;

   private:
    const LldbDebuggee& debuggee_;
  };

 private:
  Result<ThreadRegisters> thread_registers(std::uint64_t tid) const;
  std::map<std::uint64_t, SignalDetails> ask_faults() const;
  enum class Wanted : std::uint8_t { all, for_c, for_go, few };
  ThreadRegisters read_registers(lldb::SBFrame frame, Wanted wanted) const;
  static bool unwinding_needs(const ArchInfo& arch, unsigned dwarf, Wanted wanted);

  mutable lldb::SBProcess process_;
  std::shared_ptr<const ImageMap> images_;
  StopMemory memory_;
  const ArchInfo& arch_;
  bool is_core_;
  std::shared_ptr<TakenRegisters> taken_;
  mutable std::mutex mutex_;                                    // Guards all below.
  mutable std::map<std::uint64_t, ThreadRegisters> registers_;  // All of them, by tid.
  mutable std::vector<std::pair<AddressRange, bool>> regions_;
  mutable std::optional<std::vector<ThreadInfo>> threads_;
  mutable std::optional<std::map<std::uint64_t, SignalDetails>> faults_;  // By tid.
  mutable bool all_fetched_ = false;
  mutable std::atomic<int> taken_are_enough_ = 0;
};

/// Facts of a process that every layer asks about.
bool is_core_process(lldb::SBProcess process);
/// The row for the target's CPU, or unsupported with its name.
Result<const ArchInfo*> arch_of(lldb::SBTarget target);

}  // namespace cgo
