#pragma once

#include <lldb/API/LLDB.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "lldb-plugin/session.h"

namespace cgo {

/// A breakpoint of LLDB's that this plugin places and decides about. Works on any process of its
/// target; what it counted belongs to the last one. Its public methods lock.
class TargetBreakpoint {
 public:
  virtual ~TargetBreakpoint() = default;

  /// File addresses in a module that LLDB has loaded. Called for every module there is and comes.
  virtual std::vector<std::uint64_t> addresses(lldb::SBModule module) = 0;

  /// What an arrival comes to.
  struct Outcome {
    bool stops = false;
    std::string text;   ///< What the user is to read.
    std::string event;  ///< For a script, a line of JSON for each; empty where nothing is to tell.
  };
  /// A thread is at one of them. The text has been written to the debugger then, and a thread that
  /// stops is the selected one.
  Outcome arrived(Sessions& sessions, lldb::SBFrame frame, lldb::SBBreakpointLocation location);

  /// From now on every arrival stops, and counts for nothing: a process that comes by all the time
  /// could not be stopped otherwise, as LLDB takes each arrival for the stop that it waits for.
  void end() { ended_ = true; }

  /// The text of `breakpoint list`: what it is, and how often what came.
  virtual std::string summary() = 0;

 protected:
  /// A thread at a location, and what can be read there.
  struct Visited {
    lldb::SBFrame frame;
    lldb::SBBreakpointLocation location;
    std::shared_ptr<const Stop> stop;

    lldb::SBThread thread() const { return lldb::SBFrame(frame).GetThread(); }
  };
  /// What it means. Called with everything locked.
  virtual Outcome decide(const Visited& at) = 0;
  /// Forgets what belongs to another process than process().
  virtual void begin_process() = 0;
  lldb::SBProcess process() const { return process_; }

  mutable std::mutex mutex_;

 private:
  std::atomic<bool> ended_{false};
  lldb::SBProcess process_;
};

/// The stack that a thread is on.
StackOwner owner_of(lldb::SBThread thread);

/// Writes to a debugger's output.
void say(lldb::SBDebugger debugger, const std::string& text);

/// The breakpoints of this debugger process, by a number of their own. Thread-safe.
class TargetBreakpoints {
 public:
  std::uint64_t add(std::shared_ptr<TargetBreakpoint> breakpoint);
  std::shared_ptr<TargetBreakpoint> find(std::uint64_t number) const;
  void remove(std::uint64_t number);
  /// LLDB's number for it in a target.
  void belongs_to(std::uint64_t number, lldb::SBTarget target, lldb::break_id_t id);
  std::shared_ptr<TargetBreakpoint> of_lldb(lldb::SBTarget target, lldb::break_id_t id) const;

 private:
  struct Known {
    std::shared_ptr<TargetBreakpoint> breakpoint;
    lldb::SBTarget target;
    lldb::break_id_t id = LLDB_INVALID_BREAK_ID;
  };
  mutable std::mutex mutex_;
  std::uint64_t next_ = 1;
  std::map<std::uint64_t, Known> all_;
};

}  // namespace cgo
