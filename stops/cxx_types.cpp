#include "stops/cxx_types.h"

#include <algorithm>

#include "target/demangle.h"

namespace cgo {
namespace {

constexpr unsigned kMostDepth = 100, kMostBases = 1000;
constexpr std::size_t kMostNameBytes = 1 << 16;
using Kind = CxxTypeInfo::Kind;

/// What a type_info's table of virtual functions is for.
Kind kind_of_table(const ImageMap& images, Address table) {
  // The pointer leads behind the table's first two words.
  constexpr std::uint64_t kHeader = 16;
  const Image* image = images.find(table);
  if (image == nullptr || !image->file || image->mismatch) return Kind::unknown;
  const ElfSymbol* symbol = image->file->object_at({image->to_file(table).value - kHeader});
  if (symbol == nullptr) return Kind::unknown;
  const std::string_view name = symbol->name;
  if (!name.starts_with("_ZTVN10__cxxabiv1")) return Kind::unknown;
  if (name.find("17__class_type_info") != name.npos) return Kind::plain_class;
  if (name.find("20__si_class_type_info") != name.npos) return Kind::single_base;
  if (name.find("21__vmi_class_type_info") != name.npos) return Kind::several_bases;
  if (name.find("19__pointer_type_info") != name.npos) return Kind::pointer;
  return Kind::other;
}

/// libstdc++ compares names, but those that begin with a star by their place.
bool same_type(const CxxTypeInfo& a, const CxxTypeInfo& b) {
  if (a.at == b.at) return true;
  return a.mangled == b.mangled && !a.mangled.starts_with('*') && !a.mangled.empty();
}

}  // namespace

std::string CxxTypeInfo::name() const {
  const std::string_view plain = std::string_view(mangled).substr(mangled.starts_with('*') ? 1 : 0);
  constexpr std::string_view kNameOf = "typeinfo name for ";
  const auto text = demangle("_ZTS" + std::string(plain));
  if (text && text->starts_with(kNameOf)) return text->substr(kNameOf.size());
  return std::string(plain);
}

Result<CxxTypeInfo> CxxTypes::read(Address type) const {
  CxxTypeInfo out{.at = type};
  const auto table = read_pointer(memory_, type);
  if (!table) return std::move(table).error();
  const auto name = read_pointer(memory_, wrapping_add(type, 8));
  if (!name) return std::move(name).error();
  auto text = read_c_string(memory_, *name, kMostNameBytes);
  if (!text) return std::move(text).error();
  out.mangled = *std::move(text);
  out.kind = kind_of_table(images_, *table);
  if (out.kind == Kind::single_base) {
    const auto base = read_pointer(memory_, wrapping_add(type, 16));
    if (!base) return std::move(base).error();
    out.bases.push_back({.type = *base, .is_public = true});
  } else if (out.kind == Kind::several_bases) {
    const auto count = read_unsigned<std::uint32_t>(memory_, wrapping_add(type, 20));
    if (!count) return std::move(count).error();
    if (*count > kMostBases)
      return Error{ErrorCode::malformed_data, "a class with " + std::to_string(*count) + " bases",
                   type};
    for (std::uint32_t i = 0; i < *count; ++i) {
      const Address at = wrapping_add(type, 24 + std::uint64_t{i} * 16);
      const auto base = read_pointer(memory_, at);
      const auto flags = read_unsigned<std::int64_t>(memory_, wrapping_add(at, 8));
      if (!base || !flags) return base ? flags.error() : base.error();
      out.bases.push_back({.type = *base,
                           .offset = *flags >> 8,
                           .is_virtual = (*flags & 1) != 0,
                           .is_public = (*flags & 2) != 0});
    }
  } else if (out.kind == Kind::pointer) {
    const auto flags = read_unsigned<std::uint32_t>(memory_, wrapping_add(type, 16));
    const auto pointee = read_pointer(memory_, wrapping_add(type, 24));
    if (!flags || !pointee) return flags ? pointee.error() : flags.error();
    out.pointer_flags = *flags;
    out.pointee = *pointee;
  }
  return out;
}

/// A base that was found, by the way to it: the same way is the same part of the object.
struct CxxTypes::Found {
  std::string path;
  bool is_public = false;
};

bool CxxTypes::search(const CxxTypeInfo& in, const CxxTypeInfo& wanted, const std::string& path,
                      bool is_public, unsigned depth, std::vector<Found>& found) const {
  if (depth > kMostDepth || found.size() > kMostBases) return false;
  for (std::size_t i = 0; i < in.bases.size(); ++i) {
    const CxxTypeInfo::Base& base = in.bases[i];
    const auto type = read(base.type);
    if (!type || type->kind == Kind::unknown) return false;
    // A virtual base is one part of the object, whichever way leads to it.
    const std::string way = base.is_virtual ? "/" + type->mangled : path + "/" + std::to_string(i);
    const bool visible = is_public && base.is_public;
    if (same_type(*type, wanted)) {
      const auto known = std::ranges::find(found, way, &Found::path);
      if (known == found.end())
        found.push_back({way, visible});
      else
        known->is_public |= visible;
    } else if (!search(*type, wanted, way, visible, depth + 1, found)) {
      return false;
    }
  }
  return true;
}

std::optional<bool> CxxTypes::has_public_base(const CxxTypeInfo& type,
                                              const CxxTypeInfo& base) const {
  std::vector<Found> found;
  if (!search(type, base, "", true, 0, found)) return std::nullopt;
  return found.size() == 1 && found[0].is_public;
}

std::optional<bool> CxxTypes::pointer_catches(const CxxTypeInfo& handler,
                                              const CxxTypeInfo& thrown) const {
  constexpr std::uint32_t kQualifiers = 7;
  if ((thrown.pointer_flags & kQualifiers & ~handler.pointer_flags) != 0) return false;
  const auto to = read(handler.pointee), from = read(thrown.pointee);
  if (!to || !from) return std::nullopt;
  if (same_type(*to, *from)) return true;
  if (to->mangled == "v") return !from->mangled.starts_with('F');
  if (to->kind == Kind::pointer || from->kind == Kind::pointer) {
    if (to->kind != from->kind) return false;
    return std::nullopt;  // Pointers to pointers: by more rules than are known here.
  }
  if (to->kind == Kind::unknown || from->kind == Kind::unknown) return std::nullopt;
  if (!to->is_class() || !from->is_class()) return false;
  return has_public_base(*from, *to);
}

std::optional<bool> CxxTypes::catches(Address handler, Address thrown) const {
  const auto to = read(handler), from = read(thrown);
  if (!to || !from) return std::nullopt;
  if (same_type(*to, *from)) return true;
  if (to->kind == Kind::unknown || from->kind == Kind::unknown) return std::nullopt;
  if (to->kind == Kind::pointer) {
    if (from->mangled == "Dn") return true;  // nullptr
    return from->kind == Kind::pointer ? pointer_catches(*to, *from) : std::optional(false);
  }
  if (!to->is_class() || !from->is_class()) return false;
  return has_public_base(*from, *to);
}

std::optional<std::int64_t> CxxTypes::offset_of_base(Address type, std::string_view mangled) const {
  std::vector<std::pair<Address, std::int64_t>> open{{type, 0}};
  for (std::size_t i = 0; i < open.size() && i < kMostBases; ++i) {
    const auto [at, offset] = open[i];
    const auto known = read(at);
    if (!known) continue;
    if (known->mangled == mangled) return offset;
    for (const CxxTypeInfo::Base& base : known->bases)
      if (!base.is_virtual) open.emplace_back(base.type, offset + base.offset);
  }
  return std::nullopt;
}

}  // namespace cgo
