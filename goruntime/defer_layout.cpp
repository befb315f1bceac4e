#include "goruntime/defer_layout.h"

#include <algorithm>
#include <array>

#include "goruntime/structure_members.h"

namespace cgo {
namespace {

struct Row {
  int first, last;  // Minor releases of Go 1.
  DeferLayout layout;
};

// Source: DWARF of linux/amd64 programs of each release; src/runtime/runtime2.go, type _defer and
// type _panic. Compared again on every release by a test.
constexpr DeferLayout up_to_1_21() {
  return {.g_panic = {32},
          .g_defer = {40},
          .sp = {8},
          .pc = {16},
          .fn = {24},
          .link = {40},
          .started = FieldOffset{0},
          .open_coded = FieldOffset{2},
          .rangefunc = std::nullopt,
          .head = std::nullopt,
          .panic_arg = {8},
          .panic_link = {24},
          .is_goexit = {50}};
}

constexpr DeferLayout since_1_22(std::uint32_t panic_arg, std::uint32_t is_goexit) {
  DeferLayout out = up_to_1_21();
  out.link = {32};
  out.started = out.open_coded = std::nullopt;
  out.rangefunc = FieldOffset{1};
  out.head = FieldOffset{40};
  out.panic_arg = {panic_arg};
  out.panic_link = {panic_arg + 16};
  out.is_goexit = {is_goexit};
  return out;
}

constexpr std::array kRows = {Row{19, 21, up_to_1_21()}, Row{22, 24, since_1_22(8, 97)},
                              Row{25, 25, since_1_22(8, 98)}, Row{26, 27, since_1_22(0, 90)}};

OptionalField field(const StructureMembers& structure, std::string_view name) {
  const DwarfMember* member = structure.find(name);
  if (member == nullptr) return std::nullopt;
  return FieldOffset{static_cast<std::uint32_t>(member->offset)};
}

}  // namespace

Result<DeferLayout> defer_layout_from_dwarf(const DwarfInfo& dwarf) {
  StructureMembers g(dwarf, "runtime.g"), call(dwarf, "runtime._defer"),
      panic(dwarf, "runtime._panic");
  const DeferLayout out{.g_panic = {g.offset("_panic")},
                        .g_defer = {g.offset("_defer")},
                        .sp = {call.offset("sp")},
                        .pc = {call.offset("pc")},
                        .fn = {call.offset("fn")},
                        .link = {call.offset("link")},
                        .started = field(call, "started"),
                        .open_coded = field(call, "openDefer"),
                        .rangefunc = field(call, "rangefunc"),
                        .head = field(call, "head"),
                        .panic_arg = {panic.offset("arg")},
                        .panic_link = {panic.offset("link")},
                        .is_goexit = {panic.offset("goexit")}};
  for (const StructureMembers* one : {&g, &call, &panic})
    if (one->error()) return *one->error();
  return out;
}

Result<DeferLayout> defer_layout_from_table(GoVersion version) {
  const auto row = std::ranges::find_if(kRows, [&](const Row& one) {
    return one.first <= version.minor && version.minor <= one.last;
  });
  if (row == kRows.end())
    return Error{ErrorCode::unsupported,
                 "how go" + format_go_version(version) + " keeps deferred calls is not known"};
  return row->layout;
}

}  // namespace cgo
