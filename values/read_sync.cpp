#include <fmt/format.h>

#include "values/format_value.h"
#include "values/sync_map.h"
#include "values/value_reader.h"

namespace cgo {

/// Structures of packages sync and sync/atomic that are shown as what they are for.
bool ValueReader::read_container(Value& value, unsigned depth) {
  const Type& type = *plain(value.datum.type);
  if (limits_.raw || !type.is_go()) return false;
  if (type.name() == "sync.Map") return read_sync_map(value, depth);
  if (type.name().starts_with("sync/atomic.Pointer[")) return read_atomic_pointer(value, depth);
  return false;
}

bool ValueReader::read_atomic_pointer(Value& value, unsigned depth) {
  auto pointee = atomic_pointee(context_, value.datum);
  if (!pointee) return false;
  value.shape = Value::Shape::pointer;
  value.text = pointee->address ? hex(*pointee->address) : "nil";
  if (pointee->address) follow(value, *pointee, depth);
  return true;
}

bool ValueReader::read_sync_map(Value& value, unsigned depth) {
  value.shape = Value::Shape::entries;
  constexpr std::size_t kLongestKey = 80;
  std::uint64_t count = 0;
  bool full = depth == 0;
  auto done = walk_sync_map(context_, value.datum, [&](const Datum& key, const Datum& element) {
    ++count;
    full = full || value.children.size() >= limits_.elements || !may_read(value);
    if (full) return true;
    ++values_;  // The key and the element are two.
    Value key_value = read("key", key, depth - 1);
    value.children.push_back(
        read("[" + format_inline(key_value, kLongestKey) + "]", element, depth - 1));
    value.keys.push_back(std::move(key_value));
    return true;
  });
  value.text = fmt::format("len {}", count);
  value.length = count;
  if (depth == 0 && count != 0)
    value.notes.push_back("cut: nested deeper than asked for");
  else if (value.children.size() < count)
    value.notes.push_back(fmt::format("cut after {} of {}", value.children.size(), count));
  if (!done) value.error = std::move(done).error();
  return true;
}

}  // namespace cgo
