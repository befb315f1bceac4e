#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "lldb-plugin/command_context.h"
#include "lldb-plugin/stack_collection.h"
#include "values/frame_variables.h"
#include "values/program_context.h"

namespace cgo {

/// Where a command looks at values: a frame of a stack of a stop, and what reads them there.
struct ValuePlace {
  std::shared_ptr<const Stop> stop;
  CollectedStack collected;
  std::vector<std::size_t> elements;  ///< Of each frame number, as `cgo bt` numbers them.
  std::size_t number = 0;             ///< The frame's.
  std::unique_ptr<const ProgramContext> context;

  const Frame& frame() const { return std::get<Frame>(collected.stack.elements[elements[number]]); }
  bool has_frame() const { return number < elements.size(); }
  /// not_found where there is no debug information for the frame.
  Result<std::vector<FrameVariable>> variables() const;
};

/// The place that --goroutine, --thread and --frame name; without them what is selected, or else
/// the innermost frame that is not plumbing. A stack without frames is a place too.
struct FoundPlace {
  std::optional<ValuePlace> place;
  std::optional<Failure> failure;
};
FoundPlace find_value_place(CommandContext& context, const CommandLine& line);

}  // namespace cgo
