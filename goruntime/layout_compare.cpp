#include <algorithm>

#include "goruntime/layout.h"

namespace cgo {
namespace {

using Differences = std::vector<std::string>;

std::string place(OptionalField field) {
  return field ? "at " + std::to_string(field->bytes) : "absent";
}

void compare(Differences& out, const char* name, OptionalField have, OptionalField want) {
  if (have != want)
    out.push_back(std::string(name) + " is " + place(have) + ", expected " + place(want));
}

void compare_size(Differences& out, const char* name, std::uint32_t have, std::uint32_t want) {
  if (have != want)
    out.push_back(std::string(name) + " has " + std::to_string(have) + " bytes, expected " +
                  std::to_string(want));
}

}  // namespace

std::vector<std::string> layout_differences(const RuntimeLayout& have, const RuntimeLayout& want) {
  Differences out;
  compare_size(out, "runtime.g", have.g.bytes, want.g.bytes);
  compare_size(out, "runtime.m", have.m.bytes, want.m.bytes);
#define CGO_COMPARE(part, field, name) compare(out, name, have.part.field, want.part.field)
  CGO_COMPARE(g, stack_lo, "runtime.g.stack.lo");
  CGO_COMPARE(g, stack_hi, "runtime.g.stack.hi");
  CGO_COMPARE(g, m, "runtime.g.m");
  CGO_COMPARE(g, sched_sp, "runtime.g.sched.sp");
  CGO_COMPARE(g, sched_pc, "runtime.g.sched.pc");
  CGO_COMPARE(g, sched_bp, "runtime.g.sched.bp");
  CGO_COMPARE(g, syscallsp, "runtime.g.syscallsp");
  CGO_COMPARE(g, syscallpc, "runtime.g.syscallpc");
  CGO_COMPARE(g, syscallbp, "runtime.g.syscallbp");
  CGO_COMPARE(g, atomicstatus, "runtime.g.atomicstatus");
  CGO_COMPARE(g, goid, "runtime.g.goid");
  CGO_COMPARE(g, waitsince, "runtime.g.waitsince");
  CGO_COMPARE(g, waitreason, "runtime.g.waitreason");
  CGO_COMPARE(g, lockedm, "runtime.g.lockedm");
  CGO_COMPARE(g, gopc, "runtime.g.gopc");
  CGO_COMPARE(g, startpc, "runtime.g.startpc");
  CGO_COMPARE(g, labels, "runtime.g.labels");
  CGO_COMPARE(g, parent_goid, "runtime.g.parentGoid");
  CGO_COMPARE(m, g0, "runtime.m.g0");
  CGO_COMPARE(m, procid, "runtime.m.procid");
  CGO_COMPARE(m, gsignal, "runtime.m.gsignal");
  CGO_COMPARE(m, curg, "runtime.m.curg");
  CGO_COMPARE(m, id, "runtime.m.id");
  CGO_COMPARE(m, incgo, "runtime.m.incgo");
  CGO_COMPARE(m, ncgo, "runtime.m.ncgo");
  CGO_COMPARE(m, alllink, "runtime.m.alllink");
  CGO_COMPARE(m, lockedg, "runtime.m.lockedg");
  CGO_COMPARE(m, vdso_sp, "runtime.m.vdsoSP");
  CGO_COMPARE(m, vdso_pc, "runtime.m.vdsoPC");
  CGO_COMPARE(m, isextra, "runtime.m.isextra");
  CGO_COMPARE(m, is_extra_in_c, "runtime.m.isExtraInC");
  CGO_COMPARE(moduledata, types, "runtime.moduledata.types");
  CGO_COMPARE(moduledata, etypes, "runtime.moduledata.etypes");
  CGO_COMPARE(moduledata, gofunc, "runtime.moduledata.gofunc");
  CGO_COMPARE(moduledata, textsectmap, "runtime.moduledata.textsectmap");
  CGO_COMPARE(moduledata, pluginpath, "runtime.moduledata.pluginpath");
  CGO_COMPARE(moduledata, next, "runtime.moduledata.next");
#undef CGO_COMPARE
  return out;
}

}  // namespace cgo
