#include "values/go_stacks.h"

#include <fmt/format.h>

#include <algorithm>

namespace cgo {

using Kind = AddressDescription::Kind;

GoStacks::GoStacks(const MemoryReader& memory, const GoRuntimes& runtimes) {
  for (const auto& runtime : runtimes.all) {
    add_goroutines(memory, *runtime);
    add_machines(memory, *runtime);
  }
  for (auto* stacks : {&goroutines_, &machines_, &unused_}) sort(*stacks);
}

void GoStacks::add_goroutines(const MemoryReader& memory, const GoRuntime& runtime) {
  for (const Goroutine& g : runtime.goroutines(memory).found) {
    if (!g.stack.begin) continue;
    AddressDescription what{Kind::goroutine_stack, fmt::format("stack of goroutine {}", g.id),
                            g.stack.begin, g.stack.bytes()};
    what.goroutine = g.id;
    if (g.alive()) {
      goroutines_.push_back({g.stack, std::move(what)});
      continue;
    }
    what = {Kind::go_freed, "freed stack memory of the Go runtime", g.stack.begin, g.stack.bytes()};
    unused_.push_back({g.stack, std::move(what)});
  }
}

void GoStacks::add_machines(const MemoryReader& memory, const GoRuntime& runtime) {
  for (const Machine& m : runtime.machines(memory).found) {
    const auto add = [&](Address g, Kind kind, const char* name) {
      if (!g) return;
      const auto decoded = runtime.goroutine(memory, g);
      if (!decoded || decoded->stack.empty()) return;
      std::string text = fmt::format("{} stack of M {}", name, m.id);
      if (m.procid != 0) text += fmt::format(" (thread {})", m.procid);
      AddressDescription what{kind, std::move(text), decoded->stack.begin, decoded->stack.bytes()};
      if (m.procid != 0) what.thread = m.procid;
      machines_.push_back({decoded->stack, std::move(what)});
    };
    // The g0 of an m that C's threads borrow has the bounds of the thread that had it last.
    if (!m.is_extra || !m.is_extra_in_c) add(m.g0, Kind::system_stack, "system");
    add(m.gsignal, Kind::signal_stack, "signal");
  }
}

void GoStacks::sort(std::vector<Stack>& stacks) {
  std::sort(stacks.begin(), stacks.end(),
            [](const Stack& a, const Stack& b) { return a.range.begin < b.range.begin; });
}

std::optional<AddressDescription> GoStacks::find(const std::vector<Stack>& stacks,
                                                 Address address) {
  const auto after = std::upper_bound(
      stacks.begin(), stacks.end(), address,
      [](Address wanted, const Stack& stack) { return wanted < stack.range.begin; });
  if (after == stacks.begin() || !std::prev(after)->range.contains(address)) return std::nullopt;
  return std::prev(after)->what;
}

std::optional<AddressDescription> GoStacks::goroutine_at(Address address) const {
  return find(goroutines_, address);
}
std::optional<AddressDescription> GoStacks::machine_at(Address address) const {
  return find(machines_, address);
}
std::optional<AddressDescription> GoStacks::unused_at(Address address) const {
  return find(unused_, address);
}

}  // namespace cgo
