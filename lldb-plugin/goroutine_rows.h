#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "lldb-plugin/stack_collection.h"

namespace cgo {

/// One line of `cgo goroutines`. Texts live as long as the stop's program.
struct GoroutineRow {
  std::uint64_t id = 0;
  std::string state;
  std::optional<std::string> wait_reason;
  std::optional<std::int64_t> wait_ns;  ///< At least this long.
  std::optional<ThreadInfo> thread;
  struct Creator {
    std::string_view function;
    std::string_view file;
    std::uint32_t line = 0;
    Address pc;
    std::optional<std::uint64_t> goroutine;
  };
  std::optional<Creator> created_by;
  std::optional<Frame>
      user_frame;  ///< The innermost one that is neither plumbing nor the runtime's.
  std::size_t user_frame_number = 0;
  bool locked_to_thread = false;
  Stack stack;
};

/// The row of a thread's or a parked goroutine; nothing for a thread that runs none.
std::optional<GoroutineRow> goroutine_row(const Stop& stop, const StackOwner& owner);

/// One object of lldb-cgo/goroutines/1, appended.
void append_row_json(std::string& out, const GoroutineRow& row);
/// One line for people, with a newline.
std::string format_row(const GoroutineRow& row, bool colour);

}  // namespace cgo
