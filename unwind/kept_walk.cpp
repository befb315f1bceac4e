#include "unwind/kept_walk.h"

#include <algorithm>

namespace cgo {
namespace {

using Elements = std::vector<std::variant<PhysicalFrame, Gap>>;

/// A gap of the later walk, and which frames of the kept one belong there.
struct Filling {
  std::size_t gap = 0, begin = 0, end = 0;
};

class Matcher {
 public:
  Matcher(const Elements& now, AddressRange stack_now, const KeptWalk& kept)
      : now_(now), then_(kept.walk.elements), stack_now_(stack_now), stack_then_(kept.stack) {}

  std::optional<std::vector<Filling>> match() const {
    const auto* panic = then_.empty() ? nullptr : std::get_if<PhysicalFrame>(&then_.front());
    if (panic == nullptr || !is_gopanic(*panic)) return std::nullopt;
    for (std::size_t i = 0; i < now_.size(); ++i) {
      const auto* frame = std::get_if<PhysicalFrame>(&now_[i]);
      if (frame != nullptr && is_gopanic(*frame) && place_now(frame->cfa) == place_then(panic->cfa))
        return match_from(i + 1);
    }
    return std::nullopt;
  }

 private:
  std::optional<std::vector<Filling>> match_from(std::size_t begin) const {
    std::vector<Filling> out;
    std::size_t then = 1;
    for (std::size_t i = begin; i < now_.size(); ++i) {
      if (std::holds_alternative<PhysicalFrame>(now_[i])) {
        if (!same(i, then++)) return std::nullopt;
        continue;
      }
      std::size_t end = then;
      while (end < then_.size() && std::holds_alternative<PhysicalFrame>(then_[end]) &&
             !(i + 1 < now_.size() && same(i + 1, end)))
        ++end;
      if (end == then_.size() || i + 1 == now_.size() || !same(i + 1, end)) return std::nullopt;
      out.push_back({i, then, end});
      then = end;
    }
    if (then != then_.size() || out.empty()) return std::nullopt;
    return out;
  }

  static bool is_gopanic(const PhysicalFrame& frame) {
    return frame.go && frame.go->id == FuncId::gopanic;
  }
  /// Where an address lies, whether or not the goroutine's stack was moved: from its end.
  using Place = std::pair<bool, std::uint64_t>;
  static Place place(AddressRange stack, Address at) {
    const bool inside = stack.begin <= at && at <= stack.end;
    return {inside, inside ? stack.end.value - at.value : at.value};
  }
  Place place_now(Address at) const { return place(stack_now_, at); }
  Place place_then(Address at) const { return place(stack_then_, at); }

  bool same(std::size_t now, std::size_t then) const {
    const auto* a = std::get_if<PhysicalFrame>(&now_[now]);
    const auto* b = then < then_.size() ? std::get_if<PhysicalFrame>(&then_[then]) : nullptr;
    return a != nullptr && b != nullptr && a->pc.address == b->pc.address &&
           place_now(a->cfa) == place_then(b->cfa);
  }

  const Elements& now_;
  const Elements& then_;
  const AddressRange stack_now_, stack_then_;
};

Address moved(Address at, AddressRange from, AddressRange to) {
  if (at < from.begin || at > from.end) return at;
  return {to.end.value - (from.end.value - at.value)};
}

}  // namespace

bool fill_gaps(Walk& walk, const KeptWalk& kept, AddressRange stack,
               const std::function<std::optional<GoFunction>(Address)>& function_at) {
  const auto fillings = Matcher(walk.elements, stack, kept).match();
  if (!fillings) return false;
  Elements out;
  std::size_t from = 0;
  for (const Filling& filling : *fillings) {
    const auto at = [&](std::size_t index) {
      return walk.elements.begin() + static_cast<std::ptrdiff_t>(index);
    };
    out.insert(out.end(), at(from), at(filling.gap));
    from = filling.gap + 1;
    for (std::size_t i = filling.begin; i < filling.end; ++i) {
      PhysicalFrame frame = std::get<PhysicalFrame>(kept.walk.elements[i]);
      if (frame.go && !(frame.go = function_at(frame.pc.for_lookup()))) return false;
      Registers registers(frame.registers.arch());
      registers.set_pc(frame.pc.address);
      registers.set_sp(moved(frame.registers.sp(), kept.stack, stack));
      frame.registers = registers;
      frame.cfa = moved(frame.cfa, kept.stack, stack);
      frame.rule = kKeptRule;
      out.emplace_back(std::move(frame));
    }
  }
  out.insert(out.end(), walk.elements.begin() + static_cast<std::ptrdiff_t>(from),
             walk.elements.end());
  walk.elements = std::move(out);
  return true;
}

}  // namespace cgo
