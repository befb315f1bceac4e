#include "unwind/frame.h"

namespace cgo {

const char* format_language(Language language) {
  switch (language) {
    case Language::go:
      return "go";
    case Language::c:
      return "c";
    case Language::cxx:
      return "c++";
    case Language::assembly:
      return "asm";
    case Language::unknown:
      return "unknown";
  }
  return "unknown";
}

const char* format_crossing(Crossing crossing) {
  switch (crossing) {
    case Crossing::none:
      return nullptr;
    case Crossing::go_to_c:
      return "go_to_c";
    case Crossing::c_to_go:
      return "c_to_go";
    case Crossing::signal:
      return "signal";
    case Crossing::system_stack:
      return "system_stack";
  }
  return nullptr;
}

const char* format_stop_reason(StopReason reason) {
  switch (reason) {
    case StopReason::goroutine_entry:
      return "goroutine_entry";
    case StopReason::thread_entry:
      return "thread_entry";
    case StopReason::no_rule:
      return "no_rule";
    case StopReason::no_progress:
      return "no_progress";
    case StopReason::bad_memory:
      return "bad_memory";
    case StopReason::frame_limit:
      return "frame_limit";
  }
  return "no_rule";
}

}  // namespace cgo
