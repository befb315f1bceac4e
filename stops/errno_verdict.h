#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "crossings/catalogue.h"
#include "values/datum.h"

namespace cgo {

/// "ENOENT", or "errno 4711" for a number Linux does not have.
std::string errno_name(int number);

/// What C's errno was around one call from Go to C.
struct ErrnoFacts {
  CrossingPoint::Form form = CrossingPoint::Form::cfunc;
  std::optional<int> before, after;  ///< Of the thread; nothing where it could not be read.
  std::optional<int> returned;       ///< What a `_C2func_` gives to Go.
  /// Whether the result is what C functions say failure with: -1 or a negative number, a null
  /// pointer. Nothing for results that tell nothing (none, unsigned, a structure).
  std::optional<bool> failed;
};

/// What is wrong with how Go sees errno.
struct ErrnoVerdict {
  std::string id;  ///< "errno.lost", "errno.on-success".
  std::string text;
};

/// At most one verdict: errno.lost when the call set errno, looks failed, and is of the form that
/// drops it; errno.on-success when Go gets an errno of a call that does not look failed. An errno
/// of an earlier call never reaches Go: the stubs of all releases clear it first
/// (src/cmd/cgo/out.go, writeOutputFunc).
std::optional<ErrnoVerdict> errno_verdict(const ErrnoFacts& facts, const std::string& function);

/// Whether a result says failure; see ErrnoFacts::failed.
std::optional<bool> looks_failed(const MemoryReader& memory, const Datum& result);

}  // namespace cgo
