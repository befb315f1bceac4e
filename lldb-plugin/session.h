#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include <lldb/API/LLDB.h>

#include "goruntime/go_runtime.h"
#include "lldb-plugin/lldb_debuggee.h"
#include "unwind/symbolizer.h"
#include "unwind/unwinder.h"

namespace cgo {

/// What stays the same while the modules of a process do: survives stops.
struct Program {
  std::uint64_t generation = 0;
  std::uint32_t found_at_stop = 0;
  const ArchInfo* arch = nullptr;
  std::shared_ptr<const ImageMap> images;
  DwarfSource dwarf;
  GoRuntimes runtimes;
  std::unique_ptr<const Symbolizer> symbolizer;
  std::shared_ptr<UnwindCache> unwind_cache;
};

/// One stop of a process, ready to be asked.
struct Stop {
  std::uint32_t id = 0;
  std::shared_ptr<const Program> program;
  std::unique_ptr<const LldbDebuggee> debuggee;
  std::unique_ptr<const Unwinder> unwinder;
};

/// What is known of one process, kept from command to command.
class Session {
 public:
  explicit Session(lldb::SBProcess process) : process_(process) {}

  /// The current stop; found again only when the process ran since, or loaded a module. Fails when
  /// there is no stopped process or its CPU is not supported.
  Result<std::shared_ptr<const Stop>> stop();

  /// The frame of the stack that `cgo frame` selected on a thread at this stop.
  std::optional<std::size_t> selected_frame(std::uint64_t tid) const;
  void select_frame(std::uint64_t tid, std::size_t number);

  lldb::SBProcess process() const { return process_; }

 private:
  Result<std::shared_ptr<const Program>> program(std::uint32_t stop_id);

  lldb::SBProcess process_;
  std::shared_ptr<const Program> program_;
  std::shared_ptr<const Stop> stop_;
  std::map<std::uint64_t, std::size_t> selected_;  // By tid, at stop_.
};

/// The sessions of all processes LLDB has in this debugger process. Thread-safe.
class Sessions {
 public:
  /// Locked for as long as the session is used, so that a frame provider on another thread waits.
  class Use {
   public:
    Use(std::unique_lock<std::recursive_timed_mutex> lock, std::shared_ptr<Session> session)
        : lock_(std::move(lock)), session_(std::move(session)) {}
    Session* operator->() const { return session_.get(); }

   private:
    std::unique_lock<std::recursive_timed_mutex> lock_;
    std::shared_ptr<Session> session_;
  };

  Use use(lldb::SBProcess process);
  /// Nothing when another thread keeps the sessions for longer than a moment.
  std::optional<Use> try_use(lldb::SBProcess process);

 private:
  std::shared_ptr<Session> session_of(lldb::SBProcess process);
  std::recursive_timed_mutex mutex_;
  std::map<std::uint32_t, std::shared_ptr<Session>> by_process_;  // By SBProcess::GetUniqueID.
};

/// Opens debug information of images and keeps it; files of separate debug information are found
/// where LLDB would find them.
DwarfSource make_dwarf_source();

}  // namespace cgo
