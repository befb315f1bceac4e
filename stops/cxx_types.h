#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "target/image.h"
#include "target/memory_reader.h"

namespace cgo {

/// A std::type_info of the debuggee, as the C++ ABI lays it out. Source: Itanium C++ ABI, section
/// 2.9.5 (RTTI Layout).
struct CxxTypeInfo {
  enum class Kind : std::uint8_t {
    other,
    plain_class,
    single_base,
    several_bases,
    pointer,
    unknown
  };
  struct Base {
    Address type;
    std::int64_t offset = 0;  ///< Of the base in the object; of a virtual one, where that is kept.
    bool is_virtual = false, is_public = false;
  };
  Address at;
  std::string mangled;  ///< "St13runtime_error".
  Kind kind = Kind::unknown;
  std::vector<Base> bases;
  Address pointee;                  ///< Of a pointer.
  std::uint32_t pointer_flags = 0;  ///< const, volatile, restrict, …

  bool is_class() const {
    return kind == Kind::plain_class || kind == Kind::single_base || kind == Kind::several_bases;
  }
  /// "std::runtime_error".
  std::string name() const;
};

/// Reads types and answers what the C++ runtime would, without calling it.
class CxxTypes {
 public:
  CxxTypes(const MemoryReader& memory, const ImageMap& images) : memory_(memory), images_(images) {}

  Result<CxxTypeInfo> read(Address type) const;

  /// Whether a `catch` of type `handler` takes an exception of type `thrown`; nothing where that
  /// cannot be told. Source: libsupc++, __class_type_info::__do_catch and its like.
  std::optional<bool> catches(Address handler, Address thrown) const;

  /// Where the base called `mangled` lies in an object of type `type`, without virtual bases on the
  /// way; nothing when it has none.
  std::optional<std::int64_t> offset_of_base(Address type, std::string_view mangled) const;

 private:
  struct Found;
  bool search(const CxxTypeInfo& in, const CxxTypeInfo& wanted, const std::string& path,
              bool is_public, unsigned depth, std::vector<Found>& found) const;
  std::optional<bool> pointer_catches(const CxxTypeInfo& handler, const CxxTypeInfo& thrown) const;
  std::optional<bool> has_public_base(const CxxTypeInfo& type, const CxxTypeInfo& base) const;

  const MemoryReader& memory_;
  const ImageMap& images_;
};

}  // namespace cgo
