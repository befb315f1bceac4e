#include "lldb-plugin/panic_breakpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "lldb-plugin/frame_registers.h"
#include "lldb-plugin/kept_panics.h"
#include "lldb-plugin/lldb_image.h"
#include "lldb-plugin/panic_holdings.h"
#include "stops/panic_text.h"
#include "unwind/format.h"
#include "values/format_value.h"
#include "values/made_types.h"
#include "values/program_context.h"
#include "values/value.h"

namespace cgo {
namespace {

constexpr ReadLimits kLimits{.depth = 2, .elements = 8, .text_bytes = 200};

/// The value that was given to panic, from the registers it is passed in.
/// Source: src/cmd/compile/abi-internal.md, since Go 1.17.
std::string value_text(lldb::SBFrame frame, const Stop& stop, const GoRuntime& runtime) {
  const auto type = register_of(frame, "rax"), data = register_of(frame, "rbx");
  if (!type || !data) return "a value that is not known";
  MadeTypes types;
  const ProgramContext context({.memory = &stop.debuggee->memory(),
                                .images = stop.program->images.get(),
                                .runtimes = &stop.program->runtimes,
                                .dwarf = stop.program->dwarf,
                                .describer = stop.addresses.get()},
                               &runtime);
  const std::array<std::uint64_t, 2> words{*type, *data};
  const auto bytes = std::as_bytes(std::span(words));
  const Datum datum{.type = types.interface_named("interface {}"),
                    .bytes = std::vector(bytes.begin(), bytes.end())};
  constexpr std::size_t kColumns = 200;
  return format_inline(read_value(context, "panic", datum, kLimits), kColumns);
}

}  // namespace

std::vector<std::uint64_t> PanicBreakpoint::addresses(lldb::SBModule module) {
  if (!has_go(module)) return {};
  const auto found = go_function_sites(path_of(module), "runtime.gopanic");
  if (!found) return {};
  const std::lock_guard lock(mutex_);
  return sites_.set(module, *found);
}

std::string PanicBreakpoint::summary() {
  const std::lock_guard lock(mutex_);
  std::string out =
      fmt::format("cgo {}: {} panics, {} over C, {} that nothing recovers", escaped(request_.words),
                  counts_.panics, counts_.over_c, counts_.ends);
  if (counts_.untold != 0) out += fmt::format(", of {} that cannot be told", counts_.untold);
  return out;
}

void PanicBreakpoint::begin_process() {
  counts_ = {};
  sites_.forget_arrivals();
  layouts_.clear();
  program_.reset();
}

/// For a later stop, when what the runtime prints has overwritten the frames.
void PanicBreakpoint::keep(const Visited& at, const CollectedStack& collected) {
  if (!at.stop->kept_panics || !collected.goroutine) return;
  at.stop->kept_panics->keep({.g = collected.goroutine->address,
                              .goroutine = collected.goroutine->id,
                              .stack = collected.goroutine->stack,
                              .walk = collected.walk},
                             [location = at.location]() mutable {
                               return location.IsValid() && location.IsEnabled() &&
                                      location.GetBreakpoint().IsEnabled();
                             });
}

Result<DeferLayout> PanicBreakpoint::layout_of(const Stop& stop, const GoRuntime& runtime) {
  if (program_ != stop.program) {
    layouts_.clear();
    program_ = stop.program;
  }
  const auto known = layouts_.find(&runtime);
  if (known != layouts_.end()) return known->second;
  const auto find = [&]() -> Result<DeferLayout> {
    const Image* image = stop.program->images->with_path(runtime.parts().image_path);
    if (image != nullptr)
      if (const auto dwarf = stop.program->dwarf(*image))
        if (auto out = defer_layout_from_dwarf(**dwarf)) return out;
    return defer_layout_from_table(runtime.version());
  };
  return layouts_.emplace(&runtime, find()).first->second;
}

TargetBreakpoint::Outcome PanicBreakpoint::decide(const Visited& at) {
  if (!sites_.is_new(at.frame, register_of(at.frame, "r14").value_or(0))) return {};
  ++counts_.panics;
  const CollectedStack collected = collect_stack(*at.stop, owner_of(at.thread()));
  const bool over_c = has_c_frames(collected.walk);
  counts_.over_c += over_c;
  if (over_c) keep(at, collected);
  if (!over_c && collected.walk.complete() && !request_.all) return {};
  PanicFate fate{.unknown = Error{ErrorCode::not_found, "the goroutine is not known"}};
  std::string value = "a value that is not known";
  if (collected.runtime != nullptr && collected.goroutine) {
    value = value_text(at.frame, *at.stop, *collected.runtime);
    const auto layout = layout_of(*at.stop, *collected.runtime);
    if (layout)
      fate = panic_fate(at.stop->debuggee->memory(), *collected.runtime, *layout,
                        *collected.goroutine, collected.walk, 0);
    else
      fate.unknown = layout.error();
  }
  counts_.ends += fate.ends_the_process();
  counts_.untold += fate.chances.empty() && fate.unknown;
  if (request_.uncaught && !fate.ends_the_process()) return {};
  std::string text = fmt::format("#{} panic: {}\n", counts_.panics, escaped(value));
  text += panic_text(collected.stack, fate, 0);
  if (over_c)
    text += holdings_text(
        *at.stop, collected,
        fate.chances.empty() ? std::nullopt : std::optional(fate.chances.front().physical));
  return shown(std::move(text), collected);
}

}  // namespace cgo
