#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "goruntime/go_runtime.h"
#include "target/debuggee.h"
#include "unwind/c_frames.h"

namespace cgo {

/// What can be known of a pc without registers.
struct CodeInfo {
  const GoRuntime* runtime = nullptr;  ///< Set for Go code.
  std::optional<GoFunction> go;
  std::optional<std::uint32_t> frame_bytes;  ///< Of Go code; nothing when pcsp has no value here.
  bool executable = false;
  bool after_call = false;     ///< The instruction before is a call.
  bool signal_return = false;  ///< In a signal-return trampoline.
};

/// CodeInfo by pc, computed once. Thread-safe. What it says of Go code lives as long as `runtimes`.
class CodeInfoCache {
 public:
  CodeInfoCache();
  ~CodeInfoCache();

  CodeInfo at(const Debuggee& debuggee, const GoRuntimes& runtimes, Address pc);

 private:
  struct Shard;
  std::unique_ptr<Shard[]> shards_;
};

}  // namespace cgo
