#pragma once

#include <lldb/API/LLDB.h>

#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <vector>

#include "lldb-plugin/session.h"
#include "lldb-plugin/stack_collection.h"

namespace cgo {

/// A thread's stack for LLDB's own frame list.
struct NativeStack {
  std::shared_ptr<const Stop> stop;  ///< Keeps the texts of the frames.
  struct Physical {
    Address pc, cfa;
  };
  std::vector<Physical> physical;  ///< Innermost first.
  struct Element {
    std::size_t physical = 0;        ///< Index into `physical`; of the call before it for a gap.
    std::size_t from_outermost = 0;  ///< Elements of the same call outward of it.
    Frame frame;                     ///< A gap has its text as `function` and pc 0.
    bool gap = false;
  };
  std::vector<Element> elements;
  std::list<std::string> texts;  ///< Of gaps.
  bool complete = false;
};

/// Reads the registers of a thread from LLDB's frame 0 of it, for native_stack; `handed_over` says
/// that the frame already belongs to the list that is being made. Both functions may run on any
/// thread of LLDB, while it makes a list of frames, with the target's API lock held.
void take_registers(Sessions& sessions, lldb::SBProcess process, std::uint64_t tid,
                    lldb::SBFrame innermost, bool handed_over);

/// The stack to show for a thread, or nothing when LLDB's own is right as it is: a process without
/// Go, a stack without Go, registers that were not taken.
std::optional<NativeStack> native_stack(Sessions& sessions, lldb::SBProcess process,
                                        std::uint64_t tid);

/// Selects LLDB's frame for an element of a stack, if LLDB lists it.
void select_native_frame(lldb::SBThread thread, const CollectedStack& collected,
                         std::size_t element);
/// The element that LLDB's frame number `native` stands for; nothing where LLDB lists another one.
std::optional<std::size_t> element_of_native_frame(lldb::SBThread thread,
                                                   const CollectedStack& collected,
                                                   std::uint32_t native);

}  // namespace cgo
