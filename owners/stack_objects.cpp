#include "owners/stack_objects.h"

#include <algorithm>

namespace cgo {
namespace {

/// Of abi.RegArgs, its Ptrs. Source: src/internal/abi/abi.go; the same in 1.19 to 1.27 on amd64.
constexpr std::uint64_t kFirstPointer = 192 / 8, kPointersEnd = 264 / 8;

Result<TypeMask> mask_of(const StackObjects::Variable& variable, const TypeMasks& masks) {
  if (variable.mask) return masks.read(variable.mask, variable.pointer_bytes, variable.is_program);
  TypeMask out{.bytes = variable.bytes, .pointer_bytes = kPointersEnd * 8, .words = {0}};
  for (std::uint64_t i = kFirstPointer; i < kPointersEnd; ++i)
    out.words[0] |= std::uint64_t{1} << i;
  return out;
}

}  // namespace

StackObjects::Variable* StackObjects::find(std::uint64_t value) {
  const auto after = std::upper_bound(
      variables_.begin(), variables_.end(), value,
      [](std::uint64_t wanted, const Variable& variable) { return wanted < variable.at.value; });
  if (after == variables_.begin()) return nullptr;
  Variable& found = *std::prev(after);
  return value - found.at.value < found.bytes ? &found : nullptr;
}

void StackObjects::follow(const Reader& reader, std::uint64_t goroutine, const RootVisitor& visit) {
  std::sort(variables_.begin(), variables_.end(),
            [](const Variable& a, const Variable& b) { return a.at < b.at; });
  seen_.assign(variables_.size(), false);
  while (!exact_.empty() || !guesses_.empty()) {
    const bool guess = exact_.empty();
    auto& queue = guess ? guesses_ : exact_;
    const std::uint64_t value = queue.back();
    queue.pop_back();
    const Variable* variable = find(value);
    if (variable == nullptr) continue;
    const auto index = static_cast<std::size_t>(variable - variables_.data());
    if (seen_[index]) continue;
    seen_[index] = true;
    const auto mask = mask_of(*variable, reader.masks);
    if (!mask) {
      reader.problem(mask.error());
      continue;
    }
    for (std::uint64_t i = 0; i < mask->pointer_bytes / 8; ++i) {
      if (!mask->pointer(i)) continue;
      const Address at = wrapping_add(variable->at, i * 8);
      const auto word = reader.read_word(at);
      if (!word || *word == 0) continue;
      if (on_stack(*word))
        point_at(*word, guess);
      else
        visit({.kind = guess ? RootKind::guess : RootKind::stack,
               .at = at,
               .value = *word,
               .goroutine = goroutine,
               .pc = variable->pc,
               .cfa = variable->cfa});
    }
  }
}

}  // namespace cgo
