#include <algorithm>

#include "goruntime/go_interface.h"
#include "target/byte_view.h"
#include "values/evaluate.h"
#include "values/number.h"
#include "values/type_relations.h"

namespace cgo {
namespace {

constexpr unsigned kDeepest = 64;
constexpr std::uint64_t kLongestText = 1u << 24;

class Equality {
 public:
  explicit Equality(const ValueContext& context) : context_(context) {}

  Result<bool> equal(const Datum& left, const Datum& right, unsigned depth) {
    if (depth > kDeepest) return Error{ErrorCode::limit_reached, "nested too deeply to compare"};
    const Type* type = plain(left.type);
    if (type->kind() != kind_of(right.type) || type->bytes() != right.type->bytes()) return false;
    switch (type->kind()) {
      case TypeKind::floating:
      case TypeKind::complex: {
        auto a = load_number(memory(), left), b = load_number(memory(), right);
        if (!a || !b) return std::move(a ? b : a).error();
        return a->real == b->real && a->imaginary == b->imaginary;
      }
      case TypeKind::go_string:
        return equal_texts(left, right);
      case TypeKind::structure:
        return equal_members(left, right, depth);
      case TypeKind::array:
        return equal_elements(left, right, depth);
      case TypeKind::go_interface:
        return equal_interfaces(left, right, depth);
      case TypeKind::go_slice:
      case TypeKind::go_map:
      case TypeKind::go_function:
        return Error{ErrorCode::unsupported,
                     format_type(*left.type) + " can only be compared with nil"};
      default:
        break;
    }
    auto a = load_all(memory(), left), b = load_all(memory(), right);
    if (!a || !b) return std::move(a ? b : a).error();
    return *a == *b;
  }

 private:
  const MemoryReader& memory() const { return context_.memory(); }

  Result<bool> equal_texts(const Datum& left, const Datum& right) {
    auto length = load_word(memory(), left, 8), other = load_word(memory(), right, 8);
    if (!length || !other) return std::move(length ? other : length).error();
    if (*length != *other) return false;
    auto a = load_go_string(memory(), left, kLongestText);
    auto b = load_go_string(memory(), right, kLongestText);
    if (!a || !b) return std::move(a ? b : a).error();
    return a->text == b->text;
  }

  Result<bool> equal_members(const Datum& left, const Datum& right, unsigned depth) {
    auto members = plain(left.type)->members();
    if (!members) return std::move(members).error();
    for (std::size_t i = 0; i < members->size(); ++i) {
      if ((*members)[i].name == "_") continue;
      auto a = member_of(left, i), b = member_of(right, i);
      if (!a || !b) return std::move(a ? b : a).error();
      auto same = equal(*a, *b, depth + 1);
      if (!same || !*same) return same;
    }
    return true;
  }

  Result<bool> equal_elements(const Datum& left, const Datum& right, unsigned depth) {
    constexpr std::uint64_t kMost = 1u << 16;
    auto element = plain(left.type)->target();
    if (!element) return std::move(element).error();
    const std::uint64_t length = plain(left.type)->length().value_or(0);
    if (length != plain(right.type)->length().value_or(0)) return false;
    if (length > kMost) return Error{ErrorCode::limit_reached, "too many elements to compare"};
    for (std::uint64_t i = 0; i < length; ++i) {
      const std::uint64_t offset = i * (*element)->bytes();
      auto same =
          equal(part_of(left, *element, offset), part_of(right, *element, offset), depth + 1);
      if (!same || !*same) return same;
    }
    return true;
  }

  Result<bool> equal_interfaces(const Datum& left, const Datum& right, unsigned depth) {
    auto a = dynamic_value(context_, left), b = dynamic_value(context_, right);
    if (!a || !b) return std::move(a ? b : a).error();
    if (!*a || !*b) return !*a && !*b;
    if (!same_type((*a)->type, (*b)->type)) return false;
    return equal(**a, **b, depth + 1);
  }

  const ValueContext& context_;
};

/// Levenshtein's distance, ignoring case.
std::size_t distance(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = diagonal + (lower(a[i - 1]) != lower(b[j - 1]));
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, changed});
    }
  }
  return row[b.size()];
}

}  // namespace

Result<bool> equal_values(const ValueContext& context, const Datum& left, const Datum& right) {
  return Equality(context).equal(left, right, 0);
}

Result<std::optional<Datum>> dynamic_value(const ValueContext& context, const Datum& interface) {
  auto words = load_part(context.memory(), interface, 0, 16);
  if (!words) return std::move(words).error();
  if (*load<std::uint64_t>(*words, 0) == 0) return std::optional<Datum>();
  auto empty = context.is_empty_interface(*plain(interface.type));
  if (!empty) return std::move(empty).error();
  auto contents = decode_interface(context.memory(), *words, *empty);
  if (!contents) return std::move(contents).error();
  auto type = context.dynamic_type((*contents)->type.address);
  if (!type) return std::move(type).error();
  if (kind_of(*type) == TypeKind::go_interface)
    return Error{ErrorCode::malformed_data, "an interface cannot hold an interface"};
  if (!(*contents)->direct()) return std::optional(datum_at(*type, (*contents)->word));
  // The second word is the value itself.
  Datum held = part_of(interface, *type, 8);
  held.bytes = std::vector<std::byte>(words->begin() + 8, words->end());
  return std::optional(std::move(held));
}

std::vector<std::string> similar_names(std::string_view name, const std::vector<std::string>& all) {
  constexpr std::size_t kMost = 3, kLongest = 64;
  std::vector<std::pair<std::size_t, std::string>> near;
  for (const std::string& other : all) {
    if (other.size() > kLongest || name.size() > kLongest) continue;
    const std::size_t far = distance(name, other);
    if (far <= 1 + name.size() / 4) near.emplace_back(far, other);
  }
  std::sort(near.begin(), near.end());
  near.erase(std::unique(near.begin(), near.end()), near.end());
  std::vector<std::string> out;
  for (std::size_t i = 0; i < std::min(kMost, near.size()); ++i) out.push_back(near[i].second);
  return out;
}

}  // namespace cgo
