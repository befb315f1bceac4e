#pragma once

// Python as LLDB brings it. Nothing is linked: the functions are those of the Python that liblldb
// runs, and weak, so that an LLDB without Python can still load the plugin. Only the stable ABI is
// used, so that any Python 3 since 3.8 will do.
#define Py_LIMITED_API 0x03080000
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#define CGO_WEAK_PYTHON(function) extern "C" __attribute__((weak)) decltype(function) function
CGO_WEAK_PYTHON(Py_IsInitialized);
CGO_WEAK_PYTHON(PyGILState_Ensure);
CGO_WEAK_PYTHON(PyGILState_Release);
#undef CGO_WEAK_PYTHON
