#include "target/frame_types.h"

#include <cstring>
#include <vector>

#include "target/dwarf_locations.h"
#include "target/dwarf_type.h"
#include "target/dwarf_variables.h"

namespace cgo {
namespace {

/// How far a chain of pointers, arrays and names is followed for arrays without a length.
constexpr std::size_t kLongestChain = 16;
/// An array of more elements is in no memory.
constexpr std::uint64_t kMostElements = std::uint64_t{1} << 47;
/// Each length that was ever seen is a type.
constexpr std::size_t kMostMade = 1 << 16;

bool leads_on(TypeKind kind) {
  return kind == TypeKind::array || kind == TypeKind::pointer || kind == TypeKind::reference ||
         kind == TypeKind::alias || kind == TypeKind::qualified;
}

class TypeInFrame final : public Type {
 public:
  TypeInFrame(const Type& like, const Type* target, std::optional<std::uint64_t> length)
      : like_(like), target_(target), length_(length) {}

  TypeKind kind() const override { return like_.kind(); }
  std::string_view name() const override { return like_.name(); }
  std::uint64_t bytes() const override {
    if (kind() == TypeKind::pointer || kind() == TypeKind::reference) return like_.bytes();
    std::uint64_t total = 0;
    const bool fits = !__builtin_mul_overflow(target_->bytes(), length_.value_or(1), &total);
    return fits ? total : 0;
  }
  bool complete() const override { return like_.complete(); }
  bool is_go() const override { return like_.is_go(); }
  Language language() const override { return like_.language(); }
  std::optional<std::uint8_t> go_kind() const override { return like_.go_kind(); }
  bool is_signed() const override { return like_.is_signed(); }
  Result<const Type*> target() const override { return target_; }
  Result<const Type*> key() const override { return like_.key(); }
  Result<std::span<const TypeMember>> members() const override { return like_.members(); }
  Result<const Type*> member_type(std::size_t index) const override {
    return like_.member_type(index);
  }
  std::span<const Enumerator> enumerators() const override { return like_.enumerators(); }
  std::optional<std::uint64_t> length() const override { return length_; }
  std::uint64_t runtime_type() const override { return like_.runtime_type(); }
  std::optional<std::uint64_t> dictionary_index() const override {
    return like_.dictionary_index();
  }
  std::string_view keyword() const override { return like_.keyword(); }

 private:
  const Type& like_;
  const Type* target_;
  std::optional<std::uint64_t> length_;
};

/// The number that a variable holds.
Result<std::int64_t> number_in(const Variable& variable, const ExpressionContext& context) {
  auto pieces = locate(variable, context);
  if (!pieces) return std::move(pieces).error();
  auto type = variable.type ? stripped(variable.type)
                            : Error{ErrorCode::not_found, "the type of the bound is not known"};
  if (!type) return std::move(type).error();
  const std::uint64_t bytes = (*type)->bytes();
  if (bytes == 0 || bytes > 8) return Error{ErrorCode::unsupported, "the bound is no integer"};
  auto value = read_pieces(*pieces, bytes, context);
  if (!value) return std::move(value).error();
  if (!value->holes.empty()) return std::move(value->holes.front().why);
  std::uint64_t number = 0;
  std::memcpy(&number, value->bytes.data(), bytes);
  if (bytes == 8 || !(*type)->is_signed()) return static_cast<std::int64_t>(number);
  const std::uint64_t sign = std::uint64_t{1} << (bytes * 8 - 1);
  return static_cast<std::int64_t>((number ^ sign) - sign);
}

}  // namespace

/// Source: DWARF 5, section 5.13: a bound is a constant, an expression that computes it, or a
/// reference to the variable that holds it.
Result<std::uint64_t> FrameTypes::length_of(const Type& array, Address pc,
                                            const ExpressionContext& context) const {
  const auto& type = static_cast<const DwarfType&>(array);
  const DwarfType::LengthInFrame& how = *type.length_in_frame();
  const DwarfUnit& unit = *type.entry().place.unit;
  std::int64_t bound = 0;
  if (auto place = unit.reference(how.bound)) {
    auto number = number_in(read_variable(types_, *place, pc), context);
    if (!number) return std::move(number).error();
    bound = *number;
  } else {
    std::uint64_t budget = 1 << 16;
    auto expression = location_at(unit, how.bound, pc, budget);
    if (!expression) return std::move(expression).error();
    if (expression->empty()) return Error{ErrorCode::not_found, "optimized out"};
    auto number = evaluate_number(*expression, context);
    if (!number) return std::move(number).error();
    bound = static_cast<std::int64_t>(*number);
  }
  if (how.is_count && bound >= 0 && static_cast<std::uint64_t>(bound) <= kMostElements)
    return static_cast<std::uint64_t>(bound);
  std::int64_t length = 0;
  const bool fits = !how.is_count && !__builtin_sub_overflow(bound, how.lowest, &length) &&
                    !__builtin_add_overflow(length, 1, &length);
  if (fits && length >= 0 && static_cast<std::uint64_t>(length) <= kMostElements)
    return static_cast<std::uint64_t>(length);
  return Error{ErrorCode::malformed_data, "the bound is " + std::to_string(bound)};
}

Result<const Type*> FrameTypes::resolve(const Type* type, Address pc,
                                        const ExpressionContext& context) const {
  std::vector<const Type*> chain;
  std::size_t in_frame = 0;  // How much of the chain leads to such an array.
  for (const Type* next = type; chain.size() < kLongestChain && leads_on(next->kind());) {
    chain.push_back(next);
    if (next->has_length_in_frame()) in_frame = chain.size();
    auto target = next->target();
    if (!target) break;
    next = *target;
  }
  if (in_frame == 0) return type;
  auto inner = chain[in_frame - 1]->target();
  if (!inner) return inner;
  const Type* out = *inner;
  for (std::size_t i = in_frame; i-- > 0;) {
    std::optional<std::uint64_t> length = chain[i]->length();
    if (chain[i]->has_length_in_frame()) {
      auto found = length_of(*chain[i], pc, context);
      if (!found) return std::move(found).error();
      length = *found;
    }
    out = make({chain[i], out, length});
    if (out == nullptr) return Error{ErrorCode::limit_reached, "too many lengths were seen"};
  }
  return out;
}

const Type* FrameTypes::make(const Made& made) const {
  const std::lock_guard lock(mutex_);
  if (const auto known = made_.find(made); known != made_.end()) return known->second.get();
  if (made_.size() >= kMostMade) return nullptr;
  const auto& [like, target, length] = made;
  return made_.emplace(made, std::make_unique<TypeInFrame>(*like, target, length))
      .first->second.get();
}

}  // namespace cgo
