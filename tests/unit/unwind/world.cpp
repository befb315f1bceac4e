#include "world.h"

namespace cgo {
namespace {

constexpr GoVersion kVersion{25, 3};
constexpr std::uint32_t kFunctionBytes = 0x40;

// The byte of FuncID in Go 1.25: src/internal/abi/symtab.go.
struct Known {
  const char* name;
  std::uint8_t id;
};
constexpr Known kFunctions[] = {{"main.main", 0},
                                {"main.work", 0},
                                {"main.callback", 0},
                                {"runtime.cgocall", 0},
                                {"runtime.asmcgocall", 2},
                                {"runtime.cgocallback", 4},
                                {"runtime.cgocallbackg", 0},
                                {"crosscall2", 0},
                                {"runtime.systemstack", 21},
                                {"runtime.systemstack_switch", 22},
                                {"runtime.goexit", 8},
                                {"runtime.gopanic", 10},
                                {"runtime.printpanics", 0},
                                {"runtime.gopark", 0},
                                {"runtime.sigpanic", 20},
                                {"runtime.mstart", 14},
                                {"runtime.rt0_go", 16}};

}  // namespace

World::World() {
  PclntabBuilder builder(kVersion);
  std::uint32_t entry = 0;
  for (const Known& known : kFunctions) {
    // systemstack_switch and systemstack only push the frame pointer.
    const bool small = known.id == 21 || known.id == 22 || known.id == 2;
    builder.function({.name = known.name,
                      .entry = entry,
                      .func_id = known.id,
                      .frame = {{kFunctionBytes, small ? 8 : 0x18}},
                      .files = {{kFunctionBytes, "/src/x.go"}},
                      .lines = {{kFunctionBytes, 1}}});
    entries_[known.name] = {kText.value + entry};
    entry += kFunctionBytes;
  }
  code_ = {kText, {kText.value + entry}};
  // 0xe8 everywhere: whatever address is taken, a call comes before it.
  for (Address at{kText.value - 16}; at < code_.end; ++at.value) memory_.u8(at, 0xe8);

  GoRuntime::Parts parts;
  parts.version = kVersion;
  parts.layout = *layout_from_table(kVersion, kAmd64);
  parts.modules.push_back(builder.module(kText, entry));
  parts.g_tls_offset = -8;
  const MLayout& m = parts.layout.m;
  const GLayout& g = parts.layout.g;
  for (std::uint32_t i = 0; i < m.bytes; i += 8) memory_.u64({kM.value + i}, 0);
  memory_.pointer({kM.value + m.g0.bytes}, kG0);
  memory_.pointer({kM.value + m.curg.bytes}, kG);
  memory_.u64({kM.value + m.procid.bytes}, kTid);
  memory_.pointer({kThreadPointer.value - 8}, kG);
  for (std::uint32_t i = 0; i < g.bytes; i += 8)
    memory_.u64({kG.value + i}, 0).u64({kG0.value + i}, 0);
  for (Address at = kUserStack.begin; at < kUserStack.end; at.value += 8) memory_.u64(at, 0);
  for (Address at = kSystemStack.begin; at < kSystemStack.end; at.value += 8) memory_.u64(at, 0);
  runtimes_.all.push_back(std::make_unique<GoRuntime>(std::move(parts)));
  write_g(kG, kUserStack, {});
  write_g(kG0, kSystemStack, {.pc = {}, .sp = {0x7ffef000}, .bp = {}});
}

void World::write_g(Address address, AddressRange stack, SavedRegisters sched,
                    SavedRegisters syscall) {
  const GLayout& g = runtimes_.all.front()->layout().g;
  const auto put = [&](FieldOffset field, std::uint64_t value) {
    memory_.u64({address.value + field.bytes}, value);
  };
  put(g.stack_lo, stack.begin.value);
  put(g.stack_hi, stack.end.value);
  put(g.m, kM.value);
  put(g.sched_pc, sched.pc.value);
  put(g.sched_sp, sched.sp.value);
  put(g.sched_bp, sched.bp.value);
  put(g.syscallpc, syscall.pc.value);
  put(g.syscallsp, syscall.sp.value);
  put(g.goid, address == kG ? 1 : 0);
  memory_.u32({address.value + g.atomicstatus.bytes}, 2);
}

Address World::in(std::string_view function) const {
  return {entries_.find(function)->second.value + 0x20};
}

Address World::frame(Address sp, Address ret, Address saved_fp) {
  const Address cfa{sp.value + 0x18 + 8};
  memory_.pointer({cfa.value - 8}, ret).pointer({cfa.value - 16}, saved_fp);
  return cfa;
}

std::vector<std::string> names(const Walk& walk) {
  std::vector<std::string> out;
  for (const auto& element : walk.elements) {
    const auto* frame = std::get_if<PhysicalFrame>(&element);
    out.push_back(frame == nullptr ? "~" : frame->go ? std::string(frame->go->name) : "C");
  }
  return out;
}

}  // namespace cgo
