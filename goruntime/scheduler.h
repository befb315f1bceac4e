#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "goruntime/go_runtime.h"
#include "target/dwarf.h"

namespace cgo {

/// A field by its place and size: 4 or 8 bytes, or fewer.
struct SizedField {
  std::uint32_t offset = 0;
  std::uint32_t bytes = 0;
};

/// Where the scheduler keeps what GODEBUG=schedtrace prints. Source: src/runtime/proc.go,
/// schedtrace; runtime2.go, p, m and schedt, Go 1.19 to 1.27.
struct SchedulerLayout {
  // runtime.schedt:
  SizedField idle_machines, idle_processors, spinning, stop_wait, gc_waiting, sysmon_waiting,
      idle_locked, made_machines, freed_machines, queue_head, queue_size;
  // runtime.p:
  std::uint32_t p_bytes = 0;
  SizedField p_id, p_status, p_m, p_scheduled, p_syscalls, p_queue_head, p_queue_tail, p_queue,
      p_next;
  // runtime.m:
  SizedField m_p, m_spinning, m_blocked, m_locks, m_cgo_calls;
  SizedField g_link;  ///< runtime.g.schedlink.
};

/// The layout the binary's debug information gives; not_found where Go's DWARF was stripped.
Result<SchedulerLayout> scheduler_layout_from_dwarf(const DwarfInfo& dwarf);

/// Where the scheduler's variables are.
struct SchedulerPlaces {
  Address sched, allp, gomaxprocs;
};

/// p.status. Source: src/runtime/runtime2.go, _Pidle and following.
enum class PStatus : std::uint32_t { idle = 0, running = 1, syscall = 2, gcstop = 3, dead = 4 };

/// "idle", "running" …; "status 17" for a number no release has.
std::string format_status(PStatus status);

/// A runtime.p: the right to run Go code.
struct Processor {
  std::int32_t id = 0;
  PStatus status = PStatus::idle;
  Address m;                                  ///< 0 when no M has it.
  std::uint32_t scheduled = 0, syscalls = 0;  ///< schedtick, syscalltick.
  std::vector<Address> queue;  ///< Goroutines that wait for it, in their order; runnext first.
  /// Length of the ring, as schedtrace prints it: without runnext.
  std::uint32_t queue_length = 0;
};

/// An M beside what Machine has.
struct SchedulerMachine {
  Machine machine;
  Address p;  ///< 0 when it has none.
  bool spinning = false, blocked = false;
  std::int32_t locks = 0;
  std::uint64_t cgo_calls = 0;  ///< Calls from Go to C that it made.
};

/// The scheduler at one stop.
struct SchedulerState {
  std::int64_t gomaxprocs = 0, threads = 0, idle_threads = 0, idle_processors = 0, spinning = 0,
               idle_locked = 0, stop_wait = 0;
  bool gc_waiting = false, sysmon_waiting = false;
  std::int64_t queue_length = 0;  ///< Of the global run queue, as the runtime counts it.
  std::vector<Address> queue;     ///< Its goroutines, in order.
  std::vector<Processor> processors;
  std::vector<SchedulerMachine> machines;  ///< By id.
  std::vector<Error> problems;             ///< What could not be read, or makes no sense.
};

/// Reads the scheduler. Fails when its own structure cannot be read; parts that cannot be are left
/// out and in `problems`.
Result<SchedulerState> read_scheduler(const MemoryReader& memory, const GoRuntime& runtime,
                                      const SchedulerLayout& layout, const SchedulerPlaces& places);

}  // namespace cgo
