#include "goruntime/goroutine.h"

#include <algorithm>
#include <cstring>

namespace cgo {
namespace {

constexpr std::uint32_t kScanBit = 0x1000;  // Source: runtime2.go, _Gscan.
/// No kernel gives user space addresses above this (5-level paging on amd64, 52-bit VA on arm64).
constexpr std::uint64_t kHighestAddress = std::uint64_t{1} << 56;
/// A field of the runtime further in than this is a damaged layout, not a field.
constexpr std::uint32_t kLargestStructure = 1 << 20;

/// The bytes of one structure, with access by offset.
class StructureBytes {
 public:
  explicit StructureBytes(std::span<const std::byte> bytes) : bytes_(bytes) {}

  template <class Integer>
  Integer get(FieldOffset field) const {
    Integer value{};
    if (bytes_.size() >= sizeof value && field.bytes <= bytes_.size() - sizeof value)
      std::memcpy(&value, bytes_.data() + field.bytes, sizeof value);
    return value;
  }
  Address address(FieldOffset field) const { return {get<std::uint64_t>(field)}; }
  Address address(OptionalField field) const { return field ? address(*field) : Address{}; }
  bool flag(OptionalField field) const { return field && get<std::uint8_t>(*field) != 0; }

 private:
  std::span<const std::byte> bytes_;
};

std::string_view status_name(GStatus status) {
  switch (status) {
    case GStatus::idle:
      return "idle";
    case GStatus::runnable:
      return "runnable";
    case GStatus::running:
      return "running";
    case GStatus::syscall:
      return "syscall";
    case GStatus::waiting:
      return "waiting";
    case GStatus::dead:
      return "dead";
    case GStatus::copystack:
      return "copystack";
    case GStatus::preempted:
      return "preempted";
    case GStatus::leaked:
      return "leaked";
    case GStatus::deadextra:
      return "deadextra";
  }
  return {};
}

/// A g without a stack is normal while it is dead or not yet used; the g0 of an idle extra M also
/// has none, and the status of every g0 is idle.
Result<void> check_stack(const Goroutine& g) {
  if (!g.alive() && !g.stack.begin && !g.stack.end) return {};
  if (g.stack.empty() || g.stack.end.value > kHighestAddress || g.stack.begin.value < 4096)
    return Error{ErrorCode::malformed_data,
                 "g at " + hex(g.address) + ": stack [" + hex(g.stack.begin) + ", " +
                     hex(g.stack.end) + ") makes no sense",
                 g.address};
  return {};
}

}  // namespace

std::string format_status(GStatus status) {
  const std::string_view name = status_name(status);
  if (!name.empty()) return std::string(name);
  return "status " + std::to_string(static_cast<std::uint32_t>(status));
}

Result<Goroutine> goroutine_from_bytes(std::span<const std::byte> bytes, const GLayout& layout,
                                       Address g) {
  const StructureBytes in(bytes);
  const auto status = in.get<std::uint32_t>(layout.atomicstatus);
  Goroutine out;
  out.address = g;
  out.id = in.get<std::uint64_t>(layout.goid);
  out.stack = {in.address(layout.stack_lo), in.address(layout.stack_hi)};
  out.m = in.address(layout.m);
  out.sched = {in.address(layout.sched_pc), in.address(layout.sched_sp),
               in.address(layout.sched_bp)};
  out.syscall = {in.address(layout.syscallpc), in.address(layout.syscallsp),
                 in.address(layout.syscallbp)};
  out.status = static_cast<GStatus>(status & ~kScanBit);
  out.scanning = (status & kScanBit) != 0;
  out.wait_reason = in.get<std::uint8_t>(layout.waitreason);
  out.wait_since_ns = in.get<std::int64_t>(layout.waitsince);
  out.locked_m = in.address(layout.lockedm);
  out.created_by_pc = in.address(layout.gopc);
  out.start_pc = in.address(layout.startpc);
  if (layout.parent_goid) out.parent_id = in.get<std::uint64_t>(*layout.parent_goid);
  out.labels = in.address(layout.labels);
  auto sane = check_stack(out);
  if (!sane) return std::move(sane).error();
  return out;
}

Result<Goroutine> decode_goroutine(const MemoryReader& memory, const GLayout& layout, Address g) {
  auto bytes = read_bytes(memory, g, layout.bytes, kLargestStructure);
  if (!bytes) return std::move(bytes).error().in("g at " + hex(g));
  return goroutine_from_bytes(*bytes, layout, g);
}

Result<Machine> decode_machine(const MemoryReader& memory, const MLayout& layout, Address m) {
  auto bytes = read_bytes(memory, m, layout.bytes, kLargestStructure);
  if (!bytes) return std::move(bytes).error().in("m at " + hex(m));
  const StructureBytes in(*bytes);
  Machine out;
  out.address = m;
  out.id = in.get<std::int64_t>(layout.id);
  out.procid = in.get<std::uint64_t>(layout.procid);
  out.g0 = in.address(layout.g0);
  out.gsignal = in.address(layout.gsignal);
  out.curg = in.address(layout.curg);
  out.locked_g = in.address(layout.lockedg);
  out.next = in.address(layout.alllink);
  out.vdso_sp = in.address(layout.vdso_sp);
  out.vdso_pc = in.address(layout.vdso_pc);
  out.ncgo = in.get<std::int32_t>(layout.ncgo);
  out.in_cgo = in.flag(layout.incgo);
  out.is_extra = in.flag(layout.isextra);
  out.is_extra_in_c = in.flag(layout.is_extra_in_c);
  return out;
}

}  // namespace cgo
