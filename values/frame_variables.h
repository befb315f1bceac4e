#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "goruntime/go_runtime.h"
#include "target/image.h"
#include "target/variables.h"
#include "unwind/frame.h"
#include "values/datum.h"

namespace cgo {

/// A variable as one frame of a stack has it.
struct FrameVariable {
  std::string name;            ///< As written: an escaped variable of Go without its "&".
  const Type* type = nullptr;  ///< Of the variable, not of the pointer to an escaped one.
  bool parameter = false;
  bool result = false;    ///< A result parameter of a Go function.
  bool escaped = false;   ///< Go keeps it on the heap; the frame has its address.
  bool captured = false;  ///< It is held by the closure that runs.
  bool hidden = false;    ///< Made by the compiler: Go's ".dict", ".closureptr".
  unsigned depth = 0;     ///< Of its block.
  std::uint32_t declared_line = 0;
  /// Another variable of the same name is what the name means at this place.
  bool shadowed = false;
  /// Its declaration is behind the line the frame is at: it may hold anything.
  bool declared_later = false;
  /// Where or what it is; nothing when `error` says why not.
  std::optional<Datum> datum;
  std::optional<Error> error;  ///< "optimized out", "register rbx of this frame is not known", …
  /// Where the runtime keeps a parameter that debug information has lost, though it may hold
  /// anything: to be shown as that only, never computed with. `error` is set, `note` says it.
  std::optional<Datum> stale;
  std::string note;  ///< What people must know of the value: "stale: …".
};

/// A source-level frame: which physical frame of the walk, and which of the functions inlined into
/// one another there, 0 the innermost.
struct FramePosition {
  std::size_t physical = 0;
  std::size_t inline_depth = 0;
  std::size_t functions = 0;  ///< How many there are in the physical frame; 0: not known.
  std::string_view function;  ///< The name, as the stack has it.
};

/// The position of a frame among `elements` (Stack::elements). not_found for a gap and for a frame
/// that a tail call has replaced: it has nothing of its own any more.
Result<FramePosition> position_of(const std::vector<StackElement>& elements, std::size_t index);

/// What variables are read from: a walked stack of one stop and what is known of its code. All
/// must outlive the answers.
struct FrameSource {
  const MemoryReader* memory = nullptr;
  const ImageMap* images = nullptr;
  DwarfSource dwarf;
  const Walk* walk = nullptr;
};

/// The parameters and locals of a frame: parameters in order, then locals, the innermost block's
/// first. not_found where there is no debug information for the code.
Result<std::vector<FrameVariable>> frame_variables(const FrameSource& source,
                                                   FramePosition position);

/// Go has two entries for a parameter that lives on the heap: the slot it came in, which nothing
/// changes any more, and the variable. Leaves the variable, as the parameter; the slot only as long
/// as the variable is not made.
void join_escaped_parameters(std::vector<FrameVariable>& variables);

/// The variable that `name` means in the frame; not_found when it has none.
const FrameVariable* visible_variable(const std::vector<FrameVariable>& variables,
                                      std::string_view name);

}  // namespace cgo
