#include "owners/code_types.h"

#include <algorithm>

#include "goruntime/code_operands.h"
#include "owners/element_fit.h"

namespace cgo {
namespace {

constexpr std::uint64_t kMostCodeBytes = 64 * 1024;

/// Whether people keep what C gave them in such a word.
bool may_hold_c(const WordPlace& place) {
  if (place.inner || place.offset != 0) return false;
  const std::string name = format_type(*place.type);
  return name == "unsafe.Pointer" || name == "uintptr" || name.starts_with('*');
}

}  // namespace

const std::vector<const Type*>& CodeTypes::types_in(const GoFunction& function) {
  const auto [known, fresh] = known_.try_emplace(function.entry);
  if (!fresh) return known->second;
  if (function.end <= function.entry) return known->second;
  const auto code = read_bytes(types_.memory(), function.entry,
                               std::min(function.end.value - function.entry.value, kMostCodeBytes));
  if (!code) return known->second;
  for (const CodeOperand& operand : rip_operands_amd64(*code, function.entry)) {
    if (operand.use != CodeOperand::Use::address) continue;
    if (std::ranges::none_of(ranges_,
                             [&](AddressRange range) { return range.contains(operand.target); }))
      continue;
    const auto type = types_.dynamic_type(operand.target);
    if (type && std::ranges::find(known->second, *type) == known->second.end())
      known->second.push_back(*type);
  }
  return known->second;
}

std::optional<CodeTypes::Found> CodeTypes::find(const Stack& stack, std::uint64_t element_bytes,
                                                std::uint64_t offset) {
  for (const StackElement& element : stack.elements) {
    const auto* frame = std::get_if<Frame>(&element);
    if (frame == nullptr || frame->language != Language::go || frame->inlined) continue;
    const auto function = runtime_.function_at(frame->pc.for_lookup());
    if (!function || function->name.starts_with("runtime.")) continue;
    std::optional<Found> found;
    for (const Type* type : types_in(*function)) {
      if (!fits_element(type->bytes(), element_bytes)) continue;
      const auto place = word_in(*type, offset);
      if (!place || !may_hold_c(*place)) continue;
      if (found) return std::nullopt;
      found = Found{
          .word = {.go_type = format_type(*type),
                   .field = place->path.starts_with('.') ? place->path.substr(1) : place->path,
                   .word_type = format_type(*place->type)},
          .function = std::string(function->name)};
    }
    if (found) return found;
  }
  return std::nullopt;
}

}  // namespace cgo
