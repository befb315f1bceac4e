#include "support/type_builder.h"

namespace cgo {
namespace {

constexpr std::uint8_t kUncommon = 1, kNamed = 4, kDirect = 32;

std::uint64_t aligned(std::uint64_t value, std::uint64_t to) { return (value + to - 1) / to * to; }

}  // namespace

Address TypeBuilder::reserve(std::uint64_t bytes) {
  const Address at{next_};
  next_ += aligned(bytes, 8);
  return at;
}

Address TypeBuilder::data(std::uint64_t bytes) {
  const Address at{next_data_};
  next_data_ += aligned(bytes + 32, 16);
  for (std::uint64_t i = 0; i < bytes; ++i) memory_.u8({at.value + i}, 0);
  return at;
}

Address TypeBuilder::name(const std::string& text, bool embedded) {
  const Address at = reserve(text.size() + 3);
  memory_.u8(at, embedded ? 8 : 0).u8({at.value + 1}, std::uint8_t(text.size() & 0x7f));
  std::uint64_t skip = 2;
  if (text.size() > 0x7f) {
    memory_.u8({at.value + 1}, std::uint8_t(text.size() | 0x80));
    memory_.u8({at.value + 2}, std::uint8_t(text.size() >> 7));
    skip = 3;
  }
  memory_.text({at.value + skip}, text);
  return at;
}

void TypeBuilder::words(Address at, const std::vector<std::uint64_t>& values) {
  for (std::size_t i = 0; i < values.size(); ++i) memory_.u64({at.value + i * 8}, values[i]);
}

Address TypeBuilder::head(GoKind kind, std::uint64_t bytes, const std::string& text,
                          std::uint64_t more, std::uint8_t flags) {
  const Address text_at = name(text);
  const Address at = reserve(TypeDescriptor::kBytes + more);
  const bool direct = kind == GoKind::pointer || kind == GoKind::map || kind == GoKind::channel ||
                      kind == GoKind::function || kind == GoKind::unsafe_pointer;
  const bool in_flags = version_.minor >= 26;
  if (direct && in_flags) flags |= kDirect;
  words(at, {bytes, 0});
  memory_.u32({at.value + 16}, std::uint32_t(at.value)).u8({at.value + 20}, flags);
  memory_.u8({at.value + 21}, 8).u8({at.value + 22}, 8);
  memory_.u8({at.value + 23}, std::uint8_t(kind) | (direct && !in_flags ? kDirect : 0));
  words({at.value + 24}, {0, 0});
  memory_.u32({at.value + 40}, std::uint32_t(text_at.value - kTypes.value)).u32({at.value + 44}, 0);
  return at;
}

Address TypeBuilder::basic(GoKind kind, std::uint64_t bytes, const std::string& name) {
  return head(kind, bytes, name, 0, kNamed);
}

Address TypeBuilder::pointer(Address element, const std::string& name) {
  const Address at = head(GoKind::pointer, 8, name, 8, 0);
  words({at.value + 48}, {element.value});
  return at;
}

Address TypeBuilder::slice(Address element, const std::string& name) {
  const Address at = head(GoKind::slice, 24, name, 8, 0);
  words({at.value + 48}, {element.value});
  return at;
}

Address TypeBuilder::array(Address element, std::uint64_t length, std::uint64_t bytes,
                           const std::string& name) {
  const Address at = head(GoKind::array, bytes, name, 24, 0);
  words({at.value + 48}, {element.value, 0, length});
  return at;
}

Address TypeBuilder::structure(const std::vector<Field>& fields, std::uint64_t bytes,
                               const std::string& text, const std::string& package) {
  std::vector<std::uint64_t> rows;
  for (const Field& field : fields) {
    rows.push_back(name(field.name, field.embedded).value);
    rows.push_back(field.type.value);
    rows.push_back(field.offset);
  }
  const Address table = reserve(rows.size() * 8);
  words(table, rows);
  const Address path = package.empty() ? Address{} : name(package);
  const bool named = !package.empty();
  const Address at = head(GoKind::structure, bytes, text, 32 + 16, named ? kNamed | kUncommon : 0);
  words({at.value + 48}, {0, table.value, fields.size(), fields.size()});
  if (named) {
    memory_.u32({at.value + 80}, std::uint32_t(path.value - kTypes.value));
    memory_.u32({at.value + 84}, 0).u32({at.value + 88}, 16).u32({at.value + 92}, 0);
  }
  return at;
}

Address TypeBuilder::interface(const std::vector<std::string>& methods, const std::string& text) {
  const Address table = reserve(methods.size() * 8 + 8);
  for (std::size_t i = 0; i < methods.size(); ++i)
    memory_.u32({table.value + i * 8}, std::uint32_t(name(methods[i]).value - kTypes.value))
        .u32({table.value + i * 8 + 4}, 0xffffffff);
  const Address at = head(GoKind::interface, 16, text, 32, 0);
  words({at.value + 48}, {0, table.value, methods.size(), methods.size()});
  return at;
}

Address TypeBuilder::map(Address key, Address element, Address unit, const std::string& name) {
  const Address at = head(GoKind::map, 8, name, 24, 0);
  words({at.value + 48}, {key.value, element.value, unit.value});
  return at;
}

Address TypeBuilder::channel(Address element, std::uint64_t direction, const std::string& name) {
  const Address at = head(GoKind::channel, 8, name, 16, 0);
  words({at.value + 48}, {element.value, direction});
  return at;
}

Address TypeBuilder::function(const std::vector<Address>& in, const std::vector<Address>& out,
                              const std::string& name) {
  const Address at = head(GoKind::function, 8, name, 8 + (in.size() + out.size()) * 8, 0);
  words({at.value + 48}, {in.size() | out.size() << 16});
  std::uint64_t next = at.value + 56;
  for (const auto* list : {&in, &out})
    for (const Address type : *list) {
      memory_.pointer({next}, type);
      next += 8;
    }
  return at;
}

Address TypeBuilder::group(Address key, std::uint64_t key_bytes, Address element,
                           std::uint64_t element_bytes) {
  const std::uint64_t at_element = aligned(key_bytes, std::min<std::uint64_t>(element_bytes, 8));
  const std::uint64_t slot_bytes = aligned(at_element + element_bytes, 8);
  const Address control = basic(GoKind::uint64, 8, "uint64");
  const Address slot = structure({{"key", key, 0}, {"elem", element, at_element}}, slot_bytes, "");
  const Address slots = array(slot, 8, slot_bytes * 8, "");
  return structure({{"ctrl", control, 0}, {"slots", slots, 8}}, 8 + slot_bytes * 8, "");
}

Address TypeBuilder::bucket(Address key, std::uint64_t key_bytes, Address element,
                            std::uint64_t element_bytes) {
  const Address byte = basic(GoKind::uint8, 1, "uint8");
  const Address top = array(byte, 8, 8, "[8]uint8");
  const Address keys = array(key, 8, key_bytes * 8, "");
  const Address elements = array(element, 8, element_bytes * 8, "");
  const Address word = basic(GoKind::unsafe_pointer, 8, "unsafe.Pointer");
  const std::uint64_t overflow = 8 + 8 * (key_bytes + element_bytes);
  return structure({{"topbits", top, 0},
                    {"keys", keys, 8},
                    {"elems", elements, 8 + 8 * key_bytes},
                    {"overflow", word, overflow}},
                   overflow + 8, "");
}

}  // namespace cgo
