#include "goruntime/type_descriptor.h"

#include <bit>

#include "target/byte_view.h"

namespace cgo {
namespace {

// Source: src/internal/abi/type.go, TFlag; src/runtime/type.go before 1.21.
constexpr std::uint8_t kUncommon = 1, kExtraStar = 2, kNamed = 4;
/// Up to 1.25 a bit of the kind byte, from 1.26 one of the flags; the other is 0 in each.
constexpr std::uint8_t kDirectInterface = 32;
constexpr std::uint8_t kKindMask = 31;

constexpr std::uint64_t kLongestName = 64 * 1024;
constexpr std::uint64_t kMostFields = 1 << 16;

Error malformed(std::string what, Address at) {
  return Error{ErrorCode::malformed_data, "type descriptor: " + std::move(what), at};
}

Address word(ByteView bytes, std::uint64_t offset) {
  return {load<std::uint64_t>(bytes, offset).value_or(0)};
}

/// Bytes of what describes a kind, which an abi.UncommonType follows.
/// Source: src/internal/abi/type.go and map*.go; src/runtime/type.go before 1.21.
std::uint64_t described_bytes(GoKind kind, GoVersion version, bool swiss) {
  switch (kind) {
    case GoKind::pointer:
    case GoKind::slice:
    case GoKind::function:
      return 56;
    case GoKind::channel:
      return 64;
    case GoKind::array:
      return 72;
    case GoKind::structure:
    case GoKind::interface:
      return 80;
    case GoKind::map:
      return !swiss ? 88 : version.minor >= 27 ? 136 : 112;
    default:
      return TypeDescriptor::kBytes;
  }
}

class DetailsReader {
 public:
  DetailsReader(const MemoryReader& memory, GoVersion version, AddressRange types,
                const TypeDescriptor& head)
      : memory_(memory), version_(version), types_(types), head_(head) {}

  Result<TypeDetails> read() {
    auto done = read_kind();
    if (!done) return std::move(done).error();
    if (head_.has_uncommon) {
      done = read_uncommon();
      if (!done) return std::move(done).error().in("methods");
    }
    return std::move(out_);
  }

 private:
  Result<std::vector<std::byte>> at(std::uint64_t offset, std::uint64_t bytes) {
    const auto from = checked_add(head_.address, offset);
    if (!from) return malformed("wraps", head_.address);
    return read_bytes(memory_, *from, bytes, 64 * kMostFields);
  }

  Result<void> read_kind() {
    switch (head_.kind) {
      case GoKind::pointer:
      case GoKind::slice:
        return read_words(1);
      case GoKind::channel:
        return read_words(2);
      case GoKind::array:
      case GoKind::map:
        return read_words(3);
      case GoKind::function:
        return read_function();
      case GoKind::structure:
        return read_fields();
      case GoKind::interface:
        return read_interface();
      default:
        return {};
    }
  }

  Result<void> read_words(std::uint64_t count) {
    auto bytes = at(TypeDescriptor::kBytes, count * 8);
    if (!bytes) return std::move(bytes).error();
    if (head_.kind == GoKind::map) {
      out_.key = word(*bytes, 0);
      out_.element = word(*bytes, 8);
      out_.unit = word(*bytes, 16);
      return {};
    }
    out_.element = word(*bytes, 0);
    if (head_.kind == GoKind::channel) out_.direction = word(*bytes, 8).value;
    if (head_.kind == GoKind::array) out_.length = word(*bytes, 16).value;
    return {};
  }

  Result<void> read_function() {
    auto counts = at(TypeDescriptor::kBytes, 4);
    if (!counts) return std::move(counts).error();
    const std::uint64_t in = *load<std::uint16_t>(*counts, 0);
    const auto out = *load<std::uint16_t>(*counts, 2);
    out_.variadic = (out & 0x8000) != 0;
    const std::uint64_t results = out & 0x7fff;
    const std::uint64_t start = 56 + (head_.has_uncommon ? kUncommonBytes : 0);
    auto types = at(start, (in + results) * 8);
    if (!types) return std::move(types).error();
    for (std::uint64_t i = 0; i < in + results; ++i)
      (i < in ? out_.parameters : out_.results).push_back(word(*types, i * 8));
    return {};
  }

  Result<void> read_fields() {
    auto header = at(56, 16);
    if (!header) return std::move(header).error();
    const std::uint64_t count = word(*header, 8).value;
    if (count > kMostFields) return malformed("absurd number of fields", head_.address);
    auto fields = read_bytes(memory_, word(*header, 0), count * 24);
    if (!fields) return std::move(fields).error().in("fields");
    for (std::uint64_t i = 0; i < count; ++i) {
      auto name = decode_type_name(memory_, word(*fields, i * 24));
      if (!name) return std::move(name).error().in("field");
      const std::uint64_t offset = word(*fields, i * 24 + 16).value;
      if (offset > head_.bytes) return malformed("a field lies outside", head_.address);
      out_.fields.push_back({.name = std::move(name->text),
                             .type = word(*fields, i * 24 + 8),
                             .offset = offset,
                             .embedded = name->embedded});
    }
    return {};
  }

  Result<void> read_interface() {
    auto header = at(56, 16);
    if (!header) return std::move(header).error();
    const std::uint64_t count = word(*header, 8).value;
    if (count > kMostFields) return malformed("absurd number of methods", head_.address);
    auto methods = read_bytes(memory_, word(*header, 0), count * 8);
    if (!methods) return std::move(methods).error().in("methods");
    for (std::uint64_t i = 0; i < count; ++i) {
      auto name = name_at(*load<std::int32_t>(*methods, i * 8));
      if (!name) return std::move(name).error().in("method");
      out_.interface_methods.push_back(
          {.name = *std::move(name),
           .type = offset_in_types(*load<std::int32_t>(*methods, i * 8 + 4))});
    }
    return {};
  }

  static constexpr std::uint64_t kUncommonBytes = 16;

  Result<void> read_uncommon() {
    const bool swiss = head_.kind == GoKind::map && map_has_groups();
    const std::uint64_t start = described_bytes(head_.kind, version_, swiss);
    auto uncommon = at(start, kUncommonBytes);
    if (!uncommon) return std::move(uncommon).error();
    if (const auto package = *load<std::int32_t>(*uncommon, 0); package != 0) {
      auto name = name_at(package);
      if (name) out_.package = *std::move(name);
    }
    const std::uint64_t count = *load<std::uint16_t>(*uncommon, 4);
    const std::uint64_t offset = *load<std::uint32_t>(*uncommon, 8);
    auto methods = at(start + offset, count * 16);
    if (!methods) return std::move(methods).error();
    for (std::uint64_t i = 0; i < count; ++i) {
      auto name = name_at(*load<std::int32_t>(*methods, i * 16));
      if (!name) return std::move(name).error();
      out_.methods.push_back({.name = *std::move(name),
                              .type = offset_in_types(*load<std::int32_t>(*methods, i * 16 + 4))});
    }
    return {};
  }

  /// The unit of a Swiss map is a group: a struct whose first field is its control word.
  bool map_has_groups() {
    auto unit = decode_type_descriptor(memory_, out_.unit);
    if (!unit || unit->kind != GoKind::structure) return version_.minor >= 24;
    auto fields = DetailsReader(memory_, version_, types_, *unit).read();
    if (!fields || fields->fields.empty()) return version_.minor >= 24;
    return fields->fields.front().name.starts_with("ctrl");
  }

  Result<std::string> name_at(std::int32_t offset) {
    const Address at = offset_in_types(offset);
    if (!at) return Error{ErrorCode::not_found, "a name the runtime keeps in a table of its own"};
    auto name = decode_type_name(memory_, at);
    if (!name) return std::move(name).error();
    return std::move(name->text);
  }
  /// 0 for what is in no module, and for what the linker left out (-1).
  Address offset_in_types(std::int32_t offset) const {
    if (offset <= 0 || std::uint64_t(offset) >= types_.bytes()) return {};
    return wrapping_add(types_.begin, offset);
  }

  const MemoryReader& memory_;
  GoVersion version_;
  AddressRange types_;
  const TypeDescriptor& head_;
  TypeDetails out_;
};

}  // namespace

Result<TypeDescriptor> decode_type_descriptor(const MemoryReader& memory, Address at) {
  if (!at || at.value % 8 != 0) return malformed("not at such an address", at);
  auto bytes = read_bytes(memory, at, TypeDescriptor::kBytes);
  if (!bytes) return std::move(bytes).error().in("type descriptor");
  const auto flags = *load<std::uint8_t>(*bytes, 20);
  const auto align = *load<std::uint8_t>(*bytes, 21), field_align = *load<std::uint8_t>(*bytes, 22);
  const auto kind = *load<std::uint8_t>(*bytes, 23);
  TypeDescriptor out{.address = at,
                     .bytes = word(*bytes, 0).value,
                     .pointer_bytes = word(*bytes, 8).value,
                     .hash = *load<std::uint32_t>(*bytes, 16),
                     .kind = static_cast<GoKind>(kind & kKindMask),
                     .has_uncommon = (flags & kUncommon) != 0,
                     .extra_star = (flags & kExtraStar) != 0,
                     .named = (flags & kNamed) != 0,
                     .direct_interface = ((flags | kind) & kDirectInterface) != 0,
                     .name_offset = *load<std::int32_t>(*bytes, 40)};
  const auto is_alignment = [](std::uint8_t a) { return std::has_single_bit(a) && a <= 64; };
  if (out.kind == GoKind::invalid || out.kind > GoKind::unsafe_pointer)
    return malformed("no kind has the number " + std::to_string(kind & kKindMask), at);
  if (!is_alignment(align) || !is_alignment(field_align))
    return malformed("its alignment is none", at);
  if (out.pointer_bytes > out.bytes || out.bytes > (std::uint64_t{1} << 47))
    return malformed("its sizes contradict each other", at);
  return out;
}

Result<TypeDetails> decode_type_details(const MemoryReader& memory, GoVersion version,
                                        AddressRange types, const TypeDescriptor& head) {
  return DetailsReader(memory, version, types, head).read();
}

// Source: src/internal/abi/type.go, Name: a byte of flags, the length as a varint, the bytes.
Result<DescribedName> decode_type_name(const MemoryReader& memory, Address at) {
  constexpr std::uint8_t kEmbedded = 8;
  auto flags = read_unsigned<std::uint8_t>(memory, at);
  if (!flags) return std::move(flags).error().in("name");
  std::uint64_t length = 0;
  std::uint64_t skip = 1;
  for (unsigned shift = 0;; shift += 7, ++skip) {
    if (shift > 21) return malformed("the length of a name has no end", at);
    auto byte = read_unsigned<std::uint8_t>(memory, wrapping_add(at, skip));
    if (!byte) return std::move(byte).error().in("name");
    length |= std::uint64_t{*byte & 0x7fu} << shift;
    if ((*byte & 0x80) == 0) break;
  }
  if (length > kLongestName) return malformed("a name is absurdly long", at);
  auto text = read_bytes(memory, wrapping_add(at, skip + 1), length);
  if (!text) return std::move(text).error().in("name");
  return DescribedName{.text = std::string(reinterpret_cast<const char*>(text->data()), length),
                       .embedded = (*flags & kEmbedded) != 0};
}

Result<std::string> type_text(const MemoryReader& memory, AddressRange types,
                              const TypeDescriptor& head) {
  if (head.name_offset <= 0 || std::uint64_t(head.name_offset) >= types.bytes())
    return Error{ErrorCode::not_found, "the name of a type made while the program runs",
                 head.address};
  auto name = decode_type_name(memory, wrapping_add(types.begin, head.name_offset));
  if (!name) return std::move(name).error();
  if (head.extra_star && name->text.starts_with('*')) name->text.erase(0, 1);
  return std::move(name->text);
}

}  // namespace cgo
