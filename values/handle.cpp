#include "values/handle.h"

#include "values/evaluate.h"
#include "values/sync_map.h"

namespace cgo {
namespace {

/// Whether a key of the table, an interface with a uintptr, is the handle.
Result<bool> is_handle(const ValueContext& context, const Datum& key, std::uint64_t handle) {
  auto held = dynamic_value(context, key);
  if (!held) return std::move(held).error();
  if (!*held || kind_of((*held)->type) != TypeKind::unsigned_integer) return false;
  auto number = load_unsigned(context.memory(), **held);
  if (!number) return std::move(number).error();
  return *number == handle;
}

}  // namespace

Result<Datum> value_of_handle(const ValueContext& context, std::uint64_t handle) {
  auto table = context.variable_named("runtime/cgo.handles");
  if (!table) return std::move(table).error();
  std::optional<Datum> found;
  std::optional<Error> lost;
  auto done = walk_sync_map(context, *table, [&](const Datum& key, const Datum& value) {
    auto wanted = is_handle(context, key, handle);
    if (!wanted)
      lost = lost ? lost : std::move(wanted).error();
    else if (*wanted)
      found = value;
    return !found;
  });
  if (found) return *std::move(found);
  if (!done) return std::move(done).error().in("runtime/cgo.handles");
  if (lost) return std::move(*lost).in("runtime/cgo.handles");
  return Error{ErrorCode::not_found, "the handle is not in use"};
}

}  // namespace cgo
