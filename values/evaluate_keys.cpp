#include "goruntime/go_map.h"
#include "values/evaluator_walk.h"
#include "values/type_relations.h"

namespace cgo {
namespace {

constexpr std::uint64_t kLongestText = 1u << 24;

Datum datum_of_key(const Type* type, const MapEntry& entry) {
  Datum out = datum_at(type, entry.key);
  if (entry.key_bytes.size() == type->bytes() && !entry.key_bytes.empty())
    out.bytes = std::vector<std::byte>(entry.key_bytes.begin(), entry.key_bytes.end());
  return out;
}

}  // namespace

/// The entry is looked for among all: hashing needs what only the program knows.
Result<Operand> EvaluatorWalk::map_element(const Tree& tree, const Datum& map, const Operand& key) {
  const Tree& place = *tree.parts[1];
  const Type* type = plain(map.type);
  auto header = at(tree, load_word(memory(), map));
  if (!header) return std::move(header).error();
  auto key_type = at(tree, type->key()), element_type = at(tree, type->target());
  if (!key_type) return std::move(key_type).error();
  if (!element_type) return std::move(element_type).error();
  auto wanted = wanted_key(place, *key_type, key);
  if (!wanted) return wanted;
  if (!*header) return fail(place, ErrorCode::not_found, "the map has no such key: it is nil");
  auto shape = at(tree, context_.map_shape_of(*type));
  if (!shape) return std::move(shape).error();
  std::optional<Datum> found;
  std::optional<Error> problem;
  const MapWalk walk = walk_map(memory(), *shape, *header, [&](const MapEntry& entry) {
    auto same = is_key(place, datum_of_key(*key_type, entry), *wanted);
    if (!same) {
      problem = std::move(same).error();
      return problem->code == ErrorCode::unreadable_memory;
    }
    if (*same) found = datum_at(*element_type, entry.element);
    return !*same;
  });
  if (found) return Operand::of(*std::move(found));
  if (problem) return fail(place, *std::move(problem));
  if (walk.error) return fail(tree, *walk.error);
  return fail(place, ErrorCode::not_found,
              "the map has no such key (of " + std::to_string(walk.count) + ")");
}

/// The key as a value of the map's type of keys; text stays a constant, and what an interface is to
/// hold stays as it is.
Result<Operand> EvaluatorWalk::wanted_key(const Tree& tree, const Type* type, const Operand& key) {
  const auto mismatch = [&](std::string_view have) {
    return fail(tree, ErrorCode::malformed_data,
                "keys are " + format_type(*type) + ", not " + std::string(have));
  };
  if (key.kind == Operand::Kind::type) return mismatch("types");
  if (kind_of(type) == TypeKind::go_interface) {
    if (key.kind == Operand::Kind::nil) return key;
    if (key.is_value(TypeKind::go_interface)) return key;
    auto may = check_holdable(tree, type, key);
    if (!may) return std::move(may).error();
    return key;
  }
  if (key.kind == Operand::Kind::value) {
    const bool c = !plain(type)->is_go() || !plain(key.datum.type)->is_go();
    const bool numbers = number_kind(type) && number_kind(key.datum.type);
    if (same_type(key.datum.type, type)) return key;
    if (!c || !numbers) return mismatch(format_type(*key.datum.type));
    return convert(tree, type, key);
  }
  if (key.kind == Operand::Kind::text) {
    if (kind_of(type) != TypeKind::go_string || (key.type != nullptr && !same_type(key.type, type)))
      return mismatch(key.type != nullptr ? format_type(*key.type) : "text");
    return key;
  }
  if (key.kind == Operand::Kind::number && !number_kind(type)) return mismatch("numbers");
  return convert(tree, type, key);
}

Result<bool> EvaluatorWalk::is_key(const Tree& tree, const Datum& key, const Operand& wanted) {
  if (kind_of(key.type) == TypeKind::go_interface) {
    if (wanted.is_value(TypeKind::go_interface)) return equal_values(context_, key, wanted.datum);
    if (wanted.kind != Operand::Kind::nil) return holds(tree, key, wanted);
    auto held = dynamic_value(context_, key);
    if (!held) return std::move(held).error();
    return !held->has_value();
  }
  if (wanted.kind != Operand::Kind::text) return equal_values(context_, key, wanted.datum);
  auto text = load_go_string(memory(), key, std::min(kLongestText, wanted.text.size() + 1));
  if (!text) return std::move(text).error();
  return text->text == wanted.text && text->length == wanted.text.size();
}

}  // namespace cgo
