#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "goruntime/layout.h"

namespace cgo {
namespace {

/// No structure of the runtime that we read is as large as this.
constexpr std::uint64_t kLargestStructure = 1 << 20;

/// Collects offsets and keeps the first failure, so that a layout reads as a list of its fields.
class FieldCollector {
 public:
  FieldCollector(const DwarfStruct& type, std::optional<Error>& failure)
      : type_(type), failure_(failure) {}

  FieldOffset require(std::string_view name, std::uint64_t bytes) {
    const OptionalField field = find(name, bytes);
    if (!field && !failure_)
      failure_ =
          Error{ErrorCode::malformed_data, type_.name + " has no field " + std::string(name)};
    return field.value_or(FieldOffset{});
  }

  OptionalField find(std::string_view name, std::uint64_t bytes) {
    const auto member = std::find_if(type_.members.begin(), type_.members.end(),
                                     [&](const DwarfMember& m) { return m.name == name; });
    if (member == type_.members.end()) return std::nullopt;
    const bool sized = member->bytes == 0 || member->bytes == bytes;
    if (!sized || bytes > type_.bytes || member->offset > type_.bytes - bytes) {
      if (!failure_)
        failure_ = Error{ErrorCode::malformed_data,
                         type_.name + "." + std::string(name) + " has an unexpected size or place"};
      return std::nullopt;
    }
    return FieldOffset{static_cast<std::uint32_t>(member->offset)};
  }

 private:
  const DwarfStruct& type_;
  std::optional<Error>& failure_;
};

Result<DwarfStruct> structure(const DwarfInfo& dwarf, std::string_view name) {
  auto type = dwarf.struct_type(name);
  if (!type) return std::move(type).error().in("layout of " + std::string(name));
  if (type->bytes == 0 || type->bytes > kLargestStructure)
    return Error{ErrorCode::malformed_data,
                 std::string(name) + " has " + std::to_string(type->bytes) + " bytes"};
  return type;
}

FieldOffset plus(FieldOffset outer, FieldOffset inner) { return {outer.bytes + inner.bytes}; }

Result<GLayout> g_layout(const DwarfStruct& g_type, const DwarfStruct& gobuf_type,
                         const DwarfStruct& stack_type) {
  std::optional<Error> failure;
  FieldCollector g(g_type, failure);
  FieldCollector gobuf(gobuf_type, failure);
  FieldCollector stack(stack_type, failure);
  const FieldOffset g_stack = g.require("stack", stack_type.bytes);
  const FieldOffset sched = g.require("sched", gobuf_type.bytes);
  GLayout out{.bytes = static_cast<std::uint32_t>(g_type.bytes),
              .stack_lo = plus(g_stack, stack.require("lo", 8)),
              .stack_hi = plus(g_stack, stack.require("hi", 8)),
              .m = g.require("m", 8),
              .sched_sp = plus(sched, gobuf.require("sp", 8)),
              .sched_pc = plus(sched, gobuf.require("pc", 8)),
              .sched_bp = plus(sched, gobuf.require("bp", 8)),
              .syscallsp = g.require("syscallsp", 8),
              .syscallpc = g.require("syscallpc", 8),
              .syscallbp = g.find("syscallbp", 8),
              .atomicstatus = g.require("atomicstatus", 4),
              .goid = g.require("goid", 8),
              .waitsince = g.require("waitsince", 8),
              .waitreason = g.require("waitreason", 1),
              .lockedm = g.require("lockedm", 8),
              .gopc = g.require("gopc", 8),
              .startpc = g.require("startpc", 8),
              .labels = g.require("labels", 8),
              .parent_goid = g.find("parentGoid", 8)};
  if (failure) return *std::move(failure);
  return out;
}

Result<MLayout> m_layout(const DwarfStruct& m_type) {
  std::optional<Error> failure;
  FieldCollector m(m_type, failure);
  MLayout out{.bytes = static_cast<std::uint32_t>(m_type.bytes),
              .g0 = m.require("g0", 8),
              .procid = m.require("procid", 8),
              .gsignal = m.require("gsignal", 8),
              .curg = m.require("curg", 8),
              .id = m.require("id", 8),
              .incgo = m.require("incgo", 1),
              .ncgo = m.require("ncgo", 4),
              .alllink = m.require("alllink", 8),
              .lockedg = m.require("lockedg", 8),
              .vdso_sp = m.require("vdsoSP", 8),
              .vdso_pc = m.require("vdsoPC", 8),
              .isextra = m.find("isextra", 1),
              .is_extra_in_c = m.find("isExtraInC", 1)};
  if (failure) return *std::move(failure);
  return out;
}

Result<ModuleDataLayout> moduledata_layout(const DwarfStruct& type) {
  std::optional<Error> failure;
  FieldCollector moduledata(type, failure);
  ModuleDataLayout out{.types = moduledata.require("types", 8),
                       .etypes = moduledata.require("etypes", 8),
                       .gofunc = moduledata.require("gofunc", 8),
                       .textsectmap = moduledata.require("textsectmap", 24),
                       .pluginpath = moduledata.require("pluginpath", 16),
                       .next = moduledata.require("next", 8)};
  if (failure) return *std::move(failure);
  return out;
}

}  // namespace

Result<RuntimeLayout> layout_from_dwarf(const DwarfInfo& dwarf) {
  auto g = structure(dwarf, "runtime.g");
  if (!g) return std::move(g).error();
  auto gobuf = structure(dwarf, "runtime.gobuf");
  if (!gobuf) return std::move(gobuf).error();
  auto stack = structure(dwarf, "runtime.stack");
  if (!stack) return std::move(stack).error();
  auto m = structure(dwarf, "runtime.m");
  if (!m) return std::move(m).error();
  auto moduledata = structure(dwarf, "runtime.moduledata");
  if (!moduledata) return std::move(moduledata).error();

  auto g_fields = g_layout(*g, *gobuf, *stack);
  if (!g_fields) return std::move(g_fields).error();
  auto m_fields = m_layout(*m);
  if (!m_fields) return std::move(m_fields).error();
  auto moduledata_fields = moduledata_layout(*moduledata);
  if (!moduledata_fields) return std::move(moduledata_fields).error();
  return RuntimeLayout{.g = *g_fields,
                       .m = *m_fields,
                       .moduledata = *moduledata_fields,
                       .source = RuntimeLayout::Source::dwarf};
}

}  // namespace cgo
