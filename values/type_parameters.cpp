#include "values/type_parameters.h"

namespace cgo {
namespace {

/// The address of the dictionary that the caller passed on; nothing when it is not known.
std::optional<Address> dictionary_of(const ValueContext& context,
                                     const std::vector<FrameVariable>& variables) {
  for (const FrameVariable& variable : variables) {
    if (variable.name != ".dict" || !variable.datum) continue;
    auto address = load_word(context.memory(), *variable.datum);
    if (address && *address) return *address;
  }
  return std::nullopt;
}

}  // namespace

// Source: src/cmd/compile/internal/noder/reader.go, shapedtype and the rtypes of a dictionary: an
// array of words, DW_AT_go_dict_index counts in it.
void resolve_type_parameters(const ValueContext& context, std::vector<FrameVariable>& variables) {
  constexpr std::uint64_t kMostEntries = 1u << 16;
  const auto dictionary = dictionary_of(context, variables);
  for (FrameVariable& variable : variables) {
    if (variable.type == nullptr) continue;
    const auto index = variable.type->dictionary_index();
    if (!index) continue;
    const Type* type = plain(variable.type);
    if (dictionary && *index < kMostEntries) {
      auto descriptor = read_pointer(context.memory(), wrapping_add(*dictionary, *index * 8));
      auto known = descriptor ? context.dynamic_type(*descriptor) : std::move(descriptor).error();
      // Values of the type have the form of its shape.
      if (known && (*known)->bytes() == type->bytes() && kind_of(*known) == type->kind())
        type = *known;
    }
    variable.type = type;
    if (variable.datum) variable.datum->type = type;
  }
}

}  // namespace cgo
