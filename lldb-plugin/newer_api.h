#pragma once

#include <lldb/API/LLDB.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace cgo {

/// Calls of LLDB's API that LLDB 19 does not have, looked up by name when they are needed. Each
/// says what happens where the running LLDB lacks it.
class NewerApi {
 public:
  /// Whether this LLDB lets a script provide stack frames (22 and later).
  static bool has_frame_providers();
  /// The provider's number; 0 with `error` set when refused or when there are no frame providers.
  static std::uint32_t register_frame_provider(lldb::SBTarget target, const char* class_name,
                                               lldb::SBStructuredData arguments,
                                               lldb::SBError& error);
  /// A number no other target of this debugger process ever has; 0 before LLDB 22.
  static std::uint64_t target_number(lldb::SBTarget target);
  /// Whether a frame provider made the frame. False in an LLDB without them.
  static bool is_synthetic(const lldb::SBFrame& frame);
  static void remove_frame_provider(lldb::SBTarget target, std::uint32_t id);
  /// Whether a scripted breakpoint resolver is asked (`was_hit`) whether an arrival is one, before
  /// conditions, counts and commands (22 and later).
  static bool asks_resolvers_at_hits();
};

/// Holds a target's API lock (LLDB 20 and later; nothing before).
class TargetLock {
 public:
  explicit TargetLock(lldb::SBTarget target);
  /// Gives up after `patience`: who has the lock may be waiting for this very thread.
  TargetLock(lldb::SBTarget target, std::chrono::milliseconds patience);
  ~TargetLock();
  bool held() const { return held_; }
  TargetLock(const TargetLock&) = delete;
  TargetLock& operator=(const TargetLock&) = delete;

 private:
  bool find_mutex(lldb::SBTarget target);

  alignas(std::max_align_t) unsigned char mutex_[sizeof(lldb::SBMutex)];
  bool found_ = false;  // mutex_ was made.
  bool held_ = false;
};

/// Reports progress through LLDB's own events (LLDB 20 and later; nothing before).
class LldbProgress {
 public:
  LldbProgress(const char* title, std::uint64_t total, lldb::SBDebugger& debugger);
  ~LldbProgress();
  LldbProgress(const LldbProgress&) = delete;
  LldbProgress& operator=(const LldbProgress&) = delete;
  void advance(std::uint64_t amount);

 private:
  alignas(std::max_align_t) unsigned char progress_[sizeof(lldb::SBProgress)];
  bool made_ = false;
};

}  // namespace cgo
