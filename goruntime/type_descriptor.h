#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "goruntime/go_version.h"
#include "target/address.h"
#include "target/memory_reader.h"
#include "target/result.h"

namespace cgo {

/// reflect.Kind. Source: src/internal/abi/type.go (1.21+), src/runtime/typekind.go.
enum class GoKind : std::uint8_t {
  invalid,
  boolean,
  int_,
  int8,
  int16,
  int32,
  int64,
  uint,
  uint8,
  uint16,
  uint32,
  uint64,
  uintptr,
  float32,
  float64,
  complex64,
  complex128,
  array,
  channel,
  function,
  interface,
  map,
  pointer,
  slice,
  string,
  structure,
  unsafe_pointer,
};

/// What every type descriptor of the runtime begins with: abi.Type, runtime._type before 1.21. The
/// same layout in 1.19 to 1.27.
struct TypeDescriptor {
  static constexpr std::uint64_t kBytes = 48;
  Address address;
  std::uint64_t bytes = 0;          ///< Size of a value.
  std::uint64_t pointer_bytes = 0;  ///< How much from its start may hold pointers.
  std::uint32_t hash = 0;
  GoKind kind = GoKind::invalid;
  bool has_uncommon = false;      ///< Is followed by an abi.UncommonType.
  bool extra_star = false;        ///< The text its name is at begins with a '*' that is not its.
  bool named = false;             ///< Declared with a name, or predeclared.
  bool direct_interface = false;  ///< An interface holds the value itself instead of its address.
  std::int32_t name_offset = 0;   ///< Of abi.Name, from the start of its module's types.
};

/// Reads one. malformed_data when it cannot be a type descriptor: a kind no release has, an
/// alignment that is none, more pointers than bytes.
Result<TypeDescriptor> decode_type_descriptor(const MemoryReader& memory, Address at);

/// A field of a struct type, as its descriptor lists it.
struct DescribedField {
  std::string name;
  Address type;
  std::uint64_t offset = 0;
  bool embedded = false;
};

/// A method of a named type or of an interface type.
struct DescribedMethod {
  std::string name;
  Address type;  ///< Its func type's descriptor; 0 when the linker removed it.
};

/// What follows the head, by kind. Fields that a kind does not have stay empty.
struct TypeDetails {
  Address element;              ///< Array, channel, map, pointer, slice.
  Address key;                  ///< Map.
  Address unit;                 ///< Map: the descriptor of a bucket or group; see map_shape.
  std::uint64_t length = 0;     ///< Array.
  std::uint64_t direction = 0;  ///< Channel: 1 receive, 2 send, 3 both.
  std::vector<Address> parameters, results;  ///< Function.
  bool variadic = false;                     ///< Function.
  std::vector<DescribedField> fields;        ///< Structure.
  std::vector<DescribedMethod> interface_methods;
  std::string package;                   ///< Import path, of named types that have one.
  std::vector<DescribedMethod> methods;  ///< Of named types.
};

/// Reads what follows `head`. `types` is where the descriptors of its module lie (names and types
/// are given as offsets from there); empty when it is in no module: made while the program runs.
Result<TypeDetails> decode_type_details(const MemoryReader& memory, GoVersion version,
                                        AddressRange types, const TypeDescriptor& head);

/// The text of an abi.Name at `at`; `embedded` is set by its flag.
struct DescribedName {
  std::string text;
  bool embedded = false;
};
Result<DescribedName> decode_type_name(const MemoryReader& memory, Address at);

/// What the runtime calls the type: with the last element of package paths, "*fmt.pp".
Result<std::string> type_text(const MemoryReader& memory, AddressRange types,
                              const TypeDescriptor& head);

}  // namespace cgo
