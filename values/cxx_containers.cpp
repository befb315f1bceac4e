#include "values/cxx_containers.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "target/byte_view.h"
#include "values/cxx_value.h"
#include "values/quote.h"
#include "values/wide_text.h"

// Source of all fields here: libstdc++ of gcc 7 to 15 with the ABI of C++11, include/bits.

namespace cgo {
namespace {

constexpr std::uint64_t kMostElements = std::uint64_t{1} << 47;

struct Known {
  std::string_view name;
  CxxForm show;
};

constexpr Known kKnown[] = {
    {"std::__cxx11::basic_string", show_cxx_string},
    {"std::basic_string_view", show_cxx_string_view},
    {"std::vector", show_cxx_vector},
    {"std::array", show_cxx_array},
    {"std::initializer_list", show_cxx_initializer_list},
    {"std::deque", show_cxx_deque},
    {"std::map", show_cxx_map},
    {"std::multimap", show_cxx_map},
    {"std::set", show_cxx_set},
    {"std::multiset", show_cxx_set},
    {"std::unordered_map", show_cxx_hash_map},
    {"std::unordered_multimap", show_cxx_hash_map},
    {"std::unordered_set", show_cxx_hash_set},
    {"std::unordered_multiset", show_cxx_hash_set},
    {"std::__cxx11::list", show_cxx_list},
    {"std::forward_list", show_cxx_forward_list},
    {"std::tuple", show_cxx_tuple},
    {"std::optional", show_cxx_optional},
    {"std::variant", show_cxx_variant},
    {"std::unique_ptr", show_cxx_unique_pointer},
    {"std::shared_ptr", show_cxx_shared_pointer},
    {"std::weak_ptr", show_cxx_shared_pointer},
    {"std::atomic", show_cxx_atomic},
    {"std::function", show_cxx_function},
    {"std::chrono::duration", show_cxx_duration},
};

/// Whether the bracket that closes the first one is the last character: else it is a class inside.
bool ends_with_arguments(std::string_view name) {
  int depth = 0;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name[i] == '<') ++depth;
    if (name[i] == '>' && --depth == 0) return i + 1 == name.size();
  }
  return false;
}

const Known* known(const Type& type) {
  const std::string_view name = type.name();
  if (type.is_go() || !name.starts_with("std::")) return nullptr;
  const auto at = std::ranges::find(kKnown, name.substr(0, name.find('<')), &Known::name);
  return at == std::end(kKnown) || !ends_with_arguments(name) ? nullptr : at;
}

/// Characters of one (UTF-8), two (UTF-16) or four bytes, quoted; what is no character by its
/// number.
std::string quoted_text(ByteView bytes, std::uint64_t size) {
  if (size == 1)
    return quoted(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  std::string out, pending;
  const auto flush = [&] {
    const std::string text = quoted(pending);
    out += text.substr(1, text.size() - 2);
    pending.clear();
  };
  for (std::uint64_t at = 0; at + size <= bytes.size(); at += size) {
    std::uint32_t unit =
        size == 2 ? *load<std::uint16_t>(bytes, at) : *load<std::uint32_t>(bytes, at);
    if (size == 2 && unit >= 0xd800 && unit < 0xdc00)
      if (const auto low = load<std::uint16_t>(bytes, at + 2); low && *low >> 10 == 0x37) {
        unit = 0x10000 + ((unit - 0xd800) << 10) + (*low - 0xdc00u);
        at += 2;
      }
    if (unit <= 0x10ffff && (unit < 0xd800 || unit >= 0xe000)) {
      append_utf8(pending, unit);
      continue;
    }
    flush();
    out += size == 2 ? fmt::format("\\u{:04x}", unit) : fmt::format("\\U{:08x}", unit);
  }
  flush();
  return '"' + out + '"';
}

Result<void> show_text(CxxValue& v, Address data, std::uint64_t length, std::uint64_t size) {
  if (size != 1 && size != 2 && size != 4)
    return Error{ErrorCode::unsupported, "its characters are not of 1, 2 or 4 bytes"};
  if (length > kMostElements) return cxx_damaged(fmt::format("a text of {} characters", length));
  const std::uint64_t shown = std::min(length, v.limits().text_bytes / size);
  auto bytes = shown == 0 ? Result<std::vector<std::byte>>(std::vector<std::byte>{})
                          : read_bytes(v.memory(), data, shown * size);
  if (!bytes) return std::move(bytes).error();
  Value& value = v.value();
  value.length = length;
  if (shown < length) {
    const std::string_view text(reinterpret_cast<const char*>(bytes->data()), bytes->size());
    if (size == 1) bytes->resize(whole_characters(text));
    value.notes.push_back(fmt::format("cut after {} of {} {}", size == 1 ? bytes->size() : shown,
                                      length, size == 1 ? "bytes" : "characters"));
  }
  value.shape = Value::Shape::scalar;
  value.text = quoted_text(*bytes, size);
  if (shown != 0) v.note_freed(data);
  return {};
}

/// How many characters of the type a pointer leads to take.
std::uint64_t character_bytes(const Datum& pointer) {
  auto target = plain(pointer.type)->target();
  return target ? plain(*target)->bytes() : 0;
}

}  // namespace

bool is_cxx_container(const Type& type) { return known(type) != nullptr; }

Result<void> read_cxx_container(ValueReader& reader, Value& value, unsigned depth) {
  const Known* found = known(*plain(value.datum.type));
  if (found == nullptr) return Error{ErrorCode::unsupported, "it is no container"};
  CxxValue of(reader, value, depth);
  return found->show(of);
}

Result<void> show_cxx_string(CxxValue& v) {
  auto pointer = v.field({"_M_dataplus", "_M_p"});
  if (!pointer) return std::move(pointer).error();
  auto data = load_word(v.memory(), *pointer);
  auto length = v.number({"_M_string_length"});
  auto local = v.field({"_M_local_buf"});
  auto capacity = v.number({"_M_allocated_capacity"});
  if (!data) return std::move(data).error();
  for (auto* number : {&length, &capacity})
    if (!*number) return std::move(*number).error();
  if (!local) return std::move(local).error();
  const std::uint64_t size = character_bytes(*pointer);
  const bool is_local = local->address && *local->address == *data;
  const std::uint64_t room = is_local && size != 0 ? 15 / size : *capacity;
  if (*length > room)
    return cxx_damaged(fmt::format("a length of {} where {} characters fit", *length, room));
  return show_text(v, *data, *length, size);
}

Result<void> show_cxx_string_view(CxxValue& v) {
  auto pointer = v.field({"_M_str"});
  auto data = v.word({"_M_str"});
  auto length = v.number({"_M_len"});
  if (!pointer) return std::move(pointer).error();
  if (!data) return std::move(data).error();
  if (!length) return std::move(length).error();
  return show_text(v, *data, *length, character_bytes(*pointer));
}

/// std::vector<bool>: one bit each.
static Result<void> show_bits(CxxValue& v) {
  auto first = v.word({"_M_impl", "_M_start", "_M_p"});
  auto last = v.word({"_M_impl", "_M_finish", "_M_p"});
  auto from = v.number({"_M_impl", "_M_start", "_M_offset"});
  auto to = v.number({"_M_impl", "_M_finish", "_M_offset"});
  auto element = v.type().template_argument(0);
  if (!first) return std::move(first).error();
  if (!last) return std::move(last).error();
  if (!from) return std::move(from).error();
  if (!to) return std::move(to).error();
  if (!element) return std::move(element).error();
  if (*first > *last || *from != 0 || no_address(*last) || *to > 63 ||
      last->value - first->value > kMostElements)
    return cxx_damaged("its end is before its beginning");
  const std::uint64_t count = (last->value - first->value) * 8 + *to;
  const std::uint64_t shown = std::min(count, v.limits().elements);
  auto bytes = read_bytes(v.memory(), *first, (shown + 7) / 8);
  if (shown != 0 && !bytes) return std::move(bytes).error();
  if (shown != 0) v.note_freed(*first);
  if (!v.begin(Value::Shape::elements, count)) return {};
  for (std::uint64_t i = 0; i < shown && v.goes_on(); ++i) {
    const bool bit = (std::to_integer<unsigned>((*bytes)[i / 8]) >> i % 8 & 1) != 0;
    Datum one{.type = *element};
    one.bytes = std::vector<std::byte>(std::max<std::uint64_t>((*element)->bytes(), 1));
    one.bytes->front() = std::byte{bit};
    v.add_element(std::move(one));
  }
  v.end(count);
  return {};
}

Result<void> show_cxx_vector(CxxValue& v) {
  auto start = v.field({"_M_impl", "_M_start"});
  if (!start) return std::move(start).error();
  if (kind_of(start->type) != TypeKind::pointer) return show_bits(v);
  auto first = load_word(v.memory(), *start);
  auto last = v.word({"_M_impl", "_M_finish"}), end = v.word({"_M_impl", "_M_end_of_storage"});
  auto element = plain(start->type)->target();
  for (auto* word : {&first, &last, &end})
    if (!*word) return std::move(*word).error();
  if (!element) return std::move(element).error();
  const std::uint64_t bytes = (*element)->bytes();
  if (bytes == 0) return Error{ErrorCode::not_found, "the size of its elements is not known"};
  if (*first > *last || *last > *end || (last->value - first->value) % bytes != 0 ||
      (!*first && *last))
    return cxx_damaged("its beginning, end and capacity do not agree");
  if (no_address(*end)) return cxx_damaged("its elements would be at " + hex(*first));
  const std::uint64_t count = (last->value - first->value) / bytes;
  return v.show_sequence(*element, *first, count,
                         fmt::format("len {}, cap {}", count, (end->value - first->value) / bytes));
}

Result<void> show_cxx_array(CxxValue& v) {
  auto all = v.field({"_M_elems"});
  if (!all) return std::move(all).error();
  if (kind_of(all->type) != TypeKind::array) {  // Of no elements.
    v.begin(Value::Shape::elements, 0);
    return {};
  }
  if (v.depth() == 0) {
    v.begin(Value::Shape::elements, plain(all->type)->length().value_or(1));
    return {};
  }
  // The array is no level of its own.
  Value elements = v.part({}, *std::move(all));
  v.become(std::move(elements));
  return {};
}

Result<void> show_cxx_initializer_list(CxxValue& v) {
  auto pointer = v.field({"_M_array"});
  auto first = v.word({"_M_array"});
  auto count = v.number({"_M_len"});
  if (!pointer) return std::move(pointer).error();
  if (!first) return std::move(first).error();
  if (!count) return std::move(count).error();
  auto element = plain(pointer->type)->target();
  if (!element) return std::move(element).error();
  return v.show_sequence(*element, *first, *count);
}

/// Blocks of 512 bytes, or of one larger element, named by an array of pointers.
Result<void> show_cxx_deque(CxxValue& v) {
  auto current = v.field({"_M_impl", "_M_start", "_M_cur"});
  if (!current) return std::move(current).error();
  auto element = plain(current->type)->target();
  if (!element) return std::move(element).error();
  const std::uint64_t bytes = (*element)->bytes();
  if (bytes == 0) return Error{ErrorCode::not_found, "the size of its elements is not known"};
  const std::uint64_t in_block = bytes < 512 ? 512 / bytes : 1;
  Address at[2][3];  // Of start and finish: current, first, node.
  constexpr std::string_view kEnds[] = {"_M_start", "_M_finish"};
  constexpr std::string_view kParts[] = {"_M_cur", "_M_first", "_M_node"};
  for (int end = 0; end < 2; ++end)
    for (int part = 0; part < 3; ++part) {
      auto word = v.word({"_M_impl", kEnds[end], kParts[part]});
      if (!word) return std::move(word).error();
      at[end][part] = *word;
    }
  const auto [start, start_block, start_node] = at[0];
  const auto [finish, finish_block, finish_node] = at[1];
  const auto index_in = [&](Address here, Address block) {
    return (here.value - block.value) / bytes;
  };
  const std::uint64_t skipped = index_in(start, start_block);
  if (!start_block || start < start_block || finish < finish_block || start_node > finish_node ||
      skipped >= in_block || index_in(finish, finish_block) > in_block ||
      (finish_node.value - start_node.value) % 8 != 0 ||
      finish_node.value - start_node.value > kMostElements)
    return cxx_damaged("its beginning and end do not agree");
  if (no_address(finish) || no_address(finish_node))
    return cxx_damaged("its elements would be at " + hex(start));
  const std::uint64_t end =
      (finish_node.value - start_node.value) / 8 * in_block + index_in(finish, finish_block);
  if (end < skipped) return cxx_damaged("its end is before its beginning");
  v.note_freed(start_node);
  if (!v.begin(Value::Shape::elements, end - skipped)) return {};
  Address block;
  for (std::uint64_t i = skipped; i < end && v.goes_on(); ++i) {
    if (i == skipped || i % in_block == 0) {
      auto next =
          read_unsigned<std::uint64_t>(v.memory(), wrapping_add(start_node, i / in_block * 8));
      if (!next) {
        v.value().error = std::move(next).error();
        return {};
      }
      block = {*next};
    }
    v.add_element(datum_at(*element, wrapping_add(block, i % in_block * bytes)));
  }
  v.end(end - skipped);
  return {};
}

}  // namespace cgo
