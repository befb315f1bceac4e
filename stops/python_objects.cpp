#include "stops/python_objects.h"

#include <algorithm>

namespace cgo {
namespace {

// The same in all releases: PyObject, PyVarObject, PyTypeObject, PyASCIIObject, PyDictObject.
constexpr std::uint64_t kType = 8, kSize = 16, kItems = 24;
constexpr std::uint64_t kName = 24, kStr = 136, kFlags = 168, kBase = 256, kDict = 264, kInit = 296,
                        kNew = 312;
constexpr std::uint64_t kTextLength = 16, kTextState = 32;
constexpr std::uint64_t kDictKeys = 32, kDictValues = 40;
constexpr std::size_t kMostNameBytes = 1024, kMostNameCharacters = 256, kMostItems = 4,
                      kMostKeys = 4096;

void append_utf8(std::string& out, std::uint32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xc0 | c >> 6);
    out += static_cast<char>(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xe0 | c >> 12);
    out += static_cast<char>(0x80 | (c >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (c & 0x3f));
  } else {
    out += static_cast<char>(0xf0 | c >> 18);
    out += static_cast<char>(0x80 | (c >> 12 & 0x3f));
    out += static_cast<char>(0x80 | (c >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (c & 0x3f));
  }
}

Error not_a(const char* what, Address object) {
  return {ErrorCode::malformed_data, std::string("it is no ") + what, object};
}

}  // namespace

Result<Address> PythonObjects::word(Address object, std::uint64_t offset) const {
  const auto at = checked_add(object, offset);
  if (!at) return Error{ErrorCode::malformed_data, "an object wraps the address space", object};
  return read_pointer(memory_, *at);
}

Result<PythonType> PythonObjects::type(Address type) const {
  PythonType out{.at = type};
  const auto name = word(type, kName);
  if (!name) return Error(name.error()).in("tp_name");
  auto text = read_c_string(memory_, *name, kMostNameBytes);
  if (!text) return std::move(text).error().in("tp_name");
  out.c_name = *std::move(text);
  const auto flags = word(type, kFlags);
  if (!flags) return Error(flags.error()).in("tp_flags");
  out.flags = flags->value;
  struct Field {
    Address* to;
    std::uint64_t offset;
  };
  for (const Field& field :
       {Field{&out.base, kBase}, Field{&out.dict, kDict}, Field{&out.str, kStr},
        Field{&out.init, kInit}, Field{&out.make, kNew}}) {
    const auto value = word(type, field.offset);
    if (!value) return Error(value.error()).in("a Python type");
    *field.to = *value;
  }
  return out;
}

Result<PythonType> PythonObjects::type_of(Address object) const {
  const auto at = word(object, kType);
  if (!at) return Error(at.error()).in("ob_type");
  return type(*at);
}

Result<PythonText> PythonObjects::text(Address object, std::size_t limit) const {
  const auto type = type_of(object);
  if (!type) return type.error();
  if (!type->is_str()) return not_a("str", object);
  const auto length = word(object, kTextLength);
  const auto state = read_unsigned<std::uint32_t>(memory_, wrapping_add(object, kTextState));
  if (!length || !state) return length ? state.error() : length.error();
  const unsigned width = *state >> 2 & 7;
  const bool compact = *state >> 5 & 1, ascii = *state >> 6 & 1;
  if (!compact || (width != 1 && width != 2 && width != 4) || (ascii && width != 1))
    return Error{ErrorCode::malformed_data, "it is no compact str", object};
  const std::size_t count = std::min<std::uint64_t>(length->value, limit);
  const auto at = checked_add(object, ascii ? layout_.ascii_data : layout_.compact_data);
  if (!at) return not_a("str", object);
  const auto bytes = read_bytes(memory_, *at, count * width);
  if (!bytes) return bytes.error();
  PythonText out{.cut = length->value > count};
  for (std::size_t i = 0; i < count; ++i) {
    std::uint32_t c = 0;
    std::memcpy(&c, bytes->data() + i * width, width);
    if (c > 0x10ffff || (ascii && c > 0x7f))
      return Error{ErrorCode::malformed_data, "a str has a character that there is not", *at};
    // Half of a surrogate pair, which stands for a byte that was no text, has no form in UTF-8.
    append_utf8(out.utf8, c >= 0xd800 && c <= 0xdfff ? 0xfffd : c);
  }
  return out;
}

Result<std::int64_t> PythonObjects::number(Address object) const {
  const auto type = type_of(object);
  if (!type) return type.error();
  if (!type->is_int()) return not_a("int", object);
  const auto size = word(object, kSize);
  if (!size) return size.error();
  const auto sign_bits = static_cast<std::int64_t>(size->value);
  std::uint64_t digits = 0;
  bool negative = false;
  if (layout_.long_has_tag) {
    digits = size->value >> 3;
    negative = (size->value & 3) == 2;
    if ((size->value & 3) == 1) return std::int64_t{0};
  } else {
    negative = sign_bits < 0;
    digits = negative ? 0 - size->value : size->value;
  }
  constexpr unsigned kDigitBits = 30;
  if (digits > 2) return Error{ErrorCode::unsupported, "an int of many digits", object};
  std::int64_t out = 0;
  for (std::uint64_t i = 0; i < digits; ++i) {
    const auto digit = read_unsigned<std::uint32_t>(memory_, wrapping_add(object, kItems + i * 4));
    if (!digit) return digit.error();
    if (*digit >> kDigitBits != 0) return not_a("int", object);
    out |= static_cast<std::int64_t>(*digit) << kDigitBits * i;
  }
  return negative ? -out : out;
}

Result<PythonObjects::Items> PythonObjects::items(Address tuple) const {
  const auto type = type_of(tuple);
  if (!type) return type.error();
  if (!type->is_tuple()) return not_a("tuple", tuple);
  const auto size = word(tuple, kSize);
  if (!size) return size.error();
  Items out{.more = size->value > kMostItems};
  for (std::uint64_t i = 0; i < std::min<std::uint64_t>(size->value, kMostItems); ++i) {
    const auto item = word(tuple, kItems + i * sizeof(std::uint64_t));
    if (!item) return item.error();
    out.first.push_back(*item);
  }
  return out;
}

/// Source: Objects/dictobject.c: a table of small indices, then the entries in their order.
Result<Address> PythonObjects::dict_item(Address dict, std::string_view key) const {
  const auto type = type_of(dict);
  if (!type) return type.error();
  const auto keys = word(dict, kDictKeys);
  const auto values = word(dict, kDictValues);
  if (!keys || !values) return keys ? values.error() : keys.error();
  if (*values) return Error{ErrorCode::unsupported, "a dict whose values lie apart", dict};
  const auto used = word(*keys, layout_.keys_used);
  if (!used) return used.error();
  std::uint64_t index_bytes = 0, entry_bytes = 24, key_offset = 8;
  if (layout_.keys_have_kinds) {
    const auto sizes = read_unsigned<std::uint32_t>(memory_, wrapping_add(*keys, 8));
    if (!sizes) return sizes.error();
    const unsigned log2_bytes = *sizes >> 8 & 0xff;
    if (log2_bytes > 32) return not_a("dict", dict);
    index_bytes = std::uint64_t{1} << log2_bytes;
    if ((*sizes >> 16 & 0xff) != 0) {
      entry_bytes = 16;
      key_offset = 0;
    }
  } else {
    const auto size = word(*keys, 8);
    if (!size) return size.error();
    if (size->value > UINT32_MAX) return not_a("dict", dict);
    index_bytes = size->value * (size->value <= 0xff ? 1 : size->value <= 0xffff ? 2 : 4);
  }
  const Address entries = wrapping_add(*keys, layout_.keys_indices + index_bytes);
  if (used->value > kMostKeys) return Error{ErrorCode::limit_reached, "a dict of many keys", dict};
  for (std::uint64_t i = 0; i < used->value; ++i) {
    const auto name = word(entries, i * entry_bytes + key_offset);
    const auto value = word(entries, i * entry_bytes + key_offset + sizeof(std::uint64_t));
    if (!name || !value) return name ? value.error() : name.error();
    if (!*name || !*value) continue;
    if (const auto text = this->text(*name, key.size() + 1); text && text->utf8 == key)
      return *value;
  }
  return Address{};
}

Result<std::string> PythonObjects::type_name(const PythonType& type) const {
  if (!type.on_heap()) return type.c_name;
  const auto object = word(type.at, layout_.qualname);
  if (!object) return Error(object.error()).in("ht_qualname");
  const auto name = text(*object, kMostNameCharacters);
  if (!name) return Error(name.error()).in("ht_qualname");
  const auto module = dict_item(type.dict, "__module__");
  const auto module_name =
      module && *module ? text(*module, kMostNameCharacters) : Result<PythonText>(Error{});
  if (!module_name || module_name->utf8 == "builtins" || module_name->utf8 == "__main__")
    return name->utf8;
  return module_name->utf8 + "." + name->utf8;
}

Result<std::uint32_t> PythonObjects::line(Address code, std::int32_t lasti) const {
  constexpr std::size_t kMostTableBytes = 1 << 20;
  constexpr std::uint64_t kBytes = 32;  // PyBytesObject.ob_sval
  const Error none{ErrorCode::not_found, "the code has no line there", code};
  if (!layout_.line_table || lasti < 0) return none;
  const auto first = read_unsigned<std::int32_t>(memory_, wrapping_add(code, layout_.first_line));
  const auto table = word(code, *layout_.line_table);
  if (!first || !table) return first ? table.error() : first.error();
  const auto type = type_of(*table);
  if (!type) return type.error();
  if (!(type->flags & 1UL << 27)) return not_a("bytes", *table);
  const auto size = word(*table, kSize);
  if (!size) return size.error();
  const auto bytes =
      read_bytes(memory_, wrapping_add(*table, kBytes), size->value, kMostTableBytes);
  if (!bytes) return bytes.error();
  const auto line = line_in_table(*bytes, *first, static_cast<std::uint64_t>(lasti) / 2);
  if (!line) return none;
  return *line;
}

namespace {

/// Groups of six bits, the least first; bit 6 says that another follows.
std::uint64_t read_varint(const std::vector<std::byte>& table, std::size_t& at) {
  std::uint64_t out = 0;
  for (unsigned shift = 0; at < table.size() && shift < 60; shift += 6) {
    const auto byte = std::to_integer<std::uint64_t>(table[at++]);
    out |= (byte & 0x3f) << shift;
    if (!(byte & 0x40)) break;
  }
  return out;
}

std::int64_t read_signed_varint(const std::vector<std::byte>& table, std::size_t& at) {
  const std::uint64_t value = read_varint(table, at);
  const auto half = static_cast<std::int64_t>(value >> 1);
  return value & 1 ? -half : half;
}

}  // namespace

std::optional<std::uint32_t> line_in_table(const std::vector<std::byte>& table,
                                           std::int64_t first_line, std::uint64_t unit) {
  constexpr unsigned kNone = 15, kLong = 14, kNoColumns = 13, kOneLine = 10;
  std::int64_t line = first_line;
  std::uint64_t begin = 0;
  for (std::size_t at = 0; at < table.size();) {
    const auto head = std::to_integer<unsigned>(table[at++]);
    if (!(head & 0x80)) return std::nullopt;  // No beginning of an entry.
    const unsigned code = head >> 3 & 15;
    if (code == kLong || code == kNoColumns)
      line += read_signed_varint(table, at);
    else if (code >= kOneLine && code < kNoColumns)
      line += code - kOneLine;
    begin += (head & 7) + 1;
    if (begin > unit) {
      if (code == kNone || line <= 0 || line > INT32_MAX) return std::nullopt;
      return static_cast<std::uint32_t>(line);
    }
    if (line < INT32_MIN || line > INT32_MAX) return std::nullopt;
    // The columns.
    while (at < table.size() && !(std::to_integer<unsigned>(table[at]) & 0x80)) ++at;
  }
  return std::nullopt;
}

}  // namespace cgo
