#pragma once

#include <memory>

#include "lldb-plugin/command_context.h"
#include "owners/heap_snapshot.h"

namespace cgo {

/// All blocks at a stop; what is missing is added to the answer's warnings.
std::unique_ptr<HeapSnapshot> heap_of(const Stop& stop, Answer& answer,
                                      const HeapSnapshot::Options& options);

/// `cgo heap export`: writes a file.
Answer run_heap_export(CommandContext& context, const CommandLine& line);

}  // namespace cgo
