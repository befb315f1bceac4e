#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "goruntime/go_version.h"
#include "target/address.h"
#include "target/memory_reader.h"
#include "target/result.h"

namespace cgo {

/// The runtime's funcIDs that unwinding cares about, independent of a release's numbering; functions
/// without one that matter here (crosscall2, sigtramp, nanotime1 …) are known by name.
/// Source: src/internal/abi/symtab.go (1.21+), src/runtime/symtab.go (1.19, 1.20).
enum class FuncId : std::uint8_t {
  normal, abort, asmcgocall, async_preempt, cgocallback, corostart, debug_call_v2,
  gc_bg_mark_worker, goexit, gogo, gopanic, handle_async_event, mcall, morestack, mstart,
  panicwrap, rt0_go, runfinq, runtime_main, run_finalizers, run_cleanups, sigpanic, systemstack,
  systemstack_switch, wrapper,
  unknown,  ///< A number this release's table does not have.
};

/// The numbering of one release: index with the byte in _func.
std::span<const FuncId> func_ids_for(GoVersion version);

class GoModule;

/// One function of a pclntab. Views live as long as its GoModule.
struct GoFunction {
  const GoModule* module = nullptr;
  Address entry;
  Address end;  ///< Entry of the next function in the table.
  std::string_view name;  ///< As in pclntab: "main.(*T).Method", generics as "main.F[...]".
  FuncId id = FuncId::normal;
  std::uint32_t offset = 0;  ///< Of its _func in pclntable.
};

/// One source-level function at a pc of Go code.
struct GoSourceFrame {
  std::string_view function;
  std::string_view file;
  std::uint32_t line = 0;
  bool inlined = false;
  FuncId id = FuncId::normal;
};

/// The function table of one Go module (executable, plugin or shared object), decoded from the bytes
/// that its moduledata points at. Immutable; thread-safe. Nothing in the table is trusted.
class GoModule {
 public:
  /// Where the tables of a module lie, as its moduledata says (load addresses).
  struct Tables {
    Address moduledata;
    Address text, etext, minpc, maxpc, gofunc;
    std::span<const std::byte> funcnametab, cutab, filetab, pctab, pclntable, ftab;
    std::uint64_t ftab_entries = 0;  ///< Functions plus one: the last row only ends the one before.
    std::span<const std::byte> gofunc_bytes;  ///< From `gofunc` on, as much as could be read.
    std::shared_ptr<const void> owner;        ///< Keeps the spans alive.
  };

  GoModule(Tables tables, GoVersion version) : tables_(std::move(tables)), version_(version) {}

  const Tables& tables() const { return tables_; }
  GoVersion version() const { return version_; }
  bool contains(Address pc) const { return tables_.minpc <= pc && pc < tables_.maxpc; }

  /// The function whose code covers `pc`, or nothing: outside the module, or a damaged table.
  std::optional<GoFunction> function_at(Address pc) const;
  /// The first function of exactly this name, or nothing. Scans names once, then is cached.
  std::optional<GoFunction> function_named(std::string_view name) const;

  /// Bytes the function has below its return address at `pc` (the pcsp table): CFA = SP + this + 8.
  Result<std::uint32_t> frame_bytes(const GoFunction& function, Address pc) const;

  /// The functions at `pc`, innermost first, through the inline tree. `pc` is a look-up address: for
  /// a return address, one byte back.
  Result<std::vector<GoSourceFrame>> source_frames(const GoFunction& function, Address pc) const;

 private:
  Tables tables_;
  GoVersion version_;
};

}  // namespace cgo
