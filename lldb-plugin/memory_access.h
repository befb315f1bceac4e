#pragma once

#include <lldb/API/LLDB.h>

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "lldb-plugin/subject.h"
#include "target/core_file.h"
#include "target/image.h"
#include "target/mapping.h"
#include "target/memory_reader.h"

namespace cgo {

/// The memory of one stop of a process, as fast as it can be read here.
struct StopMemory {
  std::shared_ptr<const MemoryReader> reader;
  bool parallel = false;               ///< Several threads may read at once.
  std::optional<std::int64_t> now_ns;  ///< CLOCK_MONOTONIC, for a process of this machine.
  Provenance provenance;
  /// The mappings of the process where they are known without asking LLDB, read when they are asked
  /// for first; empty, or null from it, elsewhere.
  std::function<const MappingList*()> mappings;
  /// The process, where it runs on this machine.
  std::optional<std::int32_t> local_pid;
  /// Of a core whose file could be read: LLDB takes longer for a frame than a whole walk does.
  std::vector<CoreThread> core_threads;
};

/// How the memory of one process of LLDB is reached: decided once for the process, because proving
/// that it runs on this machine, or mapping its core, costs more than a stop should.
class MemoryAccess {
 public:
  explicit MemoryAccess(lldb::SBProcess process);

  /// The process or core alone, without files of this machine: what images are checked against.
  std::shared_ptr<const MemoryReader> raw() const { return raw_; }

  /// The memory of the current stop. In a live process code comes from the files of verified images
  /// first, which hides breakpoint instructions; what a core lacks comes from files last.
  StopMemory of_stop(std::shared_ptr<const ImageMap> images) const;

 private:
  bool open_core();
  bool open_local();

  mutable lldb::SBProcess process_;  // LLDB has no const methods.
  std::shared_ptr<const MemoryReader> raw_;
  bool parallel_ = false, local_ = false, core_ = false;
  Provenance provenance_;
  std::function<const MappingList*()> mappings_of_core_;
  std::vector<CoreThread> core_threads_;
};

}  // namespace cgo
