#pragma once

#include "lldb-plugin/python_api.h"

namespace cgo {

// Functions of the native module for lldb_cgo.heap(): a snapshot is kept by a capsule, and its
// blocks are given out some at a time.

/// heap_take(debugger, process) → (capsule, problems), or a text that says why there is none.
PyObject* py_heap_take(PyObject* self, PyObject* arguments);
// The last two give None once the process ran since.

/// heap_about(capsule) → JSON: how many blocks there are, and the totals of lldb-cgo/heap/1.
PyObject* py_heap_about(PyObject* self, PyObject* arguments);
/// heap_blocks(capsule, begin, count, leaks) → (next, JSON of at most so many blocks from the one
/// with the number `begin` on; `leaks`: of those that are lost alone).
PyObject* py_heap_blocks(PyObject* self, PyObject* arguments);

}  // namespace cgo
