#include <algorithm>

#include "goruntime/closure_sites.h"
#include "values/program_context.h"

// What closures hold. Two sources: attributes of the variables in debug information (since Go 1.23;
// without those that the compiler optimized away), and the structure that the closure is, where
// the code that makes it names its type (all of it, but since 1.21 without names).

namespace cgo {
namespace {

/// A variable of the closure's function: "&x" in debug information is the address of an x.
struct Named {
  std::string_view name;
  const Type* type = nullptr;
  bool by_reference = false;
};

std::optional<Named> named(const Variable& variable) {
  if (variable.type == nullptr || variable.parameter) return std::nullopt;
  if (!variable.name.starts_with('&')) return Named{variable.name, variable.type, false};
  auto target = plain(variable.type)->target();
  if (!target) return std::nullopt;
  return Named{variable.name.substr(1), *target, true};
}

/// Source: src/cmd/compile/internal/typecheck/func.go, ClosureType: since 1.21 X0, X1 …, so that
/// closures share types; before that the names of the variables.
bool is_made_up(std::string_view field) {
  return field.size() > 1 && field[0] == 'X' &&
         field.find_first_not_of("0123456789", 1) == field.npos;
}

/// By the size alone: the types of generic functions have other names in debug information.
bool may_be(const Type& field, const Named& variable) {
  // "&x" is the address of what the closure has where x is no value for registers.
  return field.bytes() == plain(variable.type)->bytes() ||
         (variable.by_reference && field.kind() == TypeKind::pointer);
}

/// The variable that the field at `offset` holds, as far as debug information names it. One without
/// a size lies where the next does.
std::optional<Named> variable_of(const std::vector<Variable>& variables, std::string_view field,
                                 const Type& type, std::uint64_t offset) {
  std::optional<Named> there;
  for (const Variable& variable : variables) {
    if (variable.closure_offset != offset) continue;
    const auto found = named(variable);
    if (!found || !may_be(*plain(&type), *found)) continue;
    if (there) return std::nullopt;
    there = found;
  }
  if (there || is_made_up(field)) return there;
  std::optional<Named> out;
  for (const Variable& variable : variables) {
    const auto found = named(variable);
    if (!found || found->name != field) continue;
    // One of the same name in a block inside is another variable.
    if (out && (out->by_reference != found->by_reference || out->type != found->type))
      return std::nullopt;
    out = found;
  }
  return out;
}

CapturedVariable captured_in(const TypeMember& field, const Type* type,
                             const std::optional<Named>& variable) {
  CapturedVariable out{.name = std::string(variable ? variable->name : field.name),
                       .type = type,
                       .offset = field.offset,
                       .certain = true,
                       .nameless = !variable && is_made_up(field.name)};
  if (variable && variable->by_reference && type->kind() == TypeKind::pointer &&
      format_type(*type) == "*" + format_type(*variable->type)) {
    out.type = variable->type;
    out.by_reference = true;
  }
  return out;
}

bool is_closure_structure(const Type& type) {
  const auto members = type.members();
  if (type.kind() != TypeKind::structure || !members || members->empty()) return false;
  const TypeMember& code = members->front();
  return (code.name == "F" || code.name == ".F") && code.offset == 0;
}

std::vector<CapturedVariable> by_attributes(const std::vector<Variable>& variables) {
  std::vector<CapturedVariable> out;
  for (const Variable& variable : variables) {
    const auto found = named(variable);
    if (!variable.closure_offset || !found) continue;
    out.push_back({.name = std::string(found->name),
                   .type = found->type,
                   .offset = *variable.closure_offset,
                   .by_reference = found->by_reference});
  }
  return out;
}

}  // namespace

std::vector<Variable> ProgramContext::variables_at(Address entry) const {
  const Image* image = parts_.images != nullptr ? parts_.images->find(entry) : nullptr;
  auto dwarf = dwarf_at(entry);
  if (!dwarf || image == nullptr) return {};
  auto scopes = (*dwarf)->scopes_at(image->to_file(entry));
  if (!scopes || scopes->empty()) return {};
  return std::move(scopes->back().variables);
}

ProgramContext::ClosureStructure ProgramContext::closure_structure(Address entry) const {
  {
    const std::lock_guard lock(mutex_);
    if (const auto known = closures_.find(entry); known != closures_.end()) return known->second;
  }
  ClosureStructure found;
  const GoRuntime* runtime = parts_.runtimes != nullptr ? parts_.runtimes->at(entry) : nullptr;
  const auto function = runtime != nullptr ? runtime->function_at(entry) : std::nullopt;
  if (function && function->entry == entry)
    if (const auto made = closure_allocation(*parts_.memory, *runtime, *function)) {
      found.bytes = made->bytes;
      found.has_pointers = made->descriptor != Address{};
      auto type = found.has_pointers ? dynamic_type(made->descriptor) : Error{};
      if (type && is_closure_structure(*plain(*type)) &&
          (made->bytes == 0 || made->bytes == plain(*type)->bytes()))
        found.type = plain(*type);
    }
  const std::lock_guard lock(mutex_);
  return closures_.emplace(entry, found).first->second;
}

std::vector<CapturedVariable> ProgramContext::captured_variables(Address entry) const {
  const std::vector<Variable> variables = variables_at(entry);
  const ClosureStructure made = closure_structure(entry);
  const Type* structure = made.type;
  if (structure == nullptr) {
    std::vector<CapturedVariable> out = by_attributes(variables);
    std::stable_sort(out.begin(), out.end(),
                     [](const auto& a, const auto& b) { return a.offset < b.offset; });
    if (!made.has_pointers)
      for (CapturedVariable& one : out) one.by_reference = false;
    return out;
  }
  std::vector<CapturedVariable> out;
  const auto members = structure->members();
  for (std::size_t i = 1; i < members->size(); ++i) {
    const TypeMember& field = (*members)[i];
    auto type = structure->member_type(i);
    if (type)
      out.push_back(
          captured_in(field, *type, variable_of(variables, field.name, **type, field.offset)));
  }
  return out;
}

std::uint64_t ProgramContext::closure_bytes(Address entry) const {
  const ClosureStructure made = closure_structure(entry);
  return made.type != nullptr ? made.type->bytes() : made.bytes;
}

}  // namespace cgo
