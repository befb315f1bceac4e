#pragma once

#include <cstdint>
#include <optional>

namespace cgo {

/// Where CPython keeps what is read here, in bytes; of builds without Py_DEBUG, with a GIL, for
/// 64-bit machines. What is the same in all releases stands beside its reader.
struct PythonLayout {
  unsigned minor = 0;  ///< Of 3.minor.
  // _PyRuntimeState
  std::uint64_t interpreters_head = 0;
  std::optional<std::uint64_t> current_thread;  ///< gilstate.tstate_current, up to 3.11.
  // PyInterpreterState
  std::uint64_t interpreter_next = 0, threads_head = 0;
  // PyThreadState
  std::uint64_t thread_id = 0;
  /// From 3.12 one exception object; before, three words: type, value, traceback.
  std::uint64_t exception = 0;
  std::optional<std::uint64_t> status;  ///< From 3.12: whether a thread has attached it.
  // PyHeapTypeObject
  std::uint64_t qualname = 0;
  // PyASCIIObject, PyCompactUnicodeObject: where their characters begin.
  std::uint64_t ascii_data = 0, compact_data = 0;
  // PyBaseExceptionObject, and where the fields of what is derived from it begin.
  std::uint64_t traceback = 0, own_fields = 0;
  // PyFrameObject: its code, or the inner frame that has it at `inner_code`.
  std::uint64_t frame = 0;
  std::optional<std::uint64_t> inner_code;
  // PyCodeObject
  std::uint64_t filename = 0, name = 0, first_line = 0;
  std::optional<std::uint64_t> line_table;  ///< In the form of 3.11 and newer.
  // PyDictKeysObject
  std::uint64_t keys_used = 0, keys_indices = 0;
  bool keys_have_kinds = false;  ///< Entries without a hash, for keys that are all texts.
  bool long_has_tag = false;     ///< The form of integers of 3.12 and newer.

  bool three_words() const { return !status.has_value(); }
};

/// The row of CPython 3.`minor`, or null. Source: offsetof in programs made with the headers of
/// 3.9.2, 3.10.8, 3.11.3, 3.12.1 and 3.13.5 for linux/amd64. Each row is held against a process
/// with that release by the integration tests.
const PythonLayout* python_layout_for(unsigned major, unsigned minor);

}  // namespace cgo
