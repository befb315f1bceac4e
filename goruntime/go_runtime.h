#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "goruntime/go_version.h"
#include "goruntime/goroutine.h"
#include "goruntime/layout.h"
#include "goruntime/pclntab.h"
#include "target/debuggee.h"
#include "target/dwarf.h"
#include "target/image.h"

namespace cgo {

/// One Go runtime in a process: its release, its modules and the way to its goroutines. A process
/// can hold several (a Go program that loads a c-shared library). Holds nothing that changes while
/// the process runs, except its list of modules: find the runtimes again after a module load.
class GoRuntime {
 public:
  struct Parts {
    GoVersion version;
    std::string version_text;  ///< "go1.25.3 X:…", as the binary says.
    std::string image_path;    ///< Of the module with the runtime's code.
    RuntimeLayout layout;
    std::vector<std::unique_ptr<const GoModule>> modules;  ///< The runtime's own first.
    Address last_module;                       ///< The moduledata that the runtime loaded last.
    std::optional<std::int64_t> g_tls_offset;  ///< From the thread pointer (negative on amd64).
    Address allgs, allm;                       ///< Addresses of the variables; 0 when not found.
    Address wait_reason_strings;               ///< runtime.waitReasonStrings; 0 when not found.
    std::vector<std::string> notes;  ///< How things were found, and what was not: for `cgo doctor`.
  };
  explicit GoRuntime(Parts parts) : parts_(std::move(parts)) {}

  const Parts& parts() const { return parts_; }
  GoVersion version() const { return parts_.version; }
  const RuntimeLayout& layout() const { return parts_.layout; }

  /// Whether the runtime has taken in a plugin since this was made.
  bool has_more_modules(const MemoryReader& memory) const;

  const GoModule* module_at(Address pc) const;
  std::optional<GoFunction> function_at(Address pc) const;
  /// The first function of exactly this name in any module, the runtime's own first.
  std::optional<GoFunction> function_named(std::string_view name) const;

  /// The g in the thread's TLS: the running goroutine, or the m's g0 or gsignal; address 0 when the
  /// thread has none (a C thread, a thread that just started).
  Result<Address> current_g(const MemoryReader& memory, Address thread_pointer) const;

  /// All ms through runtime.allm. A circular or damaged list ends with its valid part in `found`
  /// and the reason.
  struct Machines {
    std::vector<Machine> found;
    std::optional<Error> error;
  };
  Machines machines(const MemoryReader& memory) const;
  /// The m whose procid is `tid`; not_found when none: the fall-back where TLS cannot be read.
  Result<Machine> machine_of_thread(const MemoryReader& memory, std::uint64_t tid) const;

  /// Every g of runtime.allgs, dead ones included, in its order. One that cannot be decoded is left
  /// out and its error kept. Without allgs: those the ms lead to, and an error that says so.
  struct Goroutines {
    std::vector<Goroutine> found;
    std::vector<Error> errors;
  };
  Goroutines goroutines(const MemoryReader& memory) const;
  /// The elements of runtime.allgs: every g that was ever made, in the order they were made.
  Result<std::vector<Address>> goroutine_addresses(const MemoryReader& memory) const;

  Result<Goroutine> goroutine(const MemoryReader& memory, Address g) const {
    return decode_goroutine(memory, parts_.layout.g, g);
  }
  Result<Machine> machine(const MemoryReader& memory, Address m) const {
    return decode_machine(memory, parts_.layout.m, m);
  }

  /// "chan receive", "sleep" …: the text of this release for a wait reason number.
  Result<std::string> wait_reason(const MemoryReader& memory, std::uint8_t number) const;
  /// pprof labels of a goroutine, sorted by key.
  Result<std::vector<std::pair<std::string, std::string>>> labels(const MemoryReader& memory,
                                                                  const Goroutine& g) const;

 private:
  Parts parts_;
};

/// How long a goroutine has waited. `now_ns` is CLOCK_MONOTONIC of the machine it runs on, which
/// the runtime's nanotime is too; a core does not keep it. Nothing without it, or where the runtime
/// did not note when the wait began: only a garbage collection that finds a goroutine waiting does,
/// so that the time is at least this, rarely exact. Source: src/runtime/mgcmark.go, markroot; the
/// same in 1.19 to 1.27.
std::optional<std::int64_t> wait_ns(const Goroutine& g, std::optional<std::int64_t> now_ns);

/// What was found in a process.
struct GoRuntimes {
  std::vector<std::unique_ptr<const GoRuntime>> all;
  std::vector<Error> problems;  ///< Go images that could not be used, each with why.

  /// The runtime that has a module at `pc`, or null.
  const GoRuntime* at(Address pc) const;
};

/// Opens (and caches) the debug information of an image; not_found where there is none.
using DwarfSource = std::function<Result<std::shared_ptr<const DwarfInfo>>(const Image&)>;

/// A plugin belongs to the runtime of the program that takes it in; in its file alone it can be
/// looked at as if it were a runtime of its own.
enum class LonePlugins : std::uint8_t { refused, accepted };

/// Finds every Go runtime of a process. `memory` must be able to give relocated data (a process or
/// core first, files behind it). Never fails as a whole.
GoRuntimes find_go_runtimes(const MemoryReader& memory, const ImageMap& images,
                            const DwarfSource& dwarf, LonePlugins plugins = LonePlugins::refused);

}  // namespace cgo
