#include <cstring>

#include "goruntime/go_map.h"
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
  if (number->is_floating) return fail(tree, ErrorCode::malformed_data, "an integer is expected");
  if (number->integer < 0 || number->integer > static_cast<WideInteger>(most)) {
    const bool shown =
        number->integer >= -(WideInteger{1} << 62) && number->integer < (WideInteger{1} << 62);
    return fail(tree, ErrorCode::malformed_data,
                "index " +
                    (shown ? std::to_string(static_cast<std::int64_t>(number->integer)) : "…") +
                    " is out of range: it goes up to " + std::to_string(most));
  }
  return static_cast<std::uint64_t>(number->integer);
}

Result<Operand> EvaluatorWalk::index(const Tree& tree) {
  if (tree.parts.size() != 2) return fail(tree, ErrorCode::malformed_data, "one index is expected");
  auto base = value(*tree.parts[0]);
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

Result<Operand> EvaluatorWalk::map_element(const Tree& tree, const Datum& map, const Operand& key) {
  const Type* type = plain(map.type);
  auto header = at(tree, load_word(memory(), map));
  if (!header) return std::move(header).error();
  auto shape = at(tree, context_.map_shape_of(*type));
  if (!shape) return std::move(shape).error();
  auto key_type = at(tree, type->key()), element_type = at(tree, type->target());
  if (!key_type) return std::move(key_type).error();
  if (!element_type) return std::move(element_type).error();
  std::optional<Datum> found;
  std::optional<Error> problem;
  const MapWalk walk = walk_map(memory(), *shape, *header, [&](const MapEntry& entry) {
    Datum candidate = datum_at(*key_type, entry.key);
    if (entry.key_bytes.size() == (*key_type)->bytes() && !entry.key_bytes.empty())
      candidate.bytes = std::vector<std::byte>(entry.key_bytes.begin(), entry.key_bytes.end());
    auto same = is_key(candidate, key);
    if (!same) {
      problem = std::move(same).error();
      return problem->code == ErrorCode::unreadable_memory;
    }
    if (*same) found = datum_at(*element_type, entry.element);
    return !*same;
  });
  if (found) return Operand::of(*std::move(found));
  if (problem) return fail(*tree.parts[1], *std::move(problem));
  if (walk.error) return fail(tree, *walk.error);
  return fail(*tree.parts[1], ErrorCode::not_found,
              "the map has no such key (of " + std::to_string(walk.count) + ")");
}

Result<bool> EvaluatorWalk::is_key(const Datum& key, const Operand& wanted) {
  if (kind_of(key.type) == TypeKind::go_interface) {
    const bool interface =
        wanted.kind == Operand::Kind::value && kind_of(wanted.datum.type) == TypeKind::go_interface;
    if (interface) return equal_values(context_, key, wanted.datum);
    auto held = dynamic_value(context_, key);
    if (!held) return std::move(held).error();
    if (!*held) return wanted.kind == Operand::Kind::nil;
    if (wanted.kind == Operand::Kind::value &&
        format_type(*wanted.datum.type) != format_type(*(*held)->type))
      return false;
    const auto name = plain((*held)->type)->name();
    // A constant has its default type in an interface.
    if (wanted.kind == Operand::Kind::integer && name != "int") return false;
    if (wanted.kind == Operand::Kind::character && name != "int32") return false;
    if (wanted.kind == Operand::Kind::floating && name != "float64") return false;
    if (wanted.kind == Operand::Kind::text && name != "string") return false;
    return is_key(**held, wanted);
  }
  switch (wanted.kind) {
    case Operand::Kind::text: {
      if (kind_of(key.type) != TypeKind::go_string)
        return Error{ErrorCode::malformed_data,
                     "keys are " + format_type(*key.type) + ", not text"};
      auto text = load_go_string(memory(), key, wanted.text.size() + 1);
      if (!text) return std::move(text).error();
      return text->text == wanted.text && text->length == wanted.text.size();
    }
    case Operand::Kind::value:
      if (kind_of(key.type) != kind_of(wanted.datum.type))
        return Error{ErrorCode::malformed_data, "keys are " + format_type(*key.type) + ", not " +
                                                    format_type(*wanted.datum.type)};
      if (kind_of(key.type) == TypeKind::signed_integer ||
          kind_of(key.type) == TypeKind::unsigned_integer)
        break;
      return equal_values(context_, key, wanted.datum);
    case Operand::Kind::boolean: {
      auto value = load_unsigned(memory(), key);
      if (!value) return std::move(value).error();
      return (*value != 0) == wanted.boolean;
    }
    default:
      break;
  }
  auto number = number_of(memory(), wanted), own = number_of(memory(), Operand::of(key));
  if (!number) return std::move(number).error();
  if (!own)
    return Error{ErrorCode::malformed_data, "keys are " + format_type(*key.type) + ", not numbers"};
  if (number->is_floating || own->is_floating) return number->as_floating() == own->as_floating();
  return number->integer == own->integer;
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
  const std::uint64_t length = type->length().value_or(0);
  const Type* result =
      type->is_go() ? types_.slice_of(*element, "[]" + format_type(**element)) : array.type;
  return Sliced{result, *element, *array.address, length, length, !type->is_go()};
}

Result<Operand> EvaluatorWalk::slice(const Tree& tree) {
  auto base = value(*tree.parts[0]);
  if (!base) return std::move(base).error();
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
    const std::string name = format_type(*of->element) + " [" + std::to_string(count) + "]";
    return Operand::of(datum_at(types_.array_of(of->element, count, name, false), *first));
  }
  if (of->element == nullptr) return Operand::of(made_words(of->type, {first->value, count}));
  return Operand::of(made_words(of->type, {first->value, count, *most - *low}));
}

}  // namespace cgo
