#pragma once

#include <optional>
#include <string>
#include <vector>

#include "stops/python_layout.h"
#include "target/image.h"
#include "target/memory_reader.h"

namespace cgo {

/// A CPython that is loaded in a process.
struct PythonRuntime {
  std::string version;  ///< "3.11".
  PythonLayout layout;
  Address state;  ///< _PyRuntime.
  /// Where the pointers to the exception types are whose messages are known; 0 for one that is not.
  Address base_exception, key_error, os_error, syntax_error, import_error;
};

/// The CPython among the images, in a library or linked in. not_found where there is none;
/// unsupported, with why, for a release or build that has no layout here.
Result<PythonRuntime> find_python(const MemoryReader& memory, const ImageMap& images);

/// The PyThreadState of the thread whose thread pointer this is: the one it has attached, else the
/// only one it has. Address 0 where it has none, or Python has not been initialized;
/// malformed_data where the lists make no sense; not_found where several could be meant.
/// Source: Python/pystate.c of the releases; PyThreadState.thread_id is pthread_self.
Result<Address> python_thread(const MemoryReader& memory, const PythonRuntime& python,
                              Address thread_pointer);

}  // namespace cgo
