#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "target/memory_reader.h"
#include "target/type.h"
#include "target/variables.h"

// values/ reads typed values of Go, C and C++ and evaluates expressions over them. It does not know
// LLDB, does not unwind, and never runs code of the debuggee.

namespace cgo {

/// A typed piece of the debuggee that was not looked into yet: a variable, a field, a result.
struct Datum {
  const Type* type = nullptr;
  std::optional<Address> address;  ///< Where it lies; nothing for what is not in memory.
  /// Its bytes, where they were read already or are not in memory; as many as the type has.
  std::optional<std::vector<std::byte>> bytes;
  std::vector<ValueBytes::Hole> holes;  ///< Parts of `bytes` that are not known.
  /// A bit-field: its bits within the bytes at `address` (or in `bytes`, which are then all the
  /// bytes that it touches). bit_size 0: none.
  std::uint32_t bit_offset = 0, bit_size = 0;
};

/// Bytes a read of a whole value may take.
inline constexpr std::uint64_t kMostDatumBytes = 1u << 20;

/// `bytes` bytes from `offset` of the datum. Fails with the reason of the first hole in them.
Result<std::vector<std::byte>> load_part(const MemoryReader& memory, const Datum& datum,
                                         std::uint64_t offset, std::uint64_t bytes);
/// All bytes of it; limit_reached above kMostDatumBytes.
Result<std::vector<std::byte>> load_all(const MemoryReader& memory, const Datum& datum);
/// Reads its bytes once, so that its parts need not be read one by one; what cannot be read as a
/// whole stays as it is.
void prefetch(const MemoryReader& memory, Datum& datum);

/// The part of `whole` that lies at `offset` and has `type`.
Datum part_of(const Datum& whole, const Type* type, std::uint64_t offset);
/// A datum in memory.
Datum datum_at(const Type* type, Address address);

/// A member by its index among the type's members.
Result<Datum> member_of(const Datum& structure, std::size_t index);
/// A member by name, also one of an embedded structure (the shallowest one), through pointers to
/// embedded structures, or of an anonymous structure of C. not_found lists the names there are;
/// malformed_data when two are equally deep.
Result<Datum> field_of(const MemoryReader& memory, const Datum& structure, std::string_view name);
/// A member by name of exactly this structure.
Result<Datum> own_field_of(const Datum& structure, std::string_view name);

/// Integers, characters, booleans, enumerations and addresses, up to 8 bytes.
Result<std::uint64_t> load_unsigned(const MemoryReader& memory, const Datum& datum);
/// The same, extended by sign.
Result<std::int64_t> load_signed(const MemoryReader& memory, const Datum& datum);
/// A pointer-sized word at `offset`.
Result<Address> load_word(const MemoryReader& memory, const Datum& datum, std::uint64_t offset = 0);

/// What a pointer or reference points at; not_found for a null pointer and for void.
Result<Datum> pointee_of(const MemoryReader& memory, const Datum& pointer);

/// The three words of a Go slice. malformed_data never: what they say may be nonsense.
struct SliceHeader {
  Address data;
  std::uint64_t length = 0;
  /// Nothing where only it is lost: the compiler drops it before the rest.
  std::optional<std::uint64_t> capacity;
  const Type* element = nullptr;
};
Result<SliceHeader> load_slice(const MemoryReader& memory, const Datum& slice);

/// The text of a Go string, at most `limit` bytes of it.
struct LoadedText {
  std::string text;
  std::uint64_t length = 0;  ///< All of it has.
};
Result<LoadedText> load_go_string(const MemoryReader& memory, const Datum& text,
                                  std::uint64_t limit);
/// The text at `at` up to a NUL.
Result<LoadedText> load_c_text(const MemoryReader& memory, Address at, std::uint64_t limit);

/// The kind behind aliases and qualifiers; none for what cannot be followed.
TypeKind kind_of(const Type* type);
/// The type behind them, or the type itself where they cannot be followed.
const Type* plain(const Type* type);

}  // namespace cgo
