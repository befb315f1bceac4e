#include "values/closure_layout.h"

namespace cgo {
namespace {

// Source: src/cmd/compile/internal/escape/escape.go, flowClosure: larger ones are never held.
constexpr std::uint64_t kMostHeldBytes = 128;
// Source: src/cmd/compile/internal/ssa/value.go, CanSSA.
constexpr std::uint64_t kMostRegisterBytes = 32;
constexpr std::size_t kMostRegisterFields = 4;
constexpr unsigned kDeepestNesting = 8;

/// Whether the compiler certainly keeps variables of the type in registers.
bool fits_registers(const Type& type, unsigned depth = 0) {
  if (type.bytes() > kMostRegisterBytes || depth > kDeepestNesting) return false;
  switch (type.kind()) {
    case TypeKind::array: {
      const auto element = type.target();
      const auto length = type.length();
      return element && length && *length <= 1 && fits_registers(*plain(*element), depth + 1);
    }
    case TypeKind::structure: {
      const auto members = type.members();
      if (!members || members->size() > kMostRegisterFields) return false;
      for (std::size_t i = 0; i < members->size(); ++i) {
        const auto field = type.member_type(i);
        if (!field || !fits_registers(*plain(*field), depth + 1)) return false;
      }
      return true;
    }
    case TypeKind::union_type:
    case TypeKind::class_type:
      return false;
    default:
      return true;
  }
}

/// Whether a variable of `bytes` may lie at `at`: one that a closure has the address of is on the
/// heap or on a stack.
bool may_be_variable(const AddressDescription& at, Address address, std::uint64_t bytes) {
  using Kind = AddressDescription::Kind;
  switch (at.kind) {
    case Kind::go_object:
    case Kind::goroutine_stack: {
      const std::uint64_t offset = address.value - at.base.value;
      return at.bytes == 0 || (offset <= at.bytes && bytes <= at.bytes - offset);
    }
    case Kind::nothing:
    case Kind::c_block:
    case Kind::thread_local_storage:
    case Kind::global:
    case Kind::code:
    case Kind::mapping:
      return false;
    case Kind::go_freed:
    case Kind::go_heap:
    case Kind::system_stack:
    case Kind::signal_stack:
    case Kind::c_freed:
    case Kind::c_heap:
    case Kind::c_stack:
    case Kind::memory:
      break;
  }
  return true;
}

}  // namespace

bool may_be_held_as_value(const Type& type) {
  return type.bytes() <= kMostHeldBytes && !fits_registers(*plain(&type));
}

Held how_held(const ValueContext& context, Address closure, const CapturedVariable& variable,
              std::uint64_t room) {
  if (!variable.by_reference) return Held::value;
  if (variable.certain) return Held::address;
  if (!may_be_held_as_value(*variable.type) || variable.type->bytes() > room) return Held::address;
  const AddressDescriber* describer = context.describer();
  const auto at = checked_add(closure, variable.offset);
  if (describer == nullptr || !at) return Held::unknown;
  const AddressDescription object = describer->describe(closure);
  if (object.kind == AddressDescription::Kind::go_object && object.base == closure &&
      (object.bytes < variable.offset || object.bytes - variable.offset < variable.type->bytes()))
    return Held::address;
  // What cannot be its address is the value's beginning.
  const auto word = read_pointer(context.memory(), *at);
  if (!word) return Held::unknown;
  const AddressDescription there = describer->describe(*word);
  return may_be_variable(there, *word, variable.type->bytes()) ? Held::unknown : Held::value;
}

}  // namespace cgo
