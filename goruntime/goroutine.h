#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "goruntime/layout.h"
#include "target/address.h"
#include "target/memory_reader.h"
#include "target/result.h"

namespace cgo {

/// What runtime.gobuf keeps of a goroutine that does not run.
struct SavedRegisters {
  Address pc, sp, bp;
};

/// g.atomicstatus without the scan bit.
/// Source: src/runtime/runtime2.go, _Gidle and following; leaked and deadextra since 1.26.
enum class GStatus : std::uint32_t {
  idle = 0,
  runnable = 1,
  running = 2,
  syscall = 3,
  waiting = 4,
  dead = 6,
  copystack = 8,
  preempted = 9,
  leaked = 10,
  deadextra = 11,
};

/// "waiting", "running" …; "status 17" for a number no release has.
std::string format_status(GStatus status);

/// A runtime.g as read from memory.
struct Goroutine {
  Address address;
  std::uint64_t id = 0;  ///< goid; 0 for g0 and gsignal.
  AddressRange stack;    ///< [stack.lo, stack.hi).
  Address m;             ///< 0 when no m runs it.
  SavedRegisters sched;
  SavedRegisters
      syscall;  ///< syscallsp/pc/bp; sp is 0 when not in a system call. bp 0 before 1.23.
  GStatus status = GStatus::idle;
  bool scanning = false;  ///< The 0x1000 bit.
  std::uint8_t wait_reason = 0;
  std::int64_t wait_since_ns = 0;  ///< runtime.nanotime when it blocked; 0 when not recorded.
  Address locked_m;
  Address created_by_pc;  ///< gopc: a return address in the function that said `go`.
  Address start_pc;
  std::optional<std::uint64_t> parent_id;  ///< Absent before Go 1.21.
  Address labels;                          ///< *labelMap / label set of pprof, or 0.

  bool alive() const {
    return status != GStatus::idle && status != GStatus::dead && status != GStatus::deadextra;
  }
};

/// A runtime.m as read from memory.
struct Machine {
  Address address;
  std::int64_t id = 0;
  std::uint64_t procid = 0;  ///< The thread's tid; 0 before the thread ran.
  Address g0, gsignal, curg, locked_g;
  Address next;  ///< alllink: the m made before this one, or 0.
  Address vdso_sp, vdso_pc;
  std::int32_t ncgo = 0;
  bool in_cgo = false;
  bool is_extra = false;       ///< Bound to a thread that C created (1.21+).
  bool is_extra_in_c = false;  ///< … which is in C now, outside any callback: no goroutine runs.
};

/// Reads a runtime.g in one read. malformed_data when its stack bounds make no sense.
Result<Goroutine> decode_goroutine(const MemoryReader& memory, const GLayout& layout, Address g);
/// The same from `bytes`, a runtime.g that was read from `g`; they must be layout.bytes long.
Result<Goroutine> goroutine_from_bytes(std::span<const std::byte> bytes, const GLayout& layout,
                                       Address g);
/// Reads a runtime.m in one read.
Result<Machine> decode_machine(const MemoryReader& memory, const MLayout& layout, Address m);

}  // namespace cgo
