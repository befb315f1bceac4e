#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "goruntime/goroutine.h"
#include "goruntime/pclntab.h"
#include "target/debuggee.h"
#include "target/dwarf.h"
#include "target/registers.h"
#include "target/result.h"
#include "unwind/code_address.h"
#include "unwind/recursion.h"

namespace cgo {

/// "go", "c", "c++", "asm", "unknown": the words of the JSON schema.
const char* format_language(Language language);

/// How control came to the segment whose outermost frame carries this.
enum class Crossing : std::uint8_t { none, go_to_c, c_to_go, signal, system_stack };

/// "go_to_c" …: the words of the JSON schema; null for none.
const char* format_crossing(Crossing crossing);

/// exact: unwound by rule from a verified frame. guess: no rule exists; always marked for the user.
enum class Certainty : std::uint8_t { exact, guess };

/// One call on a physical stack, before it is put into source terms.
struct PhysicalFrame {
  CodeAddress pc;
  Registers registers;           ///< As at `pc`; only those that could be recovered.
  Address cfa;                   ///< 0 when the walk ended here.
  std::optional<GoFunction> go;  ///< Set for Go code.
  Crossing crossing = Crossing::none;
  Certainty certainty = Certainty::exact;
  const char* rule = "";  ///< How the step from here outward was made; static text, for --raw.
};

/// A place where frames existed but cannot be read any more.
struct Gap {
  std::string why;
};

enum class StopReason : std::uint8_t {
  goroutine_entry,
  thread_entry,
  no_rule,
  no_progress,
  bad_memory,
  frame_limit,
};

/// "goroutine_entry" …: the words of the JSON schema.
const char* format_stop_reason(StopReason reason);

/// Which frames of a long stack are kept: so many innermost ones, and so many outermost ones with a
/// gap between the two. Without outermost ones the walk ends at the innermost, with frame_limit.
struct WalkLimit {
  std::size_t innermost = 5'000;
  std::size_t outermost = 5'000;
};

/// A stack as walked: innermost first. `elements` is valid whatever `stop` says.
struct Walk {
  std::vector<std::variant<PhysicalFrame, Gap>> elements;
  StopReason stop = StopReason::no_rule;
  std::optional<Error> error;  ///< Why, when not complete.
  Recursion recursion;         ///< Of all frames that were walked.

  bool complete() const {
    return stop == StopReason::goroutine_entry || stop == StopReason::thread_entry;
  }
};

/// One line of a stack as people read it. The texts live as long as the Symbolizer that made it, so
/// that the stacks of 100,000 goroutines share them.
struct Frame {
  Language language = Language::unknown;
  std::string_view function;  ///< Empty when nothing is known of the pc.
  std::string_view module;    ///< File name of the image, without its folder.
  CodeAddress pc;
  Address sp;
  Address cfa;
  std::string_view file;
  std::uint32_t line = 0;
  bool inlined = false;
  bool tail_call = false;  ///< Reconstructed from call-site entries; it has no frame of its own.
  bool plumbing = false;   ///< Only carries the crossing or a signal; text hides it without --raw.
  Crossing crossing = Crossing::none;
  Certainty certainty = Certainty::exact;
  const char* rule = "";     ///< How it was unwound; for --raw.
  std::size_t physical = 0;  ///< Index into Walk::elements of the frame it was made from.
};

using StackElement = std::variant<Frame, Gap>;

/// The goroutine a stack belongs to, in words.
struct GoroutineSummary {
  std::uint64_t id = 0;
  std::string state;
  std::optional<std::string> wait_reason;
};

/// One true stack: what `cgo bt` shows and lldb-cgo/stacks/1 describes.
struct Stack {
  /// What is known of a fault on it, for people (whole lines) and for scripts (a JSON value).
  struct Remark {
    std::string text, json;
  };
  std::optional<ThreadInfo> thread;
  std::optional<GoroutineSummary> goroutine;
  std::optional<std::string> note;  ///< Why there is no goroutine, for instance.
  std::optional<Remark> fault;
  std::vector<StackElement> elements;
  StopReason end = StopReason::no_rule;
  std::optional<Error> error;

  bool complete() const {
    return end == StopReason::goroutine_entry || end == StopReason::thread_entry;
  }
};

}  // namespace cgo
