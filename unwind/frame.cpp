#include "unwind/frame.h"

namespace cgo {

const char* format_stop_reason(StopReason reason) {
  switch (reason) {
    case StopReason::goroutine_entry: return "goroutine_entry";
    case StopReason::thread_entry: return "thread_entry";
    case StopReason::no_rule: return "no_rule";
    case StopReason::no_progress: return "no_progress";
    case StopReason::bad_memory: return "bad_memory";
    case StopReason::frame_limit: return "frame_limit";
  }
  return "no_rule";
}

}  // namespace cgo
