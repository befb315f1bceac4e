#pragma once

#include <functional>

#include "values/value_context.h"

namespace cgo {

/// Goes through the entries of a sync.Map, whose keys and values are interfaces, as its Range
/// method has them; the order means nothing. Ends when `visit` returns false. Bounded; fails with
/// what cannot be read, after the entries that could.
using SyncMapVisitor = std::function<bool(const Datum& key, const Datum& value)>;
Result<void> walk_sync_map(const ValueContext& context, const Datum& map,
                           const SyncMapVisitor& visit);

/// What an atomic.Pointer points at, also where it is nil: then without an address. not_found for a
/// type whose pointee is not known.
Result<Datum> atomic_pointee(const ValueContext& context, const Datum& pointer);

}  // namespace cgo
