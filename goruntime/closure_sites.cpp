#include "goruntime/closure_sites.h"

#include <algorithm>

namespace cgo {
namespace {

/// Between the allocation and the store of the code's address; unoptimized code keeps the pointer.
constexpr std::size_t kMostBytesBetween = 64;
constexpr std::uint64_t kLargestFunction = 1u << 20;
constexpr unsigned kMostEnclosing = 6;

std::uint8_t byte_at(ByteView code, std::size_t at) {
  return at < code.size() ? std::to_integer<std::uint8_t>(code[at]) : 0;
}

/// Where the 32-bit displacement at `at`, the last part of its instruction, leads.
Address relative(ByteView code, Address start, std::size_t at) {
  const auto displacement = load<std::int32_t>(code, at).value_or(0);
  return wrapping_add(start, at + 4 + static_cast<std::uint64_t>(std::int64_t{displacement}));
}

bool wide(std::uint8_t rex) { return rex == 0x48 || rex == 0x4c; }

/// lea closure(%rip), %reg
bool takes_address(ByteView code, Address start, std::size_t at, Address closure) {
  return wide(byte_at(code, at)) && byte_at(code, at + 1) == 0x8d &&
         (byte_at(code, at + 2) & 0xc7) == 0x05 && relative(code, start, at + 3) == closure;
}

/// mov %reg, (%rax), with the register that the lea at `lea` has set.
bool stores_first_word(ByteView code, std::size_t at, std::size_t lea) {
  const auto reg = static_cast<std::uint8_t>(byte_at(code, lea + 2) & 0x38);
  return byte_at(code, at) == byte_at(code, lea) && byte_at(code, at + 1) == 0x89 &&
         byte_at(code, at + 2) == reg;
}

/// Where the allocation that begins at `at` ends, and whose descriptor it is given: lea
/// type(%rip), %rax; call allocator. The linker's padding may lie between.
std::optional<std::size_t> allocation_end(ByteView code, Address start, std::size_t at,
                                          Address allocator) {
  constexpr std::size_t kLea = 7, kMostPadding = 9;
  if (byte_at(code, at) != 0x48 || byte_at(code, at + 1) != 0x8d || byte_at(code, at + 2) != 0x05)
    return std::nullopt;
  for (std::size_t call = at + kLea; call <= at + kLea + kMostPadding; ++call)
    if (byte_at(code, call) == 0xe8 && relative(code, start, call + 1) == allocator)
      return call + 5;
  return std::nullopt;
}

bool makes_closure(ByteView code, Address start, std::size_t from, Address closure,
                   Address allocator) {
  for (std::size_t lea = from; lea < from + kMostBytesBetween; ++lea) {
    if (allocation_end(code, start, lea, allocator)) return false;
    if (!takes_address(code, start, lea, closure)) continue;
    for (std::size_t store = lea + 7; store < from + kMostBytesBetween; ++store)
      if (stores_first_word(code, store, lea)) return true;
  }
  return false;
}

/// What stands before the last dot that is no part of a path or of type arguments; "" for nothing.
std::string_view enclosing(std::string_view name) {
  std::size_t dot = name.rfind('.');
  while (dot != name.npos && name.find(']', dot) != name.npos &&
         name.find(']', dot) < name.find('[', dot))
    dot = dot == 0 ? name.npos : name.rfind('.', dot - 1);
  if (dot == name.npos || name.find('/', dot) != name.npos) return {};
  return name.substr(0, dot);
}

/// Functions of the name: instances of a generic one share it, and lie near each other.
std::vector<GoFunction> functions_named(const GoFunction& near, std::string_view name) {
  constexpr unsigned kMostNeighbours = 16;
  std::vector<GoFunction> out;
  if (auto first = near.module->function_named(name)) out.push_back(*first);
  if (name.find('[') == name.npos) return out;
  const auto add = [&](const std::optional<GoFunction>& function) {
    if (function && function->name == name) out.push_back(*function);
  };
  std::optional<GoFunction> before = near, after = near;
  for (unsigned i = 0; i < kMostNeighbours; ++i) {
    if (before) before = near.module->function_at({before->entry.value - 1});
    if (after) after = near.module->function_at(after->end);
    add(before);
    add(after);
  }
  return out;
}

}  // namespace

std::vector<Address> closure_descriptors_amd64(ByteView code, Address at, Address closure,
                                               Address allocator) {
  std::vector<Address> found;
  for (std::size_t i = 0; i + 12 <= code.size(); ++i) {
    const auto end = allocation_end(code, at, i, allocator);
    if (end && makes_closure(code, at, *end, closure, allocator))
      found.push_back(relative(code, at, i + 3));
  }
  return found;
}

std::optional<Address> closure_descriptor(const MemoryReader& memory, const GoRuntime& runtime,
                                          const GoFunction& function) {
  const auto allocator = runtime.function_named("runtime.newobject");
  if (!allocator) return std::nullopt;
  // "main.outer.func1.2" is in main.outer.func1, "main.main.inlined.func3" in main.main.
  std::string_view name = function.name;
  std::optional<Address> out;
  for (unsigned i = 0; i < kMostEnclosing; ++i) {
    name = enclosing(name);
    if (name.empty()) break;
    for (const GoFunction& around : functions_named(function, name)) {
      const std::uint64_t bytes = around.end.value - around.entry.value;
      auto code = bytes <= kLargestFunction ? read_bytes(memory, around.entry, bytes)
                                            : Result<std::vector<std::byte>>(Error{});
      if (!code) continue;
      for (const Address descriptor :
           closure_descriptors_amd64(*code, around.entry, function.entry, allocator->entry)) {
        if (out && *out != descriptor) return std::nullopt;
        out = descriptor;
      }
    }
  }
  return out;
}

}  // namespace cgo
