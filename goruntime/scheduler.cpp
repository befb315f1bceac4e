#include "goruntime/scheduler.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "goruntime/structure_members.h"
#include "target/byte_view.h"

namespace cgo {
namespace {

constexpr std::uint64_t kMostProcessors = 1 << 16, kMostQueued = 10'000'000;
constexpr std::uint64_t kMostProcessorBytes = 1 << 20;
constexpr std::uint32_t kPointerBytes = 8;

SizedField field(StructureMembers& structure, const char* name) {
  return {structure.offset(name), structure.bytes(name)};
}

/// The unsigned number in a field of a structure that was read whole; 0 outside of it.
std::uint64_t number(ByteView structure, SizedField field) {
  std::uint64_t out = 0;
  const auto bytes = slice(structure, field.offset, std::min<std::uint32_t>(field.bytes, 8));
  if (bytes) std::memcpy(&out, bytes->data(), bytes->size());
  return out;
}

std::int64_t signed_number(ByteView structure, SizedField field) {
  const std::uint64_t value = number(structure, field);
  return field.bytes == 4 ? static_cast<std::int32_t>(value) : static_cast<std::int64_t>(value);
}

Result<std::int64_t> read_number(const MemoryReader& memory, Address base, SizedField field) {
  const std::uint32_t bytes = std::min<std::uint32_t>(field.bytes, 8);
  auto read = read_bytes(memory, wrapping_add(base, field.offset), bytes);
  if (!read) return std::move(read).error();
  return signed_number(*read, {0, bytes});
}

Result<Processor> read_processor(const MemoryReader& memory, const SchedulerLayout& layout,
                                 Address p) {
  auto bytes = read_bytes(memory, p, layout.p_bytes, kMostProcessorBytes);
  if (!bytes) return std::move(bytes).error();
  Processor out;
  out.id = static_cast<std::int32_t>(number(*bytes, layout.p_id));
  out.status = static_cast<PStatus>(number(*bytes, layout.p_status));
  out.m = {number(*bytes, layout.p_m)};
  out.scheduled = static_cast<std::uint32_t>(number(*bytes, layout.p_scheduled));
  out.syscalls = static_cast<std::uint32_t>(number(*bytes, layout.p_syscalls));
  if (const std::uint64_t next = number(*bytes, layout.p_next)) out.queue.push_back({next});
  const auto head = static_cast<std::uint32_t>(number(*bytes, layout.p_queue_head));
  const auto tail = static_cast<std::uint32_t>(number(*bytes, layout.p_queue_tail));
  const std::uint32_t places = layout.p_queue.bytes / kPointerBytes;
  out.queue_length = tail - head;
  if (places == 0 || out.queue_length > places)
    return Error{ErrorCode::malformed_data,
                 "the run queue of P " + std::to_string(out.id) + " has impossible ends", p};
  for (std::uint32_t i = head; i != tail; ++i)
    out.queue.push_back(
        {number(*bytes, {layout.p_queue.offset + i % places * kPointerBytes, kPointerBytes})});
  return out;
}

void read_processors(const MemoryReader& memory, const SchedulerLayout& layout, Address allp,
                     SchedulerState& out) {
  const auto list = read_pointer(memory, allp);
  const auto length = read_unsigned<std::uint64_t>(memory, wrapping_add(allp, kPointerBytes));
  if (!list || !length) {
    out.problems.push_back(Error(list ? length.error() : list.error()).in("runtime.allp"));
    return;
  }
  if (*length > kMostProcessors) {
    out.problems.push_back({ErrorCode::malformed_data,
                            "runtime.allp has " + std::to_string(*length) + " elements", allp});
    return;
  }
  for (std::uint64_t i = 0; i < *length; ++i) {
    const auto p = read_pointer(memory, wrapping_add(*list, i * kPointerBytes));
    auto processor = p ? read_processor(memory, layout, *p) : Result<Processor>(p.error());
    if (processor)
      out.processors.push_back(*std::move(processor));
    else
      out.problems.push_back(std::move(processor).error().in("P " + std::to_string(i)));
  }
}

/// The goroutines of the global queue, each linked to the next.
void read_global_queue(const MemoryReader& memory, const SchedulerLayout& layout, Address head,
                       SchedulerState& out) {
  const auto most = static_cast<std::uint64_t>(
      std::clamp<std::int64_t>(out.queue_length, 0, static_cast<std::int64_t>(kMostQueued)));
  Address g = head;
  while (g && out.queue.size() < most) {
    out.queue.push_back(g);
    const auto next = read_pointer(memory, wrapping_add(g, layout.g_link.offset));
    if (!next) {
      out.problems.push_back(Error(next.error()).in("the global run queue"));
      return;
    }
    g = *next;
  }
  if (g || out.queue.size() != most)
    out.problems.push_back({ErrorCode::malformed_data,
                            "the global run queue has not the length that the runtime counted: " +
                                std::to_string(out.queue_length),
                            head});
}

void read_machines(const MemoryReader& memory, const GoRuntime& runtime,
                   const SchedulerLayout& layout, SchedulerState& out) {
  GoRuntime::Machines all = runtime.machines(memory);
  if (all.error) out.problems.push_back(Error(*all.error).in("runtime.allm"));
  const std::uint32_t bytes = runtime.layout().m.bytes;
  for (Machine& one : all.found) {
    const auto whole = read_bytes(memory, one.address, bytes, kMostProcessorBytes);
    if (!whole) {
      out.problems.push_back(Error(whole.error()).in("M " + std::to_string(one.id)));
      continue;
    }
    SchedulerMachine& added = out.machines.emplace_back();
    added.p = {number(*whole, layout.m_p)};
    added.spinning = number(*whole, layout.m_spinning) != 0;
    added.blocked = number(*whole, layout.m_blocked) != 0;
    added.locks = static_cast<std::int32_t>(number(*whole, layout.m_locks));
    added.cgo_calls = number(*whole, layout.m_cgo_calls);
    added.machine = std::move(one);
  }
  std::ranges::sort(out.machines, {}, [](const SchedulerMachine& m) { return m.machine.id; });
}

}  // namespace

std::string format_status(PStatus status) {
  switch (status) {
    case PStatus::idle:
      return "idle";
    case PStatus::running:
      return "running";
    case PStatus::syscall:
      return "syscall";
    case PStatus::gcstop:
      return "gcstop";
    case PStatus::dead:
      return "dead";
  }
  return "status " + std::to_string(static_cast<std::uint32_t>(status));
}

Result<SchedulerLayout> scheduler_layout_from_dwarf(const DwarfInfo& dwarf) {
  StructureMembers sched(dwarf, "runtime.schedt"), p(dwarf, "runtime.p"), m(dwarf, "runtime.m"),
      g(dwarf, "runtime.g"), queue(dwarf, "runtime.gQueue");
  SchedulerLayout out;
  out.idle_machines = field(sched, "nmidle");
  out.idle_processors = field(sched, "npidle");
  out.spinning = field(sched, "nmspinning");
  out.stop_wait = field(sched, "stopwait");
  out.gc_waiting = field(sched, "gcwaiting");
  out.sysmon_waiting = field(sched, "sysmonwait");
  out.idle_locked = field(sched, "nmidlelocked");
  out.made_machines = field(sched, "mnext");
  out.freed_machines = field(sched, "nmfreed");
  const SizedField whole = field(sched, "runq");
  out.queue_head = field(queue, "head");
  out.queue_head.offset += whole.offset;
  if (sched.find("runqsize") != nullptr) {
    out.queue_size = field(sched, "runqsize");
  } else {  // Since Go 1.25 a gQueue knows its size.
    out.queue_size = field(queue, "size");
    out.queue_size.offset += whole.offset;
  }
  out.p_bytes = p.size();
  out.p_id = field(p, "id");
  out.p_status = field(p, "status");
  out.p_m = field(p, "m");
  out.p_scheduled = field(p, "schedtick");
  out.p_syscalls = field(p, "syscalltick");
  out.p_queue_head = field(p, "runqhead");
  out.p_queue_tail = field(p, "runqtail");
  out.p_queue = field(p, "runq");
  out.p_next = field(p, "runnext");
  out.m_p = field(m, "p");
  out.m_spinning = field(m, "spinning");
  out.m_blocked = field(m, "blocked");
  out.m_locks = field(m, "locks");
  out.m_cgo_calls = field(m, "ncgocall");
  out.g_link = field(g, "schedlink");
  for (const StructureMembers* one : {&sched, &p, &m, &g, &queue})
    if (one->error()) return *one->error();
  return out;
}

Result<SchedulerState> read_scheduler(const MemoryReader& memory, const GoRuntime& runtime,
                                      const SchedulerLayout& layout,
                                      const SchedulerPlaces& places) {
  SchedulerState out;
  std::int64_t made = 0, freed = 0, gc_waiting = 0, sysmon_waiting = 0;
  const std::pair<SizedField, std::int64_t*> numbers[] = {
      {layout.idle_machines, &out.idle_threads}, {layout.idle_processors, &out.idle_processors},
      {layout.spinning, &out.spinning},          {layout.idle_locked, &out.idle_locked},
      {layout.stop_wait, &out.stop_wait},        {layout.made_machines, &made},
      {layout.freed_machines, &freed},           {layout.gc_waiting, &gc_waiting},
      {layout.sysmon_waiting, &sysmon_waiting},  {layout.queue_size, &out.queue_length},
  };
  for (const auto& [field, value] : numbers) {
    auto read = read_number(memory, places.sched, field);
    if (!read) return std::move(read).error().in("runtime.sched");
    *value = *read;
  }
  out.threads = made - freed;
  out.gc_waiting = gc_waiting != 0;
  out.sysmon_waiting = sysmon_waiting != 0;
  auto most = read_number(memory, places.gomaxprocs, {0, 4});
  if (!most) return std::move(most).error().in("runtime.gomaxprocs");
  out.gomaxprocs = *most;
  const auto head = read_pointer(memory, wrapping_add(places.sched, layout.queue_head.offset));
  if (head)
    read_global_queue(memory, layout, *head, out);
  else
    out.problems.push_back(Error(head.error()).in("the global run queue"));
  read_processors(memory, layout, places.allp, out);
  read_machines(memory, runtime, layout, out);
  return out;
}

}  // namespace cgo
