#pragma once

#include <lldb/API/LLDB.h>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "lldb-plugin/kept_panics.h"
#include "lldb-plugin/lldb_debuggee.h"
#include "lldb-plugin/stack_collection.h"
#include "lldb-plugin/subject.h"

namespace cgo {

/// What is known of one process of LLDB, kept from command to command.
class Session {
 public:
  explicit Session(lldb::SBProcess process) : process_(process) {}

  /// The current stop; found again only when the process ran since, or loaded a module. Fails when
  /// there is no stopped process or its CPU is not supported.
  Result<std::shared_ptr<const Stop>> stop();
  /// Forgets what was read at this stop: the user may have written memory or registers since. A
  /// core cannot be written to.
  void read_again() {
    if (stop_ && !stop_->debuggee->is_core()) stop_.reset();
  }

  /// The debuggee of the stop that stop() gave last.
  const LldbDebuggee& debuggee() const { return *debuggee_; }

  /// A stack that was walked when registers were taken, for the one who asks for it next.
  struct WalkedAhead {
    std::shared_ptr<const Stop> stop;
    std::uint64_t tid = 0;
    CollectedStack stack;
  };
  void keep_walked(std::optional<WalkedAhead> walked) { walked_ = std::move(walked); }
  std::optional<CollectedStack> take_walked(const Stop& stop, std::uint64_t tid);

  std::optional<std::size_t> selected_frame(std::uint64_t tid) const;
  void select_frame(std::uint64_t tid, std::size_t number);
  /// LLDB's own selection on a thread, as it was seen last at this stop: its frame 0 at first.
  std::uint32_t native_frame(std::uint64_t tid) const;
  void saw_native_frame(std::uint64_t tid, std::uint32_t frame) { native_[tid] = frame; }

  lldb::SBProcess process() const { return process_; }

 private:
  Result<void> refresh_program(std::uint32_t stop_id);
  bool may_know_more(std::uint32_t stop_id) const;

  lldb::SBProcess process_;
  const ArchInfo* arch_ = nullptr;
  std::optional<MemoryAccess> memory_;
  std::uint64_t generation_ = 0;                 // Of the modules that program_ was made from.
  std::uint32_t look_again_at_ = 0, looks_ = 0;  // When problems are left, and how often so far.
  std::uint32_t checked_at_ = 0, modules_then_ = 0;  // When the modules were looked at last.
  std::shared_ptr<const Program> program_;
  std::uint32_t stop_id_ = 0;
  std::shared_ptr<KeptPanics> kept_panics_ = std::make_shared<KeptPanics>();
  std::shared_ptr<TakenRegisters> taken_ = std::make_shared<TakenRegisters>();
  std::shared_ptr<const Stop> stop_;
  const LldbDebuggee* debuggee_ = nullptr;         // stop_->debuggee.
  std::map<std::uint64_t, std::size_t> selected_;  // By tid, at stop_.
  std::optional<WalkedAhead> walked_;
  std::map<std::uint64_t, std::uint32_t> native_;  // The same of LLDB's own frames.
};

/// The process LLDB has selected, as a command looks at it.
class LldbSubject final : public Subject {
 public:
  LldbSubject(std::shared_ptr<Session> session, lldb::SBThread thread)
      : session_(std::move(session)), thread_(thread) {}
  Result<std::shared_ptr<const Stop>> stop() override { return session_->stop(); }
  std::optional<std::uint64_t> selected_thread() override;
  std::optional<std::uint64_t> selected_goroutine() override;
  std::optional<std::size_t> selected_frame(std::uint64_t tid) override {
    return session_->selected_frame(tid);
  }
  Session& session() { return *session_; }
  lldb::SBThread thread() { return thread_; }

 private:
  std::shared_ptr<Session> session_;
  lldb::SBThread thread_;
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
    std::shared_ptr<Session> get() const { return session_; }

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

}  // namespace cgo
