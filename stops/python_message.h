#pragma once

#include <optional>
#include <string>

#include "stops/python_objects.h"
#include "stops/python_runtime.h"

namespace cgo {

/// str(exception) of an exception of type `type`: of the object where it is made (`made`), else of
/// the value it is to be made of, which may be null. Nothing where a call would be needed to tell.
std::optional<std::string> python_message(const PythonObjects& objects, const PythonRuntime& python,
                                          const PythonType& type, Address value, bool made);

}  // namespace cgo
