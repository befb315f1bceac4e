#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "goruntime/go_version.h"
#include "target/address.h"
#include "target/memory_reader.h"
#include "target/result.h"

namespace cgo {

/// The runtime's funcIDs that unwinding cares about, independent of a release's numbering;
/// functions without one that matter here (crosscall2, sigtramp, nanotime1 …) are known by name.
/// Source: src/internal/abi/symtab.go (1.21+), src/runtime/symtab.go (1.19, 1.20).
enum class FuncId : std::uint8_t {
  normal,
  abort,
  asmcgocall,
  async_preempt,
  cgocallback,
  corostart,
  debug_call_v2,
  gc_bg_mark_worker,
  goexit,
  gogo,
  gopanic,
  handle_async_event,
  mcall,
  morestack,
  mstart,
  panicwrap,
  rt0_go,
  runfinq,
  runtime_main,
  run_finalizers,
  run_cleanups,
  sigpanic,
  systemstack,
  systemstack_switch,
  wrapper,
  unknown,  ///< A number this release's table does not have.
};

/// The numbering of one release: index with the byte in _func.
std::span<const FuncId> func_ids_for(GoVersion version);

class GoModule;
struct FuncRecord;

/// One function of a pclntab. Views live as long as its GoModule.
struct GoFunction {
  const GoModule* module = nullptr;
  Address entry;
  Address end;            ///< Entry of the next function in the table.
  std::string_view name;  ///< As in pclntab: "main.(*T).Method", generics as "main.F[...]".
  FuncId id = FuncId::normal;
  std::uint32_t offset = 0;      ///< Of its _func in pclntable.
  std::uint32_t start_line = 0;  ///< Line of its `func` keyword; 0 before Go 1.20.
  /// Of what it is given on the stack, results included; nothing where only the call knows.
  std::optional<std::uint32_t> argument_bytes = std::nullopt;
  /// Where it goes on after a panic that one of its deferred functions recovered; 0 for none.
  Address recovery = {};
};

/// One source-level function at a pc of Go code.
struct GoSourceFrame {
  std::string_view function;
  std::string_view file;
  std::uint32_t line = 0;
  bool inlined = false;
  FuncId id = FuncId::normal;
};

/// The function table of one Go module (executable, plugin or shared object), decoded from the
/// bytes that its moduledata points at. Immutable; thread-safe. Nothing in the table is trusted.
/// Looking a function up is a binary search in the table's own bytes; a pc-value table is decoded
/// at each question, so who asks for the same pc again and again should remember the answer.
class GoModule {
 public:
  /// Where the tables of a module lie, as its moduledata says (load addresses).
  struct Tables {
    Address moduledata;
    Address text, etext, minpc, maxpc, gofunc;
    AddressRange types;  ///< Type descriptors and their names; empty when not known.
    std::span<const std::byte> funcnametab, cutab, filetab, pctab, pclntable, ftab;
    std::uint64_t ftab_entries = 0;  ///< Functions plus one: the last row only ends the one before.
    std::span<const std::byte> gofunc_bytes;     ///< From `gofunc` on, as much as could be read.
    std::uint8_t minimum_instruction_bytes = 1;  ///< As pcHeader says; the unit of pc deltas.
    std::shared_ptr<const void> owner;           ///< Keeps the spans alive.
  };

  GoModule(Tables tables, GoVersion version) : tables_(std::move(tables)), version_(version) {}

  const Tables& tables() const { return tables_; }
  GoVersion version() const { return version_; }
  bool contains(Address pc) const { return tables_.minpc <= pc && pc < tables_.maxpc; }

  /// The function whose code covers `pc`, or nothing: outside the module, or a damaged table.
  std::optional<GoFunction> function_at(Address pc) const;
  /// The first function of exactly this name, or nothing. The answer is remembered.
  std::optional<GoFunction> function_named(std::string_view name) const;

  /// Calls `visit` for each function of the table, by address; rows that are damaged are left out.
  void each_function(const std::function<void(const GoFunction&)>& visit) const;

  /// Bytes the function has below its return address at `pc` (the pcsp table): CFA = SP + this + 8.
  Result<std::uint32_t> frame_bytes(const GoFunction& function, Address pc) const;

  /// The functions at `pc`, innermost first, through the inline tree. `pc` is a look-up address:
  /// for a return address, one byte back. One byte before the entry counts as the entry:
  /// cgocallback of 1.19 and 1.20 pushes the entry of systemstack_switch as a return address.
  Result<std::vector<GoSourceFrame>> source_frames(const GoFunction& function, Address pc) const;

  /// A value of PCDATA table `table` at `pc`; -1 when the function has none there.
  Result<std::int32_t> pcdata(const GoFunction& function, std::uint32_t table, Address pc) const;
  /// What FUNCDATA number `index` of the function points at, to the end of what could be read;
  /// empty when it has none.
  std::span<const std::byte> funcdata(const GoFunction& function, std::uint32_t index) const;

 private:
  struct Position {
    std::string_view file;
    std::uint32_t line = 0;
  };
  struct InlinedCall {
    struct CallSite {
      std::int32_t parent = -1;
      std::int32_t file = -1;
      std::uint32_t line = 0;
    };
    std::uint8_t func_id = 0;
    std::uint32_t name_offset = 0;
    std::uint32_t parent_pc = 0;    ///< From the entry; since 1.20.
    std::optional<CallSite> outer;  ///< Up to 1.19.
  };

  FuncId func_id(std::uint8_t number) const;
  std::optional<std::string_view> name_at(std::uint32_t offset) const;
  std::string_view file_of(const FuncRecord& record, std::int32_t number) const;
  std::size_t rows() const;
  std::optional<GoFunction> function_in_row(std::size_t row) const;
  std::optional<GoFunction> find_function_named(std::string_view name) const;
  Result<std::int32_t> value_at(std::uint32_t table, const GoFunction& function, Address pc) const;
  Result<Position> position_at(const GoFunction& function, const FuncRecord& record,
                               Address pc) const;
  std::optional<InlinedCall> inlined_call(std::uint32_t tree, std::uint32_t index) const;
  Result<void> add_inlined(const GoFunction& function, const FuncRecord& record, std::uint32_t tree,
                           Address pc, Position& position,
                           std::vector<GoSourceFrame>& frames) const;

  Tables tables_;
  GoVersion version_;
  mutable std::mutex names_mutex_;
  mutable std::map<std::string, std::optional<GoFunction>, std::less<>> functions_by_name_;
};

}  // namespace cgo
