// Exceptions of Python that are pending when a crossing returns to Go.
#include "lldb-plugin/crossing_visit.h"
#include "lldb-plugin/frame_registers.h"
#include "unwind/format.h"

namespace cgo {

const Result<PythonRuntime>* CrossingBreakpoint::Visit::python() {
  if (self_.of_python_ != stop_->program) {
    self_.python_ = find_python(memory_, *stop_->program->images);
    self_.of_python_ = stop_->program;
  }
  const Result<PythonRuntime>& found = *self_.python_;
  return !found && found.error().code == ErrorCode::not_found ? nullptr : &found;
}

bool CrossingBreakpoint::Visit::python_is_pending() {
  const Result<PythonRuntime>* runtime = python();
  if (runtime == nullptr || !*runtime) return false;
  const auto thread_pointer = register_of(frame_, "fs_base");
  if (!thread_pointer) return false;
  return python_exception_is_pending(memory_, **runtime, {*thread_pointer}).value_or(false);
}

void CrossingBreakpoint::Visit::read_python() {
  if (!to_c()) return;
  const Result<PythonRuntime>* runtime = python();
  if (runtime == nullptr) return;
  const auto thread_pointer = register_of(frame_, "fs_base");
  auto pending = !*runtime        ? Result<std::optional<PythonException>>(runtime->error())
                 : thread_pointer ? pending_python_exception(memory_, **runtime, {*thread_pointer})
                                  : Error{ErrorCode::not_found, "the thread pointer is not known"};
  if (!pending) {
    moment_.no_python = pending.error().message;
    // A stop says it each time, a log once.
    if (request_.with_python && self_.failed_++ == 0 && request_.log)
      text += "cgo break: Python's exceptions are not known: " + escaped(moment_.no_python) + "\n";
    return;
  }
  moment_.python = *std::move(pending);
  moment_.python_before = moment_.python && entered_ && entered_->python_pending;
}

}  // namespace cgo
