#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "values/value_reader.h"

namespace cgo {

/// A value of one of libstdc++'s classes while it is looked into. Internal to cxx_*.cpp.
class CxxValue {
 public:
  using Path = std::initializer_list<std::string_view>;

  CxxValue(ValueReader& reader, Value& value, unsigned depth)
      : reader_(reader), value_(value), depth_(depth) {}

  Value& value() { return value_; }
  unsigned depth() const { return depth_; }
  const ValueContext& context() const { return reader_.context(); }
  const MemoryReader& memory() const { return reader_.memory(); }
  const ReadLimits& limits() const { return reader_.limits(); }
  const Type& type() const { return *plain(value_.datum.type); }

  /// A field by the names on the way to it, also those of base classes.
  Result<Datum> field(Path path) const;
  Result<std::uint64_t> number(Path path) const;
  Result<Address> word(Path path) const;

  /// Becomes what another value is.
  void become(Value other);
  /// A part of it, one level deeper.
  Value part(std::string name, Datum datum);

  /// "len 3" and elements or entries to come. False when none can be shown at this depth.
  bool begin(Value::Shape shape, std::uint64_t count, std::string text = {});
  /// Whether one more is to be shown.
  bool goes_on();
  void add_element(Datum datum);
  /// `pair` is a std::pair of key and value.
  Result<void> add_pair(const Datum& pair);
  /// Notes that the memory it has for what it holds was freed.
  void note_freed(Address address);
  /// Says what was left out of `count`, and, when the chain `ended`, what is missing.
  void end(std::uint64_t count, bool ended = false);
  /// Elements one behind the other.
  Result<void> show_sequence(const Type* element, Address first, std::uint64_t count,
                             std::string text = {});

 private:
  ValueReader& reader_;
  Value& value_;
  unsigned depth_;
};

/// "damaged, or not constructed yet: WHY".
Error cxx_damaged(std::string_view why);
/// What no program for amd64 can have anything at; 0 counts as an address here.
bool no_address(Address address);
/// What the compiler would align the type to; a power of two up to 16.
std::uint64_t alignment_of(const Type* type);

using CxxForm = Result<void> (*)(CxxValue&);
// cxx_containers.cpp: what lies in one block.
Result<void> show_cxx_string(CxxValue& value);
Result<void> show_cxx_string_view(CxxValue& value);
Result<void> show_cxx_vector(CxxValue& value);
Result<void> show_cxx_array(CxxValue& value);
Result<void> show_cxx_initializer_list(CxxValue& value);
Result<void> show_cxx_deque(CxxValue& value);
// cxx_nodes.cpp: what is linked.
Result<void> show_cxx_map(CxxValue& value);
Result<void> show_cxx_set(CxxValue& value);
Result<void> show_cxx_hash_map(CxxValue& value);
Result<void> show_cxx_hash_set(CxxValue& value);
Result<void> show_cxx_list(CxxValue& value);
Result<void> show_cxx_forward_list(CxxValue& value);
// cxx_wrappers.cpp: what holds one value, or one of each type.
Result<void> show_cxx_tuple(CxxValue& value);
Result<void> show_cxx_optional(CxxValue& value);
Result<void> show_cxx_variant(CxxValue& value);
Result<void> show_cxx_unique_pointer(CxxValue& value);
Result<void> show_cxx_shared_pointer(CxxValue& value);
Result<void> show_cxx_atomic(CxxValue& value);
Result<void> show_cxx_function(CxxValue& value);
Result<void> show_cxx_duration(CxxValue& value);

}  // namespace cgo
