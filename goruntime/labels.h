#pragma once

#include <string>
#include <utility>
#include <vector>

#include "goruntime/go_version.h"
#include "target/address.h"
#include "target/memory_reader.h"
#include "target/result.h"

namespace cgo {

using Labels = std::vector<std::pair<std::string, std::string>>;

/// pprof labels from what g.labels points at, sorted by key; empty for address 0. Nothing in them
/// is trusted: lengths and counts are capped.
Result<Labels> decode_labels(const MemoryReader& memory, GoVersion version, Address labels);

}  // namespace cgo
