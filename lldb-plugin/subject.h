#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "goruntime/go_runtime.h"
#include "target/debuggee.h"
#include "unwind/symbolizer.h"
#include "unwind/unwinder.h"
#include "values/describe_address.h"

namespace cgo {

/// What stays the same while the images of a process do: survives stops. Thread-safe once made.
struct Program {
  std::shared_ptr<const ImageMap> images;
  DwarfSource dwarf;
  GoRuntimes runtimes;
  std::unique_ptr<const Symbolizer> symbolizer;
  std::shared_ptr<UnwindCache> unwind_cache;
};

/// `memory` has the process or core first and files behind it.
std::shared_ptr<const Program> make_program(std::shared_ptr<const ImageMap> images,
                                            const MemoryReader& memory,
                                            LonePlugins plugins = LonePlugins::refused);

/// What `cgo doctor` tells of where a stop comes from.
struct Provenance {
  std::string kind;                ///< "process 4711", "ELF core FILE" …
  std::string reader;              ///< "LLDB 22.1.8", "lldb-cgo itself".
  std::string memory;              ///< Where bytes are read from, in order.
  std::vector<std::string> lacks;  ///< What should be there and is not: a core cut short …
};

class KeptPanics;

/// One stop of a process, or a core, ready to be asked.
struct Stop {
  std::shared_ptr<const Program> program;
  std::unique_ptr<const Debuggee> debuggee;
  std::unique_ptr<const Unwinder> unwinder;
  std::unique_ptr<const AddressDescriber> addresses;  ///< What they are; knows more with each.
  bool parallel = false;  ///< Several threads may ask at once, after `before_parallel`.
  std::function<void()> before_parallel;  ///< May be empty.
  std::optional<std::int64_t> now_ns;     ///< CLOCK_MONOTONIC of the process, where it is known.
  Provenance provenance;
  std::shared_ptr<KeptPanics> kept_panics;  ///< Of the process; null where none can be.
};

/// What a command looks at: LLDB's selected process, or a core opened by itself.
class Subject {
 public:
  virtual ~Subject() = default;
  /// The current stop. Fails when there is none: the process runs, has ended, or cannot be read.
  virtual Result<std::shared_ptr<const Stop>> stop() = 0;
  /// The tid of the thread that commands without --thread are about.
  virtual std::optional<std::uint64_t> selected_thread() = 0;
  /// The goroutine that is selected where goroutines are listed as threads; selected_thread() is
  /// nothing then.
  virtual std::optional<std::uint64_t> selected_goroutine() { return std::nullopt; }
  /// The frame `cgo frame` selected on a thread at this stop, by number.
  virtual std::optional<std::size_t> selected_frame(std::uint64_t) { return std::nullopt; }
};

}  // namespace cgo
