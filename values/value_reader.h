#pragma once

#include <map>
#include <set>

#include "values/closure_layout.h"
#include "values/value.h"

namespace cgo {

/// One reading of a value. Internal to values/; people call read_value.
class ValueReader {
 public:
  ValueReader(const ValueContext& context, const ReadLimits& limits)
      : context_(context), limits_(limits) {}

  /// `depth` levels may still be opened below this value.
  Value read(std::string name, Datum datum, unsigned depth);

  /// Whether another value may be read; notes the cut when not.
  bool may_read(Value& parent);
  /// Shows `count` elements of `type` that begin at `first`.
  void read_elements(Value& value, const Datum& first, const Type* type, std::uint64_t count,
                     unsigned depth);
  /// Adds an entry of a map.
  void add_entry(Value& value, Datum key, Datum element, unsigned depth);

  /// Notes that what lies at an address that the value leads to was freed.
  void note_freed(Value& value, Address address);

  const ValueContext& context() const { return context_; }
  const MemoryReader& memory() const { return context_.memory(); }
  const ReadLimits& limits() const { return limits_; }

 private:
  void read_kind(Value& value, unsigned depth);

  // read_number.cpp
  void read_number(Value& value, TypeKind kind);
  void add_constant_name(Value& value, const Type& type, std::uint64_t number);
  void read_enumeration(Value& value);
  void read_floating(Value& value);
  void read_complex(Value& value);

  // read_value.cpp: what all languages have.
  void read_pointer(Value& value, unsigned depth);
  void read_structure(Value& value, unsigned depth);
  bool read_libstdcxx(Value& value, unsigned depth);
  void read_array(Value& value, unsigned depth);
  /// Says what an address is that has no type to follow, or leads to code.
  void describe_address(Value& value, Address address);
  void follow(Value& value, const Datum& pointee, unsigned depth);

  // read_go_value.cpp
  void read_go_string(Value& value);
  void read_slice(Value& value, unsigned depth);
  void say_kept_lengths(Value& value);
  void say_kept_type(Value& value);
  void read_map(Value& value, unsigned depth);
  void read_interface(Value& value, unsigned depth);
  void read_channel(Value& value, unsigned depth);
  // read_sync.cpp; false for what is to be read as any other structure.
  bool read_container(Value& value, unsigned depth);
  bool read_atomic_pointer(Value& value, unsigned depth);
  bool read_sync_map(Value& value, unsigned depth);
  // read_function.cpp
  void read_function(Value& value, unsigned depth);
  void read_captured(Value& value, Address closure, Address code, const std::string& function,
                     unsigned depth);
  void say_uncaptured(Value& value, Address closure, const std::vector<CapturedVariable>& captured,
                      const std::vector<Held>& held, std::uint64_t bytes);
  void say_waiters(Value& value, const char* what, std::size_t count,
                   const std::vector<std::uint64_t>& goroutines);

  /// What cgo made the type from; null for other types.
  const Type* c_type_of(const Type& type);

  const ValueContext& context_;
  const ReadLimits& limits_;
  std::uint64_t values_ = 0;
  bool cancelled_ = false;
  /// Pointers that are being followed: their targets contain what is read now.
  std::set<std::pair<Address, const Type*>> path_;
  std::map<const Type*, const Type*> c_types_;
};

/// Sets the summary of a type that means more than its fields (time.Time, sync.Mutex, errors …);
/// leaves others alone. In well_known.cpp.
void summarize_well_known(const ValueContext& context, Value& value);

}  // namespace cgo
