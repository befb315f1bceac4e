#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "stops/python_runtime.h"

namespace cgo {

/// An exception of Python that waits for somebody to look at it (PyErr_Occurred).
struct PythonException {
  std::string type;  ///< As tracebacks write it: "ValueError".
  /// str(exception), where that is known without a call: not for types with a __str__ of their own,
  /// nor for arguments that are no plain text. Cut after kMostMessage characters, with "…".
  std::optional<std::string> message;
  // The innermost entry of its traceback; empty and 0 where it has none.
  std::string file, function;
  std::uint32_t line = 0;

  static constexpr std::size_t kMostMessage = 300;
};

/// What is pending on the thread whose thread pointer this is; nothing where nothing is. Fails
/// where that cannot be told.
Result<std::optional<PythonException>> pending_python_exception(const MemoryReader& memory,
                                                                const PythonRuntime& python,
                                                                Address thread_pointer);
/// Whether there is one, without what it is.
Result<bool> python_exception_is_pending(const MemoryReader& memory, const PythonRuntime& python,
                                         Address thread_pointer);

/// "ValueError: bad thing (x.py:12 in f)".
std::string python_exception_text(const PythonException& exception);

}  // namespace cgo
