#include <cstring>

#include "target/byte_view.h"
#include "values/evaluator_walk.h"

namespace cgo {

using Kind = Expression::Kind;

Datum EvaluatorWalk::made_words(const Type* type, std::initializer_list<std::uint64_t> words) {
  std::vector<std::byte> bytes(words.size() * 8);
  std::memcpy(bytes.data(), words.begin(), bytes.size());
  return {.type = type, .address = std::nullopt, .bytes = std::move(bytes)};
}

/// An index or bound: from 0 to `most`, both included.
Result<std::uint64_t> EvaluatorWalk::position(const Tree& tree, std::uint64_t most) {
  auto index = operand(tree);
  if (!index) return std::move(index).error();
  auto number = at(tree, number_of(memory(), *index));
  if (!number) return std::move(number).error();
  const bool constant = index->kind == Operand::Kind::number;
  const auto whole =
      constant || number->kind == Number::Kind::integer ? number->whole() : std::nullopt;
  if (!whole) return fail(tree, ErrorCode::malformed_data, "an integer is expected");
  if (*whole < 0 || *whole > static_cast<WideInteger>(most)) {
    const bool shown = *whole >= -(WideInteger{1} << 62) && *whole < (WideInteger{1} << 62);
    return fail(tree, ErrorCode::malformed_data,
                "index " + (shown ? std::to_string(static_cast<std::int64_t>(*whole)) : "…") +
                    " is out of range: it goes up to " + std::to_string(most));
  }
  return static_cast<std::uint64_t>(*whole);
}

Result<Operand> EvaluatorWalk::index(const Tree& tree) {
  if (tree.parts.size() != 2) return fail(tree, ErrorCode::malformed_data, "one index is expected");
  auto of = operand(*tree.parts[0]);
  if (!of) return of;
  if (of->kind == Operand::Kind::text) return constant_text_element(tree, of->text);
  auto base = as_value(*tree.parts[0], *std::move(of));
  if (!base) return std::move(base).error();
  const Tree& place = *tree.parts[1];
  const Type* type = plain(base->type);
  if (type->kind() == TypeKind::go_map) {
    auto key = operand(place);
    if (!key) return key;
    return map_element(tree, *base, *key);
  }
  if (type->kind() == TypeKind::pointer || type->kind() == TypeKind::reference) {
    auto target = at(tree, pointee_of(memory(), *base));
    if (!target) return std::move(target).error();
    if (kind_of(target->type) != TypeKind::array || !type->is_go())
      return pointer_element(tree, *base, *target);
    base = std::move(target);
    type = plain(base->type);
  }
  switch (type->kind()) {
    case TypeKind::go_slice:
      return slice_element(tree, *base);
    case TypeKind::go_string:
      return text_element(tree, *base);
    case TypeKind::array:
      return array_element(tree, *base);
    default:
      return fail(tree, ErrorCode::malformed_data, format_type(*base->type) + " is not indexed");
  }
}

/// Of a pointer of C: any number of elements on both sides.
Result<Operand> EvaluatorWalk::pointer_element(const Tree& tree, const Datum& pointer,
                                               const Datum& target) {
  if (plain(pointer.type)->is_go() || kind_of(target.type) == TypeKind::none)
    return fail(tree, ErrorCode::malformed_data,
                format_type(*pointer.type) + " is not indexed; take * of it first");
  const Tree& place = *tree.parts[1];
  auto number = operand(place);
  if (!number) return number;
  auto offset = at(place, number_of(memory(), *number));
  if (!offset) return std::move(offset).error();
  if (offset->kind != Number::Kind::integer)
    return fail(place, ErrorCode::malformed_data, "an integer is expected");
  const auto bytes = static_cast<std::uint64_t>(offset->integer) * target.type->bytes();
  return Operand::of(datum_at(target.type, wrapping_add(*target.address, bytes)));
}

Result<Operand> EvaluatorWalk::slice_element(const Tree& tree, const Datum& slice) {
  const Tree& place = *tree.parts[1];
  auto header = at(tree, load_slice(memory(), slice));
  if (!header) return std::move(header).error();
  if (header->length == 0) return fail(place, ErrorCode::malformed_data, "the slice is empty");
  auto number = position(place, header->length - 1);
  if (!number) return std::move(number).error();
  const auto element = checked_add(header->data, *number * header->element->bytes());
  if (!element) return fail(tree, ErrorCode::malformed_data, "the slice reaches too far");
  return Operand::of(datum_at(header->element, *element));
}

Result<Operand> EvaluatorWalk::text_element(const Tree& tree, const Datum& text) {
  const Tree& place = *tree.parts[1];
  auto words = at(tree, load_part(memory(), text, 0, 16));
  if (!words) return std::move(words).error();
  const auto length = *load<std::uint64_t>(*words, 8);
  if (length == 0) return fail(place, ErrorCode::malformed_data, "the string is empty");
  auto number = position(place, length - 1);
  if (!number) return std::move(number).error();
  return Operand::of(datum_at(types_.predeclared("uint8"),
                              wrapping_add({*load<std::uint64_t>(*words, 0)}, *number)));
}

Result<Operand> EvaluatorWalk::constant_text_element(const Tree& tree, const std::string& text) {
  if (text.empty()) return fail(*tree.parts[1], ErrorCode::malformed_data, "the string is empty");
  auto number = position(*tree.parts[1], text.size() - 1);
  if (!number) return std::move(number).error();
  const auto byte = static_cast<unsigned char>(text[*number]);
  return Operand::of(made_number(types_.predeclared("uint8"), Number::of(byte)));
}

Result<Operand> EvaluatorWalk::array_element(const Tree& tree, const Datum& array) {
  const Tree& place = *tree.parts[1];
  const Type* type = plain(array.type);
  auto element = at(tree, type->target());
  if (!element) return std::move(element).error();
  const std::uint64_t length = type->length().value_or(std::uint64_t{1} << 40);
  if (length == 0) return fail(place, ErrorCode::malformed_data, "the array is empty");
  auto number = position(place, length - 1);
  if (!number) return std::move(number).error();
  return Operand::of(part_of(array, *element, *number * (*element)->bytes()));
}

/// Where the elements of what is sliced lie, and how many there are.
Result<EvaluatorWalk::Sliced> EvaluatorWalk::sliced(const Tree& tree, Datum base) {
  if (kind_of(base.type) == TypeKind::pointer) {
    auto target = at(tree, pointee_of(memory(), base));
    if (!target) return std::move(target).error();
    constexpr std::uint64_t kUnbounded = std::uint64_t{1} << 40;
    if (!plain(base.type)->is_go())
      return Sliced{base.type, target->type, *target->address, kUnbounded, kUnbounded, true};
    base = *std::move(target);
  }
  const Type* type = plain(base.type);
  if (type->kind() == TypeKind::array) return sliced_array(tree, base);
  const bool text = type->kind() == TypeKind::go_string;
  if (!text && type->kind() != TypeKind::go_slice)
    return fail(tree, ErrorCode::malformed_data, format_type(*base.type) + " is not sliced");
  auto words = at(tree, load_part(memory(), base, 0, type->bytes()));
  if (!words) return std::move(words).error();
  Sliced out{.type = base.type, .data = {*load<std::uint64_t>(*words, 0)}};
  out.length = *load<std::uint64_t>(*words, 8);
  out.capacity = text ? out.length : *load<std::uint64_t>(*words, 16);
  if (text) return out;
  auto element = at(tree, type->target());
  if (!element) return std::move(element).error();
  out.element = *element;
  return out;
}

Result<EvaluatorWalk::Sliced> EvaluatorWalk::sliced_array(const Tree& tree, const Datum& array) {
  if (!array.address)
    return fail(tree, ErrorCode::unsupported, "an array that is not in memory is not sliced");
  const Type* type = plain(array.type);
  auto element = at(tree, type->target());
  if (!element) return std::move(element).error();
  constexpr std::uint64_t kUnbounded = std::uint64_t{1} << 40;
  const std::uint64_t length = type->length().value_or(0);
  const std::uint64_t capacity = type->length().value_or(kUnbounded);
  const Type* result =
      type->is_go() ? types_.slice_of(*element, "[]" + format_type(**element)) : array.type;
  return Sliced{result, *element, *array.address, length, capacity, !type->is_go()};
}

Result<Operand> EvaluatorWalk::slice(const Tree& tree) {
  auto base = value(*tree.parts[0]);
  if (!base) return std::move(base).error();
  const bool text = kind_of(base->type) == TypeKind::go_string;
  if (text && tree.parts[3] != nullptr)
    return fail(*tree.parts[3], ErrorCode::malformed_data, "a string has no capacity to set");
  auto of = sliced(tree, *std::move(base));
  if (!of) return std::move(of).error();
  const auto bound = [&](std::size_t part, std::uint64_t fallback) -> Result<std::uint64_t> {
    if (tree.parts[part] == nullptr) return fallback;
    return position(*tree.parts[part], of->capacity);
  };
  auto low = bound(1, 0), high = bound(2, of->length), most = bound(3, of->capacity);
  for (auto* one : {&low, &high, &most})
    if (!*one) return std::move(*one).error();
  if (*low > *high || *high > *most)
    return fail(tree, ErrorCode::malformed_data, "the bounds of the slice are out of order");
  const std::uint64_t stride = of->element != nullptr ? of->element->bytes() : 1;
  const auto first = checked_add(of->data, *low * stride);
  if (!first) return fail(tree, ErrorCode::malformed_data, "the slice reaches too far");
  const std::uint64_t count = *high - *low;
  if (of->c_array) {
    // The outermost dimension of C's arrays of arrays comes first.
    std::string name = format_type(*of->element);
    const bool nested = kind_of(of->element) == TypeKind::array && name.find('[') != name.npos;
    const std::string dimension = "[" + std::to_string(count) + "]";
    name.insert(nested ? name.find('[') : name.size(), nested ? dimension : " " + dimension);
    return Operand::of(datum_at(types_.array_of(of->element, count, name, false), *first));
  }
  if (of->element == nullptr) return Operand::of(made_words(of->type, {first->value, count}));
  return Operand::of(made_words(of->type, {first->value, count, *most - *low}));
}

}  // namespace cgo
