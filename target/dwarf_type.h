#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "target/dwarf_type_store.h"

namespace cgo {

/// What the entry of a type says by itself.
struct DwarfTypeEntry {
  DwarfPlace place;
  std::uint32_t tag = 0;
  DwarfValue name, bytes, type, signature, go_key, go_elem, go_runtime_type;
  std::uint64_t encoding = 0;
  bool declaration = false, external = false;
  std::optional<std::uint8_t> go_kind;
  std::optional<std::uint64_t> dictionary_index;
  std::uint64_t alignment = 0;  ///< DW_AT_alignment; 0 where it is the natural one.

  static Result<DwarfTypeEntry> read(DwarfPlace place);
};

/// A type that an entry of DWARF describes.
class DwarfType final : public Type {
 public:
  DwarfType(const DwarfTypes& store, DwarfTypeEntry entry, unsigned dimension, std::string name);

  TypeKind kind() const override { return kind_; }
  std::string_view name() const override { return name_; }
  std::uint64_t bytes() const override;
  bool complete() const override;
  std::uint64_t alignment() const override { return entry_.alignment; }
  bool is_go() const override { return language_ == Language::go; }
  Language language() const override { return language_; }
  std::optional<std::uint8_t> go_kind() const override { return entry_.go_kind; }
  bool is_signed() const override;
  Result<const Type*> target() const override;
  Result<const Type*> representation() const override;
  Result<const Type*> key() const override;
  Result<std::span<const TypeMember>> members() const override;
  Result<const Type*> member_type(std::size_t index) const override;
  std::span<const Enumerator> enumerators() const override;
  Result<const Type*> template_argument(std::size_t index) const override;
  std::optional<std::uint64_t> length() const override;
  bool has_length_in_frame() const override { return length_in_frame() != nullptr; }
  std::uint64_t runtime_type() const override;
  std::optional<std::uint64_t> dictionary_index() const override { return entry_.dictionary_index; }
  std::string_view keyword() const override;

  const DwarfTypeEntry& entry() const { return entry_; }
  /// How the length of an array is found in a frame.
  struct LengthInFrame {
    DwarfValue bound;  ///< An expression, a list of them, or the variable that has the number.
    bool is_count = false;
    std::int64_t lowest = 0;  ///< What the bound counts from, unless it is the count.
  };
  /// Null where the length is a constant, or not known.
  const LengthInFrame* length_in_frame() const;
  bool declaration_only() const { return entry_.declaration || entry_.signature; }

 private:
  struct Members {
    std::vector<TypeMember> all;
    std::vector<DwarfValue> types;
    std::vector<DwarfValue> arguments;  ///< Of the template.
    std::optional<Error> error;
  };
  struct Dimensions {
    std::vector<std::optional<std::uint64_t>> lengths;
    std::vector<std::optional<LengthInFrame>> in_frame;
    std::optional<Error> error;
  };
  friend class TypeMemberReader;

  const DwarfUnit& unit() const { return *entry_.place.unit; }
  Error no(std::string_view what) const;
  /// The type that defines what this one declares; this one when it is no declaration.
  const DwarfType& defined() const;
  std::uint64_t compute_bytes() const;
  const Members& read_members() const;
  const Dimensions& dimensions() const;

  const DwarfTypes& store_;
  DwarfTypeEntry entry_;
  unsigned dimension_;
  Language language_;
  TypeKind kind_;
  std::string name_;

  mutable std::once_flag definition_once_, bytes_once_, members_once_, enumerators_once_,
      dimensions_once_;
  mutable const DwarfType* definition_ = nullptr;
  mutable std::uint64_t bytes_ = 0;
  mutable Members members_;
  mutable std::vector<Enumerator> enumerators_;
  mutable Dimensions dimensions_;
};

}  // namespace cgo
