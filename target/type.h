#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "target/language.h"
#include "target/result.h"

namespace cgo {

enum class TypeKind : std::uint8_t {
  none,  ///< C's void, and what has no kind of its own (C++'s nullptr_t).
  boolean,
  character,
  signed_integer,
  unsigned_integer,
  floating,
  complex,
  pointer,
  reference,
  member_pointer,  ///< C++: an offset or a function, not an address.
  structure,
  class_type,
  union_type,
  enumeration,
  array,
  function,
  alias,      ///< typedef, and Go's named types over another type.
  qualified,  ///< const, volatile, restrict, atomic; `target` is what is qualified.
  // Go's own, told by DW_AT_go_kind or by the runtime's type descriptor:
  go_string,
  go_slice,
  go_map,
  go_channel,
  go_interface,
  go_function,
};

/// A field of a structure, union or class. `offset` is in bytes from its start.
struct TypeMember {
  std::string_view name;  ///< Empty for C's anonymous structures and unions.
  std::uint64_t offset = 0;
  /// bit_size 0: not a bit-field. From the low bit of the byte at `offset`; the last of its bits
  /// may lie outside of the member type's bytes there.
  std::uint32_t bit_offset = 0, bit_size = 0;
  bool embedded = false;        ///< Go's embedded field.
  bool base_class = false;      ///< C++.
  bool is_static = false;       ///< C++: it lies elsewhere; `offset` means nothing.
  std::uint64_t alignment = 0;  ///< Asked for by itself (alignas); else 0.
  /// A virtual base: where it lies only the object tells; `offset` means nothing.
  bool computed = false;
};

struct Enumerator {
  std::string_view name;
  std::int64_t value = 0;  ///< Of an unsigned enumeration: the same bits.
};

/// One type of the debuggee, in either language. What it refers to is read when it is first asked
/// for (types are cyclic). Immutable, thread-safe; lives as long as the DwarfInfo or runtime that
/// gave it, so a plain pointer to it is its identity.
class Type {
 public:
  virtual ~Type() = default;
  virtual TypeKind kind() const = 0;
  /// "main.T", "unsigned int", "ns::C"; "" for one without a name: see format_type.
  virtual std::string_view name() const = 0;
  virtual std::uint64_t bytes() const = 0;  ///< 0 when not known, and for empty ones.
  /// What the source asks for by itself (alignas); 0 where the natural one counts.
  virtual std::uint64_t alignment() const { return 0; }
  virtual bool complete() const = 0;  ///< False for a declaration without a definition.
  virtual bool is_go() const = 0;
  /// Of the unit it is defined in.
  virtual Language language() const { return is_go() ? Language::go : Language::unknown; }
  virtual std::optional<std::uint8_t> go_kind() const = 0;  ///< reflect.Kind.
  /// Of integers, characters and enumerations.
  virtual bool is_signed() const { return kind() == TypeKind::signed_integer; }
  /// Pointee, element, what an alias or qualifier is over, result of a function, underlying integer
  /// of an enumeration, element of a slice, channel or map. not_found where there is none (void *).
  virtual Result<const Type*> target() const = 0;
  virtual Result<const Type*> key() const = 0;  ///< Of a map.
  /// What a Go map, channel, interface or function is made of in memory: a pointer to the runtime's
  /// structure, or runtime.iface. Else not_found.
  virtual Result<const Type*> representation() const {
    return Error{ErrorCode::not_found, "the type " + std::string(name()) + " has no other form"};
  }
  virtual Result<std::span<const TypeMember>> members() const = 0;
  virtual Result<const Type*> member_type(std::size_t index) const = 0;
  virtual std::span<const Enumerator> enumerators() const = 0;  ///< Go: constants of an integer.
  /// Of a class that C++ made from a template: the argument with this index, counting the types
  /// alone, those of a parameter pack one by one.
  virtual Result<const Type*> template_argument(std::size_t) const {
    return Error{ErrorCode::not_found,
                 "the type " + std::string(name()) + " has no template arguments"};
  }
  /// Of an array; nothing for a flexible one, and for one whose length is told elsewhere. An array
  /// of arrays has an array as its target.
  virtual std::optional<std::uint64_t> length() const = 0;
  /// Whether an array has a length that only a frame tells (C's `int a[n]`), see type_in_frame.
  virtual bool has_length_in_frame() const { return false; }
  /// DW_AT_go_runtime_type: offset of the descriptor as the file has it; 0 when there is none.
  virtual std::uint64_t runtime_type() const = 0;
  virtual std::optional<std::uint64_t> dictionary_index() const = 0;  ///< DW_AT_go_dict_index.
  /// What the source writes before the name: "struct", "const", "&&"; "" where nothing.
  virtual std::string_view keyword() const { return {}; }
};

/// The type behind aliases and qualifiers; bounded, malformed_data for a circle.
Result<const Type*> stripped(const Type* type);

/// The type as its language writes it, also where it has no name: "const char *", "int [4]",
/// "struct {...}". "?" stands for a part that cannot be read. Bounded.
std::string format_type(const Type& type);

}  // namespace cgo
