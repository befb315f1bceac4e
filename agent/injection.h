#pragma once
// The agent in a process that runs: its functions take the place of the program's malloc and so on
// in the slots of all loaded files, and give it back.

#include <cstdint>

#include "agent/hooks.h"
#include "agent/next_operators.h"

namespace cgo::agent {

/// What a debugger gets from the two functions below, where it is no number of slots.
enum InjectionResult : long {
  kPreloaded = -1,  ///< It was loaded at the start: the program's calls come here anyway.
  kCannotStart = -2,
  kOwnMalloc = -3,  ///< The program has malloc in its own file, and calls it directly.
  kNoMalloc = -4,
};

/// A function that a program may call, and the agent's in its place.
struct Replacement {
  const char* name;
  void* ours;
  std::uint64_t theirs;  ///< 0: the program has none.
};

enum Function : unsigned {
  kMalloc,
  kFree,
  kCalloc,
  kRealloc,
  kReallocarray,
  kMemalign,
  kAlignedAlloc,
  kPosixMemalign,
  kValloc,
  kPvalloc,
  kUsableSize,
  kDlclose,
  kFunctions
};
extern Replacement functions[kFunctions];
/// In the order of NewForm, then of DeleteForm.
inline constexpr unsigned kOperators = unsigned{kNewForms} + unsigned{kDeleteForms};
extern Replacement operators[kOperators];

}  // namespace cgo::agent

/// Called by a debugger in the process, where nobody is within malloc or the loader. Begins to
/// record, with `options` as in LLDB_CGO_AGENT; the number of slots that lead to the agent now.
CGO_HOOK long lldb_cgo_agent_inject(const char* options);
/// Ends recording and gives all slots back; the number of those that were.
CGO_HOOK long lldb_cgo_agent_remove();
