#include "values/opaque_structure.h"

#include <algorithm>
#include <iterator>
#include <string>

namespace cgo {
namespace {

constexpr std::string_view kMark = "._Ctype_";

/// The name that C has for a type that cgo made: "struct x" for main._Ctype_struct_x. Empty for
/// other types, and for what is only made of such a type (a pointer, an array).
/// Source: src/cmd/cgo/gcc.go, (*typeConv).Type.
std::string c_name_of(const Type& type) {
  const std::string_view name = type.name();
  const std::size_t mark = name.find(kMark);
  if (!type.is_go() || mark == name.npos || name.find_first_of("*[]({ ") != name.npos) return {};
  std::string c(name.substr(mark + kMark.size()));
  for (const std::string_view word : {"struct_", "union_", "enum_"})
    if (c.starts_with(word)) c[word.size() - 1] = ' ';
  if (c == "schar") return "signed char";
  if (c == "uchar") return "unsigned char";
  return c;
}

/// Numbers that are shown alike in both languages.
bool is_plain_number(std::string_view name) {
  constexpr std::string_view kNames[] = {"int",   "uint",   "short",    "ushort",
                                         "long",  "ulong",  "longlong", "ulonglong",
                                         "float", "double", "size_t"};
  return std::ranges::find(kNames, name) != std::end(kNames);
}

bool is_record(const Type& type) {
  const TypeKind kind = kind_of(&type);
  return kind == TypeKind::structure || kind == TypeKind::class_type ||
         kind == TypeKind::union_type;
}

/// Whether every field that Go knows is in the structure of C, at its place: several files may each
/// have a structure of this name.
bool fields_agree(const Type& go, const Type& c) {
  if (kind_of(&go) != TypeKind::structure) return true;
  const auto mine = plain(&go)->members();
  const auto theirs = plain(&c)->members();
  if (!mine || !theirs) return false;
  for (const TypeMember& field : *mine) {
    if (field.name == "_" || field.name.starts_with("anon")) continue;
    bool found = false;
    for (const TypeMember& other : *theirs) {
      // A name that is a keyword of Go gets an underscore.
      const bool same = other.name == field.name ||
                        (field.name.starts_with('_') && other.name == field.name.substr(1));
      found = found || (same && other.offset == field.offset && other.bit_size == 0);
    }
    if (!found) return false;
  }
  return true;
}

}  // namespace

const Type* c_counterpart(const ValueContext& context, const Type& type) {
  const std::string name = c_name_of(type);
  if (name.empty() || is_plain_number(name)) return nullptr;
  const auto defined = context.type_named(name);
  if (!defined || (*defined)->is_go() || !plain(*defined)->complete()) return nullptr;
  // Go has no bytes of a structure whose definition it did not see.
  const bool opaque = plain(&type)->bytes() == 0 && kind_of(&type) == TypeKind::structure;
  if (opaque) return is_record(**defined) ? *defined : nullptr;
  if (plain(*defined)->bytes() != plain(&type)->bytes()) return nullptr;
  if (kind_of(&type) == TypeKind::structure && !is_record(**defined)) return nullptr;
  return fields_agree(type, **defined) ? *defined : nullptr;
}

bool is_made_by_cgo(const Type& type) { return !c_name_of(type).empty(); }

Result<Datum> pointee_in(const ValueContext& context, const Datum& pointer) {
  auto target = pointee_of(context.memory(), pointer);
  if (!target) return target;
  const Type& type = *plain(target->type);
  if (kind_of(&type) != TypeKind::structure || type.bytes() != 0) return target;
  if (const Type* defined = c_counterpart(context, type)) target->type = defined;
  return target;
}

}  // namespace cgo
