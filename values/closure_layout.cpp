#include "values/closure_layout.h"

#include <algorithm>

namespace cgo {
namespace {

// Source: src/cmd/compile/internal/escape/escape.go, flowClosure: larger ones are never held.
constexpr std::uint64_t kMostHeldBytes = 128;

/// Whether the compiler keeps variables of the type in registers, and needs no address for anything
/// that programs commonly do with them. It takes that of larger ones to put them into interfaces.
bool fits_registers(const Type& type) {
  switch (type.kind()) {
    case TypeKind::array:
    case TypeKind::structure:
    case TypeKind::complex:
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

/// What no program for amd64 can have a variable at.
bool cannot_be_at(Address address) {
  constexpr std::uint64_t kLowest = 4096, kHighest = 0x7fffffffffff;
  return address.value < kLowest || address.value > kHighest;
}

}  // namespace

bool may_be_held_as_value(const Type& type) {
  return type.bytes() <= kMostHeldBytes && !fits_registers(*plain(&type));
}

Held how_held(const ValueContext& context, Address closure, const CapturedVariable& variable,
              std::uint64_t room) {
  if (!variable.by_reference) return Held::value;
  if (variable.certain) return Held::address;
  if (variable.type->bytes() > std::min(room, kMostHeldBytes)) return Held::address;
  const auto at = checked_add(closure, variable.offset);
  if (fits_registers(*plain(variable.type))) {
    // Held itself only where the compiler made up something that takes its address.
    const auto word = at ? read_pointer(context.memory(), *at) : Error{};
    return word && cannot_be_at(*word) ? Held::value : Held::address;
  }
  const AddressDescriber* describer = context.describer();
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
