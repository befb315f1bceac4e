#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "stops/python_layout.h"
#include "target/memory_reader.h"

namespace cgo {

/// What a PyTypeObject says of the objects of its type.
struct PythonType {
  Address at;
  std::uint64_t flags = 0;
  std::string c_name;  ///< tp_name.
  Address base, dict;
  Address str, init, make;  ///< tp_str, tp_init, tp_new.

  bool on_heap() const { return flags & 1UL << 9; }
  bool is_tuple() const { return flags & 1UL << 26; }
  bool is_exception() const { return flags & 1UL << 30; }
  bool is_type() const { return flags & 1UL << 31; }
  /// Whether it is `str` itself, or `int`: what is derived from them may show itself otherwise.
  bool is_str() const { return (flags & 1UL << 28) && !on_heap() && c_name == "str"; }
  bool is_int() const { return (flags & 1UL << 24) && !on_heap() && c_name == "int"; }
};

/// A text of Python's, as UTF-8.
struct PythonText {
  std::string utf8;
  bool cut = false;  ///< Longer than what is read.
};

/// Reads objects of CPython. Nothing is called, and nothing is trusted.
class PythonObjects {
 public:
  PythonObjects(const MemoryReader& memory, const PythonLayout& layout)
      : memory_(memory), layout_(layout) {}

  Result<Address> word(Address object, std::uint64_t offset) const;
  Result<PythonType> type(Address type) const;
  Result<PythonType> type_of(Address object) const;

  /// The characters of a `str`, the first `limit`; malformed_data for another object.
  Result<PythonText> text(Address object, std::size_t limit) const;
  /// An `int` of at most 60 bits; malformed_data for another object, unsupported for a larger one.
  Result<std::int64_t> number(Address object) const;
  /// The items of a tuple, the first few; `more` says that there are others.
  struct Items {
    std::vector<Address> first;
    bool more = false;
  };
  Result<Items> items(Address tuple) const;

  /// As tracebacks write it: "ValueError", "json.decoder.JSONDecodeError".
  Result<std::string> type_name(const PythonType& type) const;

  /// The line of code object `code` at byte `lasti` of its code; not_found where it has none.
  Result<std::uint32_t> line(Address code, std::int32_t lasti) const;

 private:
  /// The value of a key of texts in a dict; address 0 where it has no such key.
  Result<Address> dict_item(Address dict, std::string_view key) const;

  const MemoryReader& memory_;
  const PythonLayout& layout_;
};

/// The line at code unit `unit` by a table of locations. Source: Objects/locations.md of CPython
/// 3.11, InternalDocs/code_objects.md of 3.13. Nothing where the table has no line there.
std::optional<std::uint32_t> line_in_table(const std::vector<std::byte>& table,
                                           std::int64_t first_line, std::uint64_t unit);

}  // namespace cgo
