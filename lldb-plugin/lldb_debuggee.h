#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <lldb/API/LLDB.h>

#include "lldb-plugin/process_memory.h"
#include "target/debuggee.h"

namespace cgo {

/// One stop of a process that LLDB has. Registers are asked from LLDB once a thread and kept; what
/// asks LLDB may run on the command's thread only, so call `fetch_threads` before several threads
/// use this.
class LldbDebuggee final : public Debuggee {
 public:
  LldbDebuggee(lldb::SBProcess process, std::shared_ptr<const ImageMap> images,
               ProcessMemory memory, const ArchInfo& arch);

  const ArchInfo& arch() const override { return arch_; }
  bool is_core() const override { return is_core_; }
  const MemoryReader& memory() const override { return *memory_.reader; }
  const ImageMap& images() const override { return *images_; }
  std::vector<ThreadInfo> threads() const override;
  Result<Registers> registers(std::uint64_t tid) const override;
  Result<Address> thread_pointer(std::uint64_t tid) const override;
  bool executable(Address address) const override;

  /// Reads the registers of all threads, so that nothing below asks LLDB any more.
  void fetch_threads() const;
  /// Takes the registers of a thread from its innermost frame instead of asking the thread for it:
  /// inside a frame provider a thread must not be asked for frames.
  void take_registers(std::uint64_t tid, lldb::SBFrame innermost) const;
  bool has_registers(std::uint64_t tid) const;

 private:
  struct ThreadRegisters {
    Registers general;
    std::optional<Address> thread_pointer;
  };
  Result<ThreadRegisters> thread_registers(std::uint64_t tid) const;
  ThreadRegisters read_registers(lldb::SBFrame frame) const;

  mutable lldb::SBProcess process_;
  std::shared_ptr<const ImageMap> images_;
  ProcessMemory memory_;
  const ArchInfo& arch_;
  bool is_core_;
  mutable std::mutex mutex_;  // Guards all below.
  mutable std::map<std::uint64_t, ThreadRegisters> registers_;
  mutable std::vector<std::pair<AddressRange, bool>> regions_;
  mutable std::optional<std::vector<ThreadInfo>> threads_;
  mutable bool all_fetched_ = false;
};

/// Facts of a process that every layer asks about.
bool is_core_process(lldb::SBProcess process);
/// The row for the target's CPU, or unsupported with its name.
Result<const ArchInfo*> arch_of(lldb::SBTarget target);

}  // namespace cgo
