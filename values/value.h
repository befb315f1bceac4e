#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "values/datum.h"
#include "values/value_context.h"

namespace cgo {

/// Values that one answer may have, whatever was asked for: what they take has to fit into memory.
inline constexpr std::uint64_t kMostValues = 2'000'000;

/// How much of a value is read. What a limit cuts is said in Value::notes.
struct ReadLimits {
  unsigned depth = 3;              ///< Levels of structures, elements and pointers.
  std::uint64_t elements = 64;     ///< Of an array, slice, map or channel.
  std::uint64_t text_bytes = 256;  ///< Of a string.
  std::uint64_t values = 20'000;   ///< In the whole tree.
  bool raw = false;                ///< Well-known types as any other, with all their fields.
  const std::function<bool()>* cancelled = nullptr;  ///< Asked while reading goes on; may be null.

  // Numbers that a user gives; brought down to what can be done.
  void set_depth(std::uint64_t wanted);
  void set_elements(std::uint64_t wanted);
  void set_text_bytes(std::uint64_t wanted);
};

/// A value as it is shown: a tree. What cannot be read has an error in its place; the rest stays.
struct Value {
  enum class Shape : std::uint8_t {
    scalar,     ///< `text` says it all.
    pointer,    ///< `text` is the address; the only child is what it points at, if that was read.
    fields,     ///< Children are fields, by name.
    elements,   ///< Children are elements, by index; `length` is how many there are.
    entries,    ///< Children are elements of a map; `keys` are their keys, in the same order.
    interface,  ///< The only child is the dynamic value; no child: nil.
  };

  std::string name;
  Datum datum;            ///< What this is about: to read on, and to compute with.
  std::string type_name;  ///< As its language writes it.
  Shape shape = Shape::scalar;
  std::string text;     ///< Short form for people; may be empty where the children say it.
  std::string summary;  ///< What a well-known type means: "2024-05-01T10:00:00Z", "locked".
  std::optional<std::uint64_t> length;
  std::vector<Value> children;
  std::vector<Value> keys;
  /// What the address is that this value is, of those that no type tells anything of, and of those
  /// that point to freed memory.
  std::optional<AddressDescription> points_to;
  std::vector<std::string> notes;  ///< What was cut, and what is odd.
  std::optional<Error> error;
  /// Parts of `summary` and `notes` in memory that cannot be read; what they say shows where.
  std::size_t unread = 0;
};

/// Reads a value as far as the limits go. Never fails as a whole, never runs away: cyclic
/// structures end where they begin again.
Value read_value(const ValueContext& context, std::string name, Datum datum,
                 const ReadLimits& limits = {});

/// How many values a tree has, with its root.
std::uint64_t count_values(const Value& value);
/// How many parts of a value lie in memory that cannot be read.
std::size_t unreadable_parts(const Value& value);

}  // namespace cgo
