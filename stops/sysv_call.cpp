#include "stops/sysv_call.h"

#include <algorithm>
#include <array>

namespace cgo {
namespace {

constexpr std::uint64_t kEight = 8;
constexpr unsigned kIntegerRegisters = 6, kSseRegisters = 8, kResultRegisters = 2;
constexpr unsigned kMostDepth = 16;

enum class Class : std::uint8_t { none, integer, sse, memory };
/// Of the one or two eight-byte parts of a value that may go in registers.
using Classes = std::array<Class, 2>;

void mark(Classes& classes, std::uint64_t offset, std::uint64_t bytes, Class with) {
  for (std::uint64_t part = offset / kEight; part <= (offset + bytes - 1) / kEight; ++part)
    if (part < classes.size() && classes[part] != Class::integer) classes[part] = with;
}

/// False for what goes in memory, or is not known.
bool classify(const Type* type, std::uint64_t offset, Classes& classes, unsigned depth) {
  const auto plain = stripped(type);
  if (!plain || depth > kMostDepth) return false;
  const std::uint64_t bytes = (*plain)->bytes();
  if (bytes == 0) return (*plain)->kind() == TypeKind::structure;  // An empty one of C.
  if (offset + bytes > classes.size() * kEight) return false;
  switch ((*plain)->kind()) {
    case TypeKind::boolean:
    case TypeKind::character:
    case TypeKind::signed_integer:
    case TypeKind::unsigned_integer:
    case TypeKind::pointer:
    case TypeKind::reference:
    case TypeKind::enumeration:
      if (offset % std::min(bytes, kEight) != 0) return false;  // Packed.
      mark(classes, offset, bytes, Class::integer);
      return true;
    case TypeKind::floating:
      if (bytes > kEight || offset % bytes != 0) return false;  // x87.
      mark(classes, offset, bytes, Class::sse);
      return true;
    case TypeKind::complex:
      mark(classes, offset, bytes, Class::sse);
      return true;
    case TypeKind::array: {
      const auto element = (*plain)->target();
      const auto length = (*plain)->length();
      if (!element || !length || *length == 0) return false;
      for (std::uint64_t i = 0; i < *length; ++i)
        if (!classify(*element, offset + i * (bytes / *length), classes, depth + 1)) return false;
      return true;
    }
    case TypeKind::structure:
    case TypeKind::union_type: {
      const auto members = (*plain)->members();
      if (!members) return false;
      for (std::size_t i = 0; i < members->size(); ++i) {
        const auto member = (*plain)->member_type(i);
        if (!member || (*members)[i].computed) return false;
        if (!classify(*member, offset + (*members)[i].offset, classes, depth + 1)) return false;
      }
      return true;
    }
    default:
      return false;
  }
}

struct Registers {
  unsigned integers = 0, sse = 0;
};

/// The registers for a value, or nothing when there are not enough of them left.
std::optional<PassedValue> in_registers(const Classes& classes, std::uint64_t bytes,
                                        Registers& used, Registers all) {
  PassedValue out;
  Registers now = used;
  for (std::uint64_t part = 0; part < (bytes + kEight - 1) / kEight; ++part) {
    const bool sse = classes[part] == Class::sse;
    unsigned& next = sse ? now.sse : now.integers;
    if (next >= (sse ? all.sse : all.integers)) return std::nullopt;
    out.parts.push_back(
        {sse ? PassedValue::Place::sse_register : PassedValue::Place::integer_register, next++});
  }
  used = now;
  return out;
}

bool has_x87(const Type& type) {
  const auto plain = stripped(&type);
  return plain && (*plain)->kind() == TypeKind::floating && (*plain)->bytes() > kEight;
}

}  // namespace

std::vector<std::optional<PassedValue>> passed_arguments(std::span<const Type* const> types,
                                                         bool result_in_memory) {
  std::vector<std::optional<PassedValue>> out;
  Registers used{.integers = result_in_memory ? 1u : 0u};
  std::uint64_t stack = kEight;  // Above the return address.
  for (const Type* type : types) {
    const auto plain = type == nullptr ? Result<const Type*>(Error{}) : stripped(type);
    if (!plain || !(*plain)->complete() || (*plain)->bytes() == 0) break;
    const std::uint64_t bytes = (*plain)->bytes();
    Classes classes{};
    const bool fits = bytes <= 2 * kEight && classify(type, 0, classes, 0);
    if (fits)
      if (auto registers = in_registers(classes, bytes, used, {kIntegerRegisters, kSseRegisters})) {
        out.push_back(std::move(registers));
        continue;
      }
    // Aligned to 16 where its type is: only long double and 128-bit integers, here.
    const bool wide = has_x87(*type) || ((*plain)->bytes() == 2 * kEight &&
                                         ((*plain)->kind() == TypeKind::signed_integer ||
                                          (*plain)->kind() == TypeKind::unsigned_integer));
    if (wide || (*plain)->alignment() > kEight) stack = (stack - kEight + 15) / 16 * 16 + kEight;
    out.push_back(PassedValue{.parts = {}, .stack_offset = stack});
    stack += (bytes + kEight - 1) / kEight * kEight;
  }
  out.resize(types.size());
  return out;
}

std::optional<PassedValue> passed_result(const Type& type) {
  const auto plain = stripped(&type);
  if (!plain || (*plain)->bytes() == 0 || (*plain)->bytes() > 2 * kEight) return std::nullopt;
  Classes classes{};
  if (!classify(&type, 0, classes, 0)) return std::nullopt;
  Registers used;
  return in_registers(classes, (*plain)->bytes(), used, {kResultRegisters, kResultRegisters});
}

}  // namespace cgo
