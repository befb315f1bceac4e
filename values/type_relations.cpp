#include "values/type_relations.h"

namespace cgo {
namespace {

constexpr unsigned kDeepest = 32;

bool same_targets(const Type* left, const Type* right) {
  auto a = left->target(), b = right->target();
  return a && b && same_type(*a, *b);
}

bool same_members(const Type* left, const Type* right) {
  auto a = left->members(), b = right->members();
  if (!a || !b || a->size() != b->size()) return false;
  for (std::size_t i = 0; i < a->size(); ++i) {
    const TypeMember &x = (*a)[i], &y = (*b)[i];
    if (x.name != y.name || x.offset != y.offset || x.embedded != y.embedded) return false;
    auto p = left->member_type(i), q = right->member_type(i);
    if (!p || !q || !same_type(*p, *q)) return false;
  }
  return true;
}

Result<void> comparable(const Type* type, unsigned depth) {
  const Type* bare = plain(type);
  if (depth > kDeepest) return Error{ErrorCode::limit_reached, "nested too deeply to compare"};
  switch (bare->kind()) {
    case TypeKind::go_slice:
    case TypeKind::go_map:
    case TypeKind::go_function:
      return Error{ErrorCode::unsupported, format_type(*type) + " can only be compared with nil"};
    case TypeKind::array: {
      auto element = bare->target();
      if (!element) return std::move(element).error();
      return comparable(*element, depth + 1);
    }
    case TypeKind::structure: {
      auto members = bare->members();
      if (!members) return std::move(members).error();
      for (std::size_t i = 0; i < members->size(); ++i) {
        auto member = bare->member_type(i);
        if (!member) return std::move(member).error();
        if (auto done = comparable(*member, depth + 1); !done) return done;
      }
      return {};
    }
    default:
      return {};
  }
}

}  // namespace

bool same_type(const Type* left, const Type* right) {
  if (left == nullptr || right == nullptr) return false;
  const Type *a = plain(left), *b = plain(right);
  if (a == b) return true;
  return a->kind() == b->kind() && a->bytes() == b->bytes() && a->go_kind() == b->go_kind() &&
         a->is_go() == b->is_go() && format_type(*left) == format_type(*right);
}

bool same_form(const Type* left, const Type* right) {
  if (same_type(left, right)) return true;
  const Type *a = plain(left), *b = plain(right);
  if (a->kind() != b->kind() || a->bytes() != b->bytes() || a->is_go() != b->is_go()) return false;
  switch (a->kind()) {
    case TypeKind::boolean:
    case TypeKind::go_string:
      return true;
    case TypeKind::go_slice:
    case TypeKind::go_channel:
      return same_targets(a, b);
    case TypeKind::array:
      return a->length() == b->length() && same_targets(a, b);
    case TypeKind::go_map: {
      auto key = a->key(), other = b->key();
      return key && other && same_type(*key, *other) && same_targets(a, b);
    }
    case TypeKind::structure:
      return same_members(a, b);
    default:
      return false;
  }
}

Result<void> check_comparable(const Type* type) { return comparable(type, 0); }

}  // namespace cgo
