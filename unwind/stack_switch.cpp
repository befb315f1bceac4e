#include "unwind/stack_switch.h"

#include <algorithm>
#include <array>

#include "unwind/go_frames.h"

namespace cgo {
namespace {

using Step = Result<std::optional<Switched>>;

constexpr unsigned kRdx = 1, kRbx = 3, kR12 = 12, kR13 = 13, kR14 = 14, kR15 = 15;

/// Where asmcgocall keeps what it needs to get back, in bytes from SP once its C callee returns.
/// `depth` is g.stack.hi - SP because a callback may move the goroutine's stack; with g == 0
/// ("nosave": already on a system stack) it is the old SP itself. Source: src/runtime/asm_amd64.s,
/// asmcgocall; measured in every release of the table.
struct CgoCallSlots {
  GoVersion first, last;
  std::uint32_t depth, g;
};
constexpr std::array kCgoCallSlotsAmd64{
    CgoCallSlots{.first = {19, 0}, .last = {21, 999}, .depth = 0x28, .g = 0x30},
    CgoCallSlots{.first = {22, 0}, .last = {27, 999}, .depth = 0x00, .g = 0x08},
};

/// Callee-saved registers in crosscall2's frame, in bytes below its CFA.
struct CrosscallSaves {
  GoVersion first, last;
  std::uint32_t rbx, rbp, r12, r13, r14, r15;
};
constexpr std::array kCrosscallSavesAmd64{
    CrosscallSaves{.first = {19, 0},
                   .last = {21, 999},
                   .rbx = 0x38,
                   .rbp = 0x10,
                   .r12 = 0x30,
                   .r13 = 0x28,
                   .r14 = 0x20,
                   .r15 = 0x18},
    CrosscallSaves{.first = {22, 0},
                   .last = {27, 999},
                   .rbx = 0x40,
                   .rbp = 0x10,
                   .r12 = 0x38,
                   .r13 = 0x30,
                   .r14 = 0x28,
                   .r15 = 0x20},
};

template <class Rows>
auto row_for(const Rows& rows, GoVersion version) -> const typename Rows::value_type* {
  for (const auto& row : rows)
    if (row.first.minor <= version.minor && version.minor <= row.last.minor) return &row;
  return nullptr;
}

bool inside(const Goroutine& g, Address sp) { return g.stack.begin < sp && sp <= g.stack.end; }

/// An ordinary step out of `site`, as if its stack pointer were `sp`.
Step step_as_if(const SwitchSite& site, Address sp, std::uint32_t frame_bytes, const char* rule) {
  Registers moved = site.registers;
  moved.set_sp(sp);
  auto step = step_go(site.memory, frame_bytes, moved);
  if (!step) return std::move(step).error().in(rule);
  return Switched{.registers = step->caller, .cfa = step->cfa, .rule = rule};
}

/// On with what the goroutine's own gobuf says: sched.pc is a return address.
Step continue_at_sched(const SwitchContext& context, const SwitchSite& site, const char* rule) {
  const SavedRegisters& sched = context.user->sched;
  Registers registers(site.registers.arch());
  registers.set_pc(sched.pc);
  registers.set_sp(sched.sp);
  registers.set_fp(sched.bp);
  return Switched{
      .registers = registers, .cfa = sched.sp, .crossing = Crossing::system_stack, .rule = rule};
}

bool has_sched(const SwitchContext& context) {
  return context.user && context.user->sched.sp && inside(*context.user, context.user->sched.sp);
}

bool on_gsignal(const SwitchContext& context, Address sp) {
  return context.gsignal && inside(*context.gsignal, sp);
}

/// The SP that asmcgocall left, as its slots say. malformed_data when they cannot be slots.
Result<Address> sp_from_slots(const SwitchContext& context, const SwitchSite& site) {
  const Address sp = site.registers.sp();
  const CgoCallSlots* slots = row_for(kCgoCallSlotsAmd64, site.version);
  if (slots == nullptr)
    return Error{ErrorCode::unsupported,
                 "no asmcgocall slots for go" + format_go_version(site.version), sp};
  auto g = read_pointer(site.memory, wrapping_add(sp, slots->g));
  if (!g) return std::move(g).error().in("asmcgocall's saved g");
  auto depth = read_unsigned<std::uint64_t>(site.memory, wrapping_add(sp, slots->depth));
  if (!depth) return std::move(depth).error().in("asmcgocall's saved depth");
  if (!*g) {
    if (Address{*depth} > sp) return Address{*depth};
    return Error{ErrorCode::malformed_data, "asmcgocall: the saved SP does not lie outside", sp};
  }
  if (!context.user || context.user->address != *g)
    return Error{ErrorCode::malformed_data,
                 "asmcgocall: the saved g " + hex(*g) + " is not the goroutine of this stack", sp};
  const AddressRange& stack = context.user->stack;
  if (*depth == 0 || *depth >= stack.bytes())
    return Error{ErrorCode::malformed_data, "asmcgocall: the saved depth exceeds the stack", sp};
  return Address{stack.end.value - *depth};
}

/// From asmcgocall's frame on the system stack to the stack it left.
Step leave_asmcgocall(const SwitchContext& context, const SwitchSite& site) {
  // What asmcgocall takes from the system stack in any release, with alignment.
  constexpr std::uint64_t kNosaveReach = 0x80;
  const Address sp = site.registers.sp();
  if (context.on_user_stack(sp)) return std::optional<Switched>{};
  auto from_slots = sp_from_slots(context, site);
  if (site.innermost) {
    // Between the switch and the call the slots are not written yet; the old SP is in rdx.
    const Address old_sp{site.registers.get(kRdx).value_or(0)};
    if (has_sched(context) && old_sp == context.user->sched.sp)
      return step_as_if(site, old_sp, site.frame_bytes, "asmcgocall, innermost: old SP in rdx");
    const bool nosave = old_sp >= sp && old_sp.value - sp.value <= kNosaveReach;
    if (nosave && !(from_slots && context.on_user_stack(*from_slots)))
      return step_as_if(site, old_sp, site.frame_bytes, "asmcgocall, innermost: old SP in rdx");
  }
  if (!from_slots) return std::move(from_slots).error();
  return step_as_if(site, *from_slots, site.frame_bytes, "asmcgocall: saved SP");
}

/// systemstack pushes nothing on the system stack: where it was called from is in the goroutine's
/// gobuf. A systemstack on a system stack makes a tail call, so it is never an outer frame there.
Step leave_systemstack(const SwitchContext& context, const SwitchSite& site) {
  const Address sp = site.registers.sp();
  if (!site.innermost && context.user_error && !on_gsignal(context, sp))
    return Error(*context.user_error).in("systemstack");
  if (context.on_user_stack(sp) || on_gsignal(context, sp) || !has_sched(context))
    return std::optional<Switched>{};
  const bool switched = !site.innermost || (context.g0 && sp == context.g0->sched.sp);
  if (!switched) return std::optional<Switched>{};
  auto step = step_as_if(site, context.user->sched.sp, site.frame_bytes, "systemstack: sched");
  if (step && *step) (*step)->crossing = Crossing::system_stack;
  return step;
}

Step leave_morestack(const SwitchContext& context, const SwitchSite& site) {
  const Address sp = site.registers.sp();
  if (context.on_user_stack(sp)) return std::optional<Switched>{};
  if (has_sched(context) && !on_gsignal(context, sp))
    return continue_at_sched(context, site, "morestack: sched");
  if (site.innermost) return std::optional<Switched>{};
  // copystack sets g.stack.lo, g.stack.hi and g.sched.sp one after the other.
  if (context.user_error) return Error(*context.user_error).in("morestack");
  if (context.user && context.user->sched.sp != Address{} && !on_gsignal(context, sp))
    return Error{ErrorCode::malformed_data,
                 "morestack: the goroutine's stack is being moved; its saved SP lies outside",
                 context.user->sched.sp};
  return Switched{.registers = site.registers, .cfa = {}, .rule = "morestack", .ends_stack = true};
}

Step leave_mcall(const SwitchContext& context, const SwitchSite& site) {
  if (context.on_user_stack(site.registers.sp())) return std::optional<Switched>{};
  if (has_sched(context)) return continue_at_sched(context, site, "mcall: sched");
  if (context.user_error && !site.innermost) return Error(*context.user_error).in("mcall");
  return Switched{.registers = site.registers, .cfa = {}, .rule = "mcall", .ends_stack = true};
}

/// gogo has loaded the goroutine's SP but not yet jumped to its pc.
Step leave_gogo(const SwitchContext& context, const SwitchSite& site) {
  if (!site.innermost || !context.on_user_stack(site.registers.sp()))
    return std::optional<Switched>{};
  Registers registers = site.registers;
  registers.set_pc(context.user->sched.pc);
  return Switched{.registers = registers,
                  .origin = CodeAddress::Origin::program_counter,
                  .cfa = registers.sp(),
                  .rule = "gogo: sched.pc"};
}

Step leave_goexit(const SwitchContext&, const SwitchSite& site) {
  return Switched{.registers = site.registers,
                  .cfa = {},
                  .rule = "goexit",
                  .ends_stack = true,
                  .stop = StopReason::goroutine_entry};
}

Step leave_rt0_go(const SwitchContext&, const SwitchSite& site) {
  return Switched{.registers = site.registers, .cfa = {}, .rule = "rt0_go", .ends_stack = true};
}

/// Functions that call the vDSO on the system stack while the goroutine is still current.
Step leave_vdso_caller(const SwitchContext& context, const SwitchSite& site) {
  const Address sp = site.registers.sp();
  if (context.vdso_sp && context.vdso_sp > Address{8} && !on_gsignal(context, sp)) {
    Registers registers(site.registers.arch());
    registers.set_pc(context.vdso_pc);
    registers.set_sp(context.vdso_sp);
    // The function pushed the frame pointer right below its return address.
    if (auto fp = read_pointer(site.memory, {context.vdso_sp.value - 16});
        fp && site.frame_bytes >= 8)
      registers.set_fp(*fp);
    return Switched{.registers = registers,
                    .cfa = context.vdso_sp,
                    .crossing = Crossing::system_stack,
                    .rule = "vDSO: m.vdsoSP",
                    .uses_vdso = true};
  }
  // A few instructions before and after the call: the old SP is still in r12.
  const Address old_sp{site.registers.get(kR12).value_or(0)};
  if (site.innermost && !context.on_user_stack(sp) && context.on_user_stack(old_sp))
    return step_as_if(site, old_sp, site.frame_bytes, "vDSO, innermost: old SP in r12");
  return std::optional<Switched>{};
}

/// Functions that align the stack for a call of C and keep the pointer that they had in rbx, where
/// pclntab knows nothing of the alignment. Source: src/runtime/sys_linux_amd64.s.
Step leave_aligned_caller(const SwitchContext&, const SwitchSite& site) {
  constexpr std::uint64_t kAlignment = 16;
  const auto kept = site.registers.get(kRbx);
  const Address sp = site.registers.sp();
  if (site.innermost || !kept || *kept < sp.value || *kept - sp.value >= kAlignment)
    return std::optional<Switched>{};
  return step_as_if(site, {*kept}, site.frame_bytes, "SP before its alignment in rbx");
}

struct Row {
  FuncId id;  ///< FuncId::normal: by name instead.
  std::string_view name;
  Step (*apply)(const SwitchContext&, const SwitchSite&);
};

constexpr std::array kRows{
    Row{FuncId::asmcgocall, "", leave_asmcgocall},
    Row{FuncId::systemstack, "", leave_systemstack},
    Row{FuncId::morestack, "", leave_morestack},
    Row{FuncId::mcall, "", leave_mcall},
    Row{FuncId::gogo, "", leave_gogo},
    Row{FuncId::goexit, "", leave_goexit},
    Row{FuncId::rt0_go, "", leave_rt0_go},
    Row{FuncId::normal, "runtime.nanotime1", leave_vdso_caller},
    Row{FuncId::normal, "runtime.walltime", leave_vdso_caller},
    Row{FuncId::normal, "runtime.vgetrandom1", leave_vdso_caller},
    Row{FuncId::normal, "time.now", leave_vdso_caller},
    Row{FuncId::normal, "runtime.callCgoSigaction", leave_aligned_caller},
    Row{FuncId::normal, "runtime.callCgoMmap", leave_aligned_caller},
    Row{FuncId::normal, "runtime.callCgoMunmap", leave_aligned_caller},
    Row{FuncId::normal, "runtime.sigfwd", leave_aligned_caller},
};

}  // namespace

Result<std::optional<Switched>> switch_stack(const SwitchContext& context, const SwitchSite& site) {
  for (const Row& row : kRows) {
    const bool fits =
        row.id == FuncId::normal ? site.function.name == row.name : site.function.id == row.id;
    if (fits) return row.apply(context, site);
  }
  return std::optional<Switched>{};
}

Result<void> restore_c_registers(const MemoryReader& memory, GoVersion version, Address cfa,
                                 Registers& caller) {
  const CrosscallSaves* saves = row_for(kCrosscallSavesAmd64, version);
  if (saves == nullptr)
    return Error{ErrorCode::unsupported,
                 "no crosscall2 save area for go" + format_go_version(version), cfa};
  const std::pair<unsigned, std::uint32_t> registers[] = {
      {kRbx, saves->rbx}, {caller.arch().dwarf_fp, saves->rbp},
      {kR12, saves->r12}, {kR13, saves->r13},
      {kR14, saves->r14}, {kR15, saves->r15}};
  for (const auto& [number, below] : registers) {
    const auto at = checked_sub(cfa, below);
    if (!at) return Error{ErrorCode::malformed_data, "crosscall2's frame is too low", cfa};
    auto value = read_unsigned<std::uint64_t>(memory, *at);
    if (!value) return std::move(value).error().in("crosscall2's saved registers");
    caller.set(number, *value);
  }
  return {};
}

Result<Registers> registers_from_ucontext(const MemoryReader& memory, const ArchInfo& arch,
                                          Address ucontext) {
  constexpr std::uint64_t kGregsOffset = 40;
  // DWARF numbers in the order of the structure: r8-r15 rdi rsi rbp rbx rdx rax rcx rsp rip.
  constexpr std::array<std::uint8_t, 17> kOrder{8, 9, 10, 11, 12, 13, 14, 15, 5,
                                                4, 6, 3,  1,  0,  2,  7,  16};
  const auto at = checked_add(ucontext, kGregsOffset);
  if (!at) return Error{ErrorCode::malformed_data, "ucontext wraps the address space", ucontext};
  std::array<std::uint64_t, kOrder.size()> values{};
  auto done = memory.read(*at, std::as_writable_bytes(std::span(values)));
  if (!done) return std::move(done).error().in("registers saved by the signal");
  Registers registers(arch);
  for (std::size_t i = 0; i < kOrder.size(); ++i) registers.set(kOrder[i], values[i]);
  return registers;
}

}  // namespace cgo
