#include "target/type.h"

namespace cgo {
namespace {

constexpr int kDeepest = 32;
constexpr std::size_t kLongest = 4096;

std::string declare(const Type& type, std::string declarator, int depth);

/// What `type` points to, is an array of, and so on, with `declarator` around the name.
std::string declare_target(const Type& type, std::string declarator, int depth) {
  auto target = type.target();
  if (target) {
    const TypeKind kind = (*target)->kind();
    const bool binds_less = kind == TypeKind::array || kind == TypeKind::function;
    const bool points = type.kind() == TypeKind::pointer || type.kind() == TypeKind::reference ||
                        type.kind() == TypeKind::member_pointer;
    if (binds_less && points) declarator = "(" + declarator + ")";
    return declare(**target, std::move(declarator), depth + 1);
  }
  const char* base = target.error().code == ErrorCode::not_found ? "void" : "?";
  return declarator.empty() ? base : base + (" " + declarator);
}

/// Qualifiers of a pointer stand behind its star, those of anything else in front.
std::string declare_qualified(const Type& type, std::string declarator, int depth) {
  std::string words;
  const Type* inner = &type;
  Result<const Type*> target(inner);
  for (int step = 0; step < kDeepest && inner->kind() == TypeKind::qualified; ++step) {
    words +=
        (words.empty() ? "" : " ") + std::string(inner->keyword().empty() ? "?" : inner->keyword());
    target = inner->target();
    if (!target || !(*target)->name().empty()) break;
    inner = *target;
  }
  if (target && (*target)->kind() == TypeKind::pointer && (*target)->name().empty())
    return declare(**target, declarator.empty() ? words : words + " " + declarator, depth + 1);
  if (target) return words + " " + declare(**target, std::move(declarator), depth + 1);
  return words + " void" + (declarator.empty() ? "" : " " + declarator);
}

/// "(int, char *)": what a function takes; DwarfType has it as members.
std::string parameters_of(const Type& function, int depth) {
  constexpr std::size_t kMostParameters = 64;
  auto all = function.members();
  if (!all) return "(...)";
  std::string out;
  for (std::size_t i = 0; i < all->size() && i < kMostParameters && out.size() < kLongest; ++i) {
    auto type = function.member_type(i);
    const std::string one = (*all)[i].name == "..." ? "..."
                            : type                  ? declare(**type, {}, depth + 1)
                                                    : "?";
    out += (i == 0 ? "" : ", ") + one;
  }
  return "(" + out + (all->size() > kMostParameters ? ", …)" : ")");
}

/// "P::*": a pointer to a member of a class, which DwarfType has as its one member.
std::string member_star(const Type& pointer) {
  auto of = pointer.member_type(0);
  return (of && !(*of)->name().empty() ? std::string((*of)->name()) : "?") + "::*";
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
  if (depth > kDeepest || declarator.size() > kLongest) return "?";
  if (type.name().empty()) {
    switch (type.kind()) {
      case TypeKind::pointer:
      case TypeKind::reference:
        return declare_target(type, std::string(type.keyword()) + declarator, depth);
      case TypeKind::member_pointer:
        return declare_target(type, member_star(type) + declarator, depth);
      case TypeKind::qualified:
        return declare_qualified(type, std::move(declarator), depth);
      case TypeKind::array: {
        const auto length = type.length();
        return declare_target(
            type, declarator + "[" + (length ? std::to_string(*length) : "") + "]", depth);
      }
      case TypeKind::function:
        return declare_target(type, declarator + parameters_of(type, depth), depth);
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
