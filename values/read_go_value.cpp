#include <fmt/format.h>

#include "goruntime/go_channel.h"
#include "goruntime/go_interface.h"
#include "target/byte_view.h"
#include "values/format_value.h"
#include "values/quote.h"
#include "values/value_reader.h"

namespace cgo {
namespace {

constexpr std::uint64_t kAddressSpace = std::uint64_t{1} << 47;

bool reaches_too_far(Address data, std::uint64_t count, std::uint64_t bytes) {
  return count > kAddressSpace || (bytes != 0 && count > kAddressSpace / bytes) ||
         !checked_add(data, count * bytes);
}

Datum datum_of(const Type* type, Address at, ByteView bytes) {
  Datum out = datum_at(type, at);
  if (bytes.size() == type->bytes() && !bytes.empty())
    out.bytes = std::vector<std::byte>(bytes.begin(), bytes.end());
  return out;
}

}  // namespace

void ValueReader::read_go_string(Value& value) {
  auto text = load_go_string(memory(), value.datum, limits_.text_bytes);
  if (!text) {
    value.error = std::move(text).error();
    if (auto header = load_word(memory(), value.datum, 8)) {
      value.length = header->value;
      if (!value.datum.holes.empty())
        value.error->message += fmt::format(" (len {})", header->value);
    }
    return;
  }
  value.length = text->length;
  const bool cut = text->text.size() < text->length;
  if (cut) {
    text->text.resize(whole_characters(text->text));
    value.notes.push_back(fmt::format("cut after {} of {} bytes", text->text.size(), text->length));
  }
  value.text = quoted(text->text);
}

/// What is known of a slice whose elements are lost.
void ValueReader::say_kept_lengths(Value& value) {
  const auto length = load_word(memory(), value.datum, 8);
  const auto capacity = load_word(memory(), value.datum, 16);
  std::string known;
  if (length) known = fmt::format("len {}", length->value);
  if (capacity) known += fmt::format("{}cap {}", known.empty() ? "" : ", ", capacity->value);
  if (length) value.length = length->value;
  if (!known.empty()) value.error->message += " (" + known + ")";
}

void ValueReader::read_slice(Value& value, unsigned depth) {
  value.shape = Value::Shape::elements;
  auto slice = load_slice(memory(), value.datum);
  if (!slice) {
    value.error = std::move(slice).error();
    say_kept_lengths(value);
    return;
  }
  value.length = slice->length;
  if (!slice->data && slice->length == 0) {
    value.text = "nil";
    return;
  }
  value.text = fmt::format("len {}", slice->length);
  if (slice->capacity)
    value.text += fmt::format(", cap {}", *slice->capacity);
  else if (const auto lost = load_word(memory(), value.datum, 16); !lost)
    value.notes.push_back("capacity: " + lost.error().message);
  // What lies beyond the capacity is none of its elements.
  if (slice->length != 0) note_freed(value, slice->data);
  const std::uint64_t count = std::min(slice->length, slice->capacity.value_or(slice->length));
  if (count < slice->length)
    value.notes.push_back(
        fmt::format("damaged: its length is above its capacity; no more than {} are read", count));
  const std::uint64_t bytes = slice->element->bytes();
  if (reaches_too_far(slice->data, count, bytes)) {
    value.error = Error{ErrorCode::malformed_data, "no memory is as large as it says", slice->data};
    return;
  }
  Datum first = datum_at(slice->element, slice->data);
  // One read for all that is shown.
  const std::uint64_t shown = std::min(count, limits_.elements);
  if (depth > 0 && shown * bytes <= kMostDatumBytes)
    if (auto all = read_bytes(memory(), slice->data, shown * bytes)) first.bytes = *std::move(all);
  read_elements(value, first, slice->element, count, depth);
}

void ValueReader::read_map(Value& value, unsigned depth) {
  value.shape = Value::Shape::entries;
  const Type* type = plain(value.datum.type);
  auto map = load_word(memory(), value.datum);
  if (!map) {
    value.error = std::move(map).error();
    return;
  }
  if (!*map) {
    value.text = "nil";
    value.length = 0;
    return;
  }
  auto count = map_count(memory(), *map);
  if (!count) {
    value.error = std::move(count).error();
    return;
  }
  value.length = *count;
  value.text = fmt::format("len {}", *count);
  if (depth == 0) {
    if (*count != 0) value.notes.push_back("cut: nested deeper than asked for");
    return;
  }
  auto key = type->key(), element = type->target();
  auto shape = context_.map_shape_of(*type);
  if (!key || !element || !shape) {
    value.error = !key       ? std::move(key).error()
                  : !element ? std::move(element).error()
                             : std::move(shape).error();
    return;
  }
  const MapWalk walk = walk_map(memory(), *shape, *map, [&](const MapEntry& entry) {
    if (value.children.size() >= limits_.elements || !may_read(value)) return false;
    add_entry(value, datum_of(*key, entry.key, entry.key_bytes),
              datum_of(*element, entry.element, entry.element_bytes), depth);
    return true;
  });
  if (walk.growing) value.notes.push_back("the map is growing");
  if (walk.stopped && value.children.size() < *count)
    value.notes.push_back(fmt::format("cut after {} of {}", value.children.size(), *count));
  if (walk.error) value.error = walk.error;
}

void ValueReader::add_entry(Value& value, Datum key, Datum element, unsigned depth) {
  constexpr std::size_t kLongestKey = 80;
  ++values_;  // The key and the element are two.
  Value key_value = read("key", std::move(key), depth - 1);
  value.children.push_back(
      read("[" + format_inline(key_value, kLongestKey) + "]", std::move(element), depth - 1));
  value.keys.push_back(std::move(key_value));
}

/// What is known of an interface whose value is lost.
void ValueReader::say_kept_type(Value& value) {
  auto words = load_part(memory(), value.datum, 0, 8);
  auto empty = context_.is_empty_interface(*plain(value.datum.type));
  if (!words || !empty || *load<std::uint64_t>(*words, 0) == 0) return;
  words->resize(16);
  auto contents = decode_interface(memory(), *words, *empty);
  if (!contents || !*contents) return;
  if (auto type = context_.dynamic_type((*contents)->type.address))
    value.error->message += " (it holds a value of type " + format_type(**type) + ")";
}

void ValueReader::read_interface(Value& value, unsigned depth) {
  value.shape = Value::Shape::interface;
  const Type* type = plain(value.datum.type);
  auto words = load_part(memory(), value.datum, 0, 16);
  if (!words) {
    value.error = std::move(words).error();
    say_kept_type(value);
    return;
  }
  if (*load<std::uint64_t>(*words, 0) == 0) {
    value.text = "nil";
    if (*load<std::uint64_t>(*words, 8) != 0)
      value.notes.push_back("damaged: it has a value without a type");
    return;
  }
  auto empty = context_.is_empty_interface(*type);
  auto contents = empty ? decode_interface(memory(), *words, *empty)
                        : Result<std::optional<InterfaceContents>>(std::move(empty).error());
  if (!contents) {
    value.error = std::move(contents).error();
    return;
  }
  auto dynamic = context_.dynamic_type((*contents)->type.address);
  if (!dynamic) {
    value.error = std::move(dynamic).error();
    return;
  }
  if (kind_of(*dynamic) == TypeKind::go_interface) {
    value.error = Error{ErrorCode::malformed_data, "an interface cannot hold an interface"};
    return;
  }
  Datum held{.type = *dynamic};
  if ((*contents)->direct()) {
    // The second word is the value itself.
    held = part_of(value.datum, *dynamic, 8);
    if (!held.bytes) held.bytes = std::vector<std::byte>(words->begin() + 8, words->end());
  } else {
    held.address = (*contents)->word;
  }
  // An interface is no level of its own, except that interfaces may hold interfaces.
  const std::pair<Address, const Type*> place{held.address.value_or(Address{}), *dynamic};
  if (!(*contents)->direct() && path_.contains(place)) {
    value.text = format_type(**dynamic);
    value.notes.push_back("points back at a value that holds it");
    return;
  }
  if (!may_read(value)) return;
  path_.insert(place);
  value.children.push_back(read(format_type(**dynamic), std::move(held), depth));
  path_.erase(place);
}

void ValueReader::say_waiters(Value& value, const char* what, std::size_t count,
                              const std::vector<std::uint64_t>& goroutines) {
  if (count == 0) return;
  value.text += fmt::format(", {} {} wait{}", count, what, count == 1 ? "s" : "");
  if (goroutines.empty()) return;
  constexpr std::size_t kMostNamed = 8;
  std::string ids;
  for (std::size_t i = 0; i < std::min(kMostNamed, goroutines.size()); ++i)
    ids += (i == 0 ? "" : ", ") + std::to_string(goroutines[i]);
  if (goroutines.size() > kMostNamed) ids += ", …";
  value.text += fmt::format(" (goroutine{} {})", goroutines.size() == 1 ? "" : "s", ids);
}

void ValueReader::read_channel(Value& value, unsigned depth) {
  value.shape = Value::Shape::elements;
  const Type* type = plain(value.datum.type);
  auto address = load_word(memory(), value.datum);
  if (!address) {
    value.error = std::move(address).error();
    return;
  }
  if (!*address) {
    value.text = "nil";
    return;
  }
  auto channel = decode_channel(memory(), context_.go_version(), *address);
  auto element = type->target();
  if (!channel || !element) {
    value.error = channel ? std::move(element).error() : std::move(channel).error();
    return;
  }
  value.length = channel->count;
  value.text = fmt::format("len {}, cap {}{}", channel->count, channel->capacity,
                           channel->closed ? ", closed" : "");
  const auto ids = [&](const std::vector<ChannelWaiter>& waiters) {
    std::vector<std::uint64_t> out;
    for (const ChannelWaiter& waiter : waiters)
      if (const auto id = context_.goroutine_id(waiter.g)) out.push_back(*id);
    return out;
  };
  say_waiters(value, channel->receivers.size() == 1 ? "receiver" : "receivers",
              channel->receivers.size(), ids(channel->receivers));
  say_waiters(value, channel->senders.size() == 1 ? "sender" : "senders", channel->senders.size(),
              ids(channel->senders));
  if (channel->waiters_error) value.notes.push_back(channel->waiters_error->message);
  if ((*element)->bytes() != channel->element_bytes && channel->capacity != 0) {
    value.error = Error{ErrorCode::malformed_data,
                        "its elements have " + std::to_string(channel->element_bytes) +
                            " bytes, those of its type " + std::to_string((*element)->bytes()),
                        *address};
    return;
  }
  if (channel->count == 0) return;
  if (depth == 0) {
    value.notes.push_back("cut: nested deeper than asked for");
    return;
  }
  const std::uint64_t wanted = std::min(channel->count, limits_.elements);
  std::uint64_t shown = 0;
  for (; shown < wanted && may_read(value); ++shown)
    value.children.push_back(
        read(fmt::format("[{}]", shown), datum_at(*element, channel->element(shown)), depth - 1));
  if (shown < channel->count)
    value.notes.push_back(fmt::format("cut after {} of {}", shown, channel->count));
}

}  // namespace cgo
