#pragma once

#include <lldb/API/LLDB.h>

#include <memory>
#include <string_view>

#include "lldb-plugin/lldb_commands.h"
#include "lldb-plugin/python_api.h"

namespace cgo {

/// The module whose functions the Python modules here call.
inline constexpr const char* kNativeModule = "_lldb_cgo";

/// Python's lock, let go of while LLDB or a session is waited for: whoever holds those may want it.
class WithoutGil {
 public:
  WithoutGil() : state_(PyEval_SaveThread()) {}
  ~WithoutGil() { PyEval_RestoreThread(state_); }
  WithoutGil(const WithoutGil&) = delete;
  WithoutGil& operator=(const WithoutGil&) = delete;

 private:
  PyThreadState* state_;
};

/// The plugin that the functions of that module carry.
inline std::shared_ptr<Plugin>& plugin_behind(PyObject* capsule) {
  return *static_cast<std::shared_ptr<Plugin>*>(PyCapsule_GetPointer(capsule, kNativeModule));
}

/// The C++ object behind an object of LLDB's Python module; lives as long as that one. Null with a
/// Python error set for anything else.
template <class Object>
Object* lldb_object(PyObject* wrapper) {
  PyObject* swig = PyObject_GetAttrString(wrapper, "this");
  if (swig == nullptr) return nullptr;
  PyObject* number = PyNumber_Long(swig);
  Py_DecRef(swig);
  if (number == nullptr) return nullptr;
  void* pointer = PyLong_AsVoidPtr(number);
  Py_DecRef(number);
  return static_cast<Object*>(pointer);
}

inline PyObject* text_of(std::string_view text) {
  return PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "replace");
}

}  // namespace cgo
