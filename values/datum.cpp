#include "values/datum.h"

#include <algorithm>
#include <set>

#include "target/byte_view.h"

namespace cgo {
namespace {

Error outside(const Datum& datum) {
  return {ErrorCode::malformed_data, "lies outside of what holds it", datum.address};
}

std::uint64_t touched_bytes(const Datum& datum) {
  if (datum.bit_size != 0) return (datum.bit_offset + datum.bit_size + 7) / 8;
  return datum.type->bytes();
}

std::string list_of_names(std::span<const TypeMember> members) {
  constexpr std::size_t kMostNames = 12;
  std::string out;
  std::size_t named = 0;
  for (const TypeMember& member : members) {
    if (member.name.empty() || member.name == "_" || member.is_static) continue;
    if (++named > kMostNames) return out + ", …";
    out += (named == 1 ? "" : ", ") + std::string(member.name);
  }
  return out.empty() ? "none" : out;
}

/// Looks for a name in the structures that are embedded ever deeper, all of one depth at a time.
class FieldSearch {
 public:
  FieldSearch(const MemoryReader& memory, std::string_view name) : memory_(memory), name_(name) {}

  Result<Datum> find(const Datum& structure) {
    std::vector<Datum> level{structure};
    for (int depth = 0; depth < kDeepest && !level.empty(); ++depth) {
      std::vector<Datum> found, next;
      for (const Datum& one : level)
        if (auto done = look_into(one, found, next); !done && depth == 0)
          return std::move(done).error();
      if (found.size() == 1) return std::move(found.front());
      if (found.size() > 1)
        return Error{ErrorCode::malformed_data,
                     "\"" + std::string(name_) + "\" is ambiguous: several embedded types have it"};
      level = std::move(next);
    }
    return missing(structure);
  }

 private:
  static constexpr int kDeepest = 16;

  Result<void> look_into(const Datum& one, std::vector<Datum>& found, std::vector<Datum>& next) {
    const Type* type = plain(one.type);
    if (!seen_.insert(type).second) return {};
    auto members = type->members();
    if (!members) return std::move(members).error();
    for (std::size_t i = 0; i < members->size(); ++i) {
      const TypeMember& member = (*members)[i];
      if (member.is_static || member.computed) continue;
      if (member.name == name_) {
        if (auto datum = member_of(one, i)) found.push_back(*std::move(datum));
      } else if (member.embedded || member.base_class || member.name.empty()) {
        if (auto datum = member_of(one, i)) add_embedded(*std::move(datum), next);
      }
    }
    return {};
  }

  void add_embedded(Datum datum, std::vector<Datum>& next) {
    if (kind_of(datum.type) == TypeKind::pointer) {
      auto target = pointee_of(memory_, datum);
      if (!target) return;
      datum = *std::move(target);
    }
    const TypeKind kind = kind_of(datum.type);
    if (kind == TypeKind::structure || kind == TypeKind::class_type || kind == TypeKind::union_type)
      next.push_back(std::move(datum));
  }

  Error missing(const Datum& structure) const {
    const Type* type = plain(structure.type);
    auto members = type->members();
    for (std::size_t i = 0; members && i < members->size(); ++i)
      if ((*members)[i].is_static && (*members)[i].name == name_)
        return {ErrorCode::unsupported, "\"" + std::string(name_) + "\" is static: it is " +
                                            std::string(type->name()) + "::" + std::string(name_)};
    return {ErrorCode::not_found,
            format_type(*structure.type) + " has no field \"" + std::string(name_) + "\" (it has " +
                list_of_names(members ? *members : std::span<const TypeMember>()) + ")"};
  }

  const MemoryReader& memory_;
  std::string_view name_;
  std::set<const Type*> seen_;
};

}  // namespace

const Type* plain(const Type* type) {
  if (type == nullptr) return nullptr;
  auto out = stripped(type);
  return out ? *out : type;
}

TypeKind kind_of(const Type* type) {
  return type == nullptr ? TypeKind::none : plain(type)->kind();
}

Result<std::vector<std::byte>> load_part(const MemoryReader& memory, const Datum& datum,
                                         std::uint64_t offset, std::uint64_t bytes) {
  for (const ValueBytes::Hole& hole : datum.holes)
    if (hole.offset < offset + bytes && offset < hole.offset + hole.bytes) return hole.why;
  if (datum.bytes) {
    const auto part = slice(*datum.bytes, offset, bytes);
    if (!part) return outside(datum);
    return std::vector<std::byte>(part->begin(), part->end());
  }
  if (!datum.address) return Error{ErrorCode::not_found, "its value is not known"};
  const auto from = checked_add(*datum.address, offset);
  if (!from) return outside(datum);
  return read_bytes(memory, *from, bytes, kMostDatumBytes);
}

Result<std::vector<std::byte>> load_all(const MemoryReader& memory, const Datum& datum) {
  return load_part(memory, datum, 0, touched_bytes(datum));
}

void prefetch(const MemoryReader& memory, Datum& datum) {
  if (datum.bytes || !datum.address || datum.type->bytes() > kMostDatumBytes) return;
  if (auto bytes = load_all(memory, datum)) datum.bytes = *std::move(bytes);
}

Datum part_of(const Datum& whole, const Type* type, std::uint64_t offset) {
  Datum out{.type = type};
  if (whole.address) out.address = checked_add(*whole.address, offset);
  if (whole.bytes) {
    if (const auto bytes = slice(*whole.bytes, offset, type->bytes()))
      out.bytes = std::vector<std::byte>(bytes->begin(), bytes->end());
  }
  for (const ValueBytes::Hole& hole : whole.holes) {
    if (hole.offset + hole.bytes <= offset || hole.offset >= offset + type->bytes()) continue;
    const std::uint64_t begin = std::max(hole.offset, offset);
    out.holes.push_back({begin - offset, hole.offset + hole.bytes - begin, hole.why,
                         begin == hole.offset ? hole.low_bits : 0, hole.high_bits});
  }
  return out;
}

Datum datum_at(const Type* type, Address address) { return {.type = type, .address = address}; }

Result<Datum> member_of(const Datum& structure, std::size_t index) {
  const Type* type = plain(structure.type);
  auto members = type->members();
  if (!members) return std::move(members).error();
  if (index >= members->size()) return Error{ErrorCode::not_found, "no such member"};
  const TypeMember& member = (*members)[index];
  if (member.is_static)
    return Error{ErrorCode::unsupported, "a static member lies outside of the object"};
  if (member.computed)
    return Error{ErrorCode::unsupported, "where a virtual base lies only the object tells"};
  auto member_type = type->member_type(index);
  if (!member_type) return std::move(member_type).error();
  if (member.bit_size == 0) return part_of(structure, *member_type, member.offset);
  // All bytes that a bit-field touches, which may be one more than its type has.
  Datum out{.type = *member_type, .bit_offset = member.bit_offset, .bit_size = member.bit_size};
  if (structure.address) out.address = checked_add(*structure.address, member.offset);
  if (structure.bytes) {
    const auto bytes = slice(*structure.bytes, member.offset, touched_bytes(out));
    if (bytes) out.bytes = std::vector<std::byte>(bytes->begin(), bytes->end());
  }
  const std::uint64_t first = member.offset * 8 + member.bit_offset;
  for (const ValueBytes::Hole& hole : structure.holes)
    if (hole.offset * 8 + hole.low_bits < first + member.bit_size &&
        first < (hole.offset + hole.bytes) * 8 - hole.high_bits)
      out.holes.push_back({0, touched_bytes(out), hole.why});
  return out;
}

Result<Datum> field_of(const MemoryReader& memory, const Datum& structure, std::string_view name) {
  return FieldSearch(memory, name).find(structure);
}

Result<Datum> own_field_of(const Datum& structure, std::string_view name) {
  auto members = plain(structure.type)->members();
  if (!members) return std::move(members).error();
  for (std::size_t i = 0; i < members->size(); ++i)
    if ((*members)[i].name == name) return member_of(structure, i);
  return Error{ErrorCode::not_found, format_type(*structure.type) + " has no field \"" +
                                         std::string(name) + "\" (it has " +
                                         list_of_names(*members) + ")"};
}

Result<std::uint64_t> load_unsigned(const MemoryReader& memory, const Datum& datum) {
  const std::uint64_t bytes = touched_bytes(datum);
  if (bytes == 0 || bytes > 9 || (bytes > 8 && datum.bit_size == 0))
    return Error{ErrorCode::unsupported, "a number of " + std::to_string(bytes) + " bytes"};
  auto loaded = load_all(memory, datum);
  if (!loaded) return std::move(loaded).error();
  const auto byte = [&](std::size_t i) { return std::to_integer<std::uint64_t>((*loaded)[i]); };
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < std::min<std::size_t>(loaded->size(), 8); ++i)
    value |= byte(i) << (8 * i);
  if (datum.bit_size == 0) return value;
  value >>= datum.bit_offset;
  if (loaded->size() == 9) value |= byte(8) << (64 - datum.bit_offset);
  return datum.bit_size >= 64 ? value : value & ((std::uint64_t{1} << datum.bit_size) - 1);
}

Result<std::int64_t> load_signed(const MemoryReader& memory, const Datum& datum) {
  auto value = load_unsigned(memory, datum);
  if (!value) return std::move(value).error();
  const std::uint64_t bits = datum.bit_size != 0 ? datum.bit_size : datum.type->bytes() * 8;
  if (bits >= 64) return static_cast<std::int64_t>(*value);
  const std::uint64_t sign = std::uint64_t{1} << (bits - 1);
  return static_cast<std::int64_t>((*value ^ sign) - sign);
}

Result<Address> load_word(const MemoryReader& memory, const Datum& datum, std::uint64_t offset) {
  auto bytes = load_part(memory, datum, offset, 8);
  if (!bytes) return std::move(bytes).error();
  return Address{*load<std::uint64_t>(*bytes, 0)};
}

Result<Datum> pointee_of(const MemoryReader& memory, const Datum& pointer) {
  auto target = plain(pointer.type)->target();
  // `const void` is a qualified nothing.
  const auto bare = target ? stripped(*target) : target;
  const bool absent = !bare && bare.error().code == ErrorCode::not_found;
  if (!target || absent || kind_of(*target) == TypeKind::none)
    return Error{ErrorCode::not_found,
                 "what " + format_type(*pointer.type) + " points at has no type"};
  auto address = load_word(memory, pointer);
  if (!address) return std::move(address).error();
  if (!*address) return Error{ErrorCode::not_found, "a nil pointer points at nothing"};
  return datum_at(*target, *address);
}

Result<SliceHeader> load_slice(const MemoryReader& memory, const Datum& slice_datum) {
  auto bytes = load_part(memory, slice_datum, 0, 16);
  if (!bytes) return std::move(bytes).error();
  auto element = plain(slice_datum.type)->target();
  if (!element) return std::move(element).error().in("slice");
  const auto capacity = load_word(memory, slice_datum, 16);
  return SliceHeader{.data = {*load<std::uint64_t>(*bytes, 0)},
                     .length = *load<std::uint64_t>(*bytes, 8),
                     .capacity = capacity ? std::optional(capacity->value) : std::nullopt,
                     .element = *element};
}

Result<LoadedText> load_go_string(const MemoryReader& memory, const Datum& text,
                                  std::uint64_t limit) {
  auto bytes = load_part(memory, text, 0, 16);
  if (!bytes) return std::move(bytes).error();
  const Address data{*load<std::uint64_t>(*bytes, 0)};
  LoadedText out{.text = {}, .length = *load<std::uint64_t>(*bytes, 8)};
  if (out.length == 0) return out;
  if (out.length > (std::uint64_t{1} << 47))
    return Error{ErrorCode::malformed_data, "a string of " + std::to_string(out.length) + " bytes",
                 data};
  auto characters = read_bytes(memory, data, std::min(out.length, limit));
  if (!characters) return std::move(characters).error().in("string");
  out.text.assign(reinterpret_cast<const char*>(characters->data()), characters->size());
  return out;
}

Result<LoadedText> load_c_text(const MemoryReader& memory, Address at, std::uint64_t limit) {
  constexpr std::uint64_t kChunk = 64;
  LoadedText out;
  while (out.text.size() <= limit) {
    const Address from = wrapping_add(at, out.text.size());
    // Up to a multiple of the chunk, so that no read reaches into a page the text is not in.
    const std::uint64_t bytes = kChunk - from.value % kChunk;
    auto chunk = read_bytes(memory, from, bytes);
    if (!chunk) return std::move(chunk).error().in("text");
    const std::string_view characters(reinterpret_cast<const char*>(chunk->data()), bytes);
    const std::size_t end = characters.find('\0');
    out.text += characters.substr(0, end);
    if (end != std::string_view::npos) {
      out.length = out.text.size();
      if (out.text.size() > limit) out.text.resize(limit);
      return out;
    }
  }
  out.length = out.text.size();
  out.text.resize(limit);
  return out;
}

}  // namespace cgo
