#include "target/type.h"

namespace cgo {
namespace {

constexpr int kDeepest = 32;

std::string declare(const Type& type, std::string declarator, int depth);

/// What `type` points to, is an array of, and so on, with `declarator` around the name.
std::string declare_target(const Type& type, std::string declarator, int depth) {
  auto target = type.target();
  if (target) {
    const TypeKind kind = (*target)->kind();
    const bool binds_less = kind == TypeKind::array || kind == TypeKind::function;
    const bool points = type.kind() == TypeKind::pointer || type.kind() == TypeKind::reference;
    if (binds_less && points) declarator = "(" + declarator + ")";
    return declare(**target, std::move(declarator), depth + 1);
  }
  const char* base = target.error().code == ErrorCode::not_found ? "void" : "?";
  return declarator.empty() ? base : base + (" " + declarator);
}

std::string declare_qualified(const Type& type, std::string declarator, int depth) {
  const std::string word(type.keyword().empty() ? "?" : type.keyword());
  auto target = type.target();
  if (target && (*target)->kind() == TypeKind::pointer && (*target)->name().empty())
    return declare(**target, declarator.empty() ? word : word + " " + declarator, depth + 1);
  return word + " " + declare_target(type, std::move(declarator), depth);
}

std::string base_name(const Type& type) {
  const TypeKind kind = type.kind();
  const bool tagged = kind == TypeKind::structure || kind == TypeKind::union_type ||
                      kind == TypeKind::enumeration || kind == TypeKind::class_type;
  const std::string word(tagged ? type.keyword() : std::string_view());
  if (type.name().empty()) return tagged ? word + " {...}" : "void";
  if (type.language() == Language::c && tagged) return word + " " + std::string(type.name());
  return std::string(type.name());
}

/// Inside out, as C declares: what is around the name so far is in `declarator`.
std::string declare(const Type& type, std::string declarator, int depth) {
  if (depth > kDeepest || declarator.size() > 4096) return "?";
  if (type.name().empty()) {
    switch (type.kind()) {
      case TypeKind::pointer:
      case TypeKind::reference:
        return declare_target(type, std::string(type.keyword()) + declarator, depth);
      case TypeKind::member_pointer:
        return declare_target(type, "?::*" + declarator, depth);
      case TypeKind::qualified:
        return declare_qualified(type, std::move(declarator), depth);
      case TypeKind::array: {
        const auto length = type.length();
        return declare_target(
            type, declarator + "[" + (length ? std::to_string(*length) : "") + "]", depth);
      }
      case TypeKind::function:
        return declare_target(type, declarator + "(...)", depth);
      default:
        break;
    }
  }
  std::string out = base_name(type);
  return declarator.empty() ? out : out + " " + declarator;
}

}  // namespace

std::string format_type(const Type& type) { return declare(type, {}, 0); }

Result<const Type*> stripped(const Type* type) {
  constexpr int kLongestChain = 64;
  for (int step = 0; step < kLongestChain; ++step) {
    if (type->kind() != TypeKind::alias && type->kind() != TypeKind::qualified) return type;
    auto next = type->target();
    if (!next) return next;
    type = *next;
  }
  return Error{ErrorCode::malformed_data,
               "the type " + std::string(type->name()) + " is an alias of itself"};
}

}  // namespace cgo
