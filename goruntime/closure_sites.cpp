#include "goruntime/closure_sites.h"

#include <algorithm>
#include <initializer_list>

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

bool has_bytes(ByteView code, std::size_t at, std::initializer_list<std::uint8_t> bytes) {
  return std::ranges::all_of(bytes, [&](std::uint8_t byte) { return byte_at(code, at++) == byte; });
}

struct Allocation {
  std::size_t end = 0;
  ClosureAllocation what;
};

/// The end of a call to one of the functions that begins at `at` or behind the linker's padding.
template <class IsAllocator>
std::optional<std::size_t> end_of_call(ByteView code, Address start, std::size_t at,
                                       const IsAllocator& is_allocator) {
  constexpr std::size_t kMostPadding = 9;
  for (std::size_t call = at; call <= at + kMostPadding; ++call)
    if (byte_at(code, call) == 0xe8 && is_allocator(relative(code, start, call + 1)))
      return call + 5;
  return std::nullopt;
}

/// mov $size, %eax; lea type(%rip), %rbx, or xor %ebx, %ebx without pointers; mov $1, %ecx; call.
std::optional<Allocation> sized_allocation(ByteView code, Address start, std::size_t at,
                                           const ClosureAllocators& allocators) {
  if (byte_at(code, at) != 0xb8) return std::nullopt;
  Allocation out{.what = {.bytes = load<std::uint32_t>(code, at + 1).value_or(0)}};
  std::size_t next = at + 5;
  if (has_bytes(code, next, {0x48, 0x8d, 0x1d})) {
    out.what.descriptor = relative(code, start, next + 3);
    next += 7;
  } else if (has_bytes(code, next, {0x31, 0xdb})) {
    next += 2;
  } else {
    return std::nullopt;
  }
  if (!has_bytes(code, next, {0xb9, 1, 0, 0, 0})) return std::nullopt;
  const auto end = end_of_call(code, start, next + 5, allocators.has_one_size);
  if (!end) return std::nullopt;
  out.end = *end;
  return out;
}

/// The allocation that begins at `at`: lea type(%rip), %rax; call newobject; or one for a size.
std::optional<Allocation> allocation_at(ByteView code, Address start, std::size_t at,
                                        const ClosureAllocators& allocators) {
  constexpr std::size_t kLea = 7;
  if (!has_bytes(code, at, {0x48, 0x8d, 0x05}))
    return sized_allocation(code, start, at, allocators);
  const auto end = end_of_call(code, start, at + kLea,
                               [&](Address called) { return called == allocators.newobject; });
  if (!end) return std::nullopt;
  return Allocation{*end, {.descriptor = relative(code, start, at + 3)}};
}

bool makes_closure(ByteView code, Address start, std::size_t from, Address closure,
                   const ClosureAllocators& allocators) {
  for (std::size_t lea = from; lea < from + kMostBytesBetween; ++lea) {
    if (allocation_at(code, start, lea, allocators)) return false;
    if (!takes_address(code, start, lea, closure)) continue;
    for (std::size_t store = lea + 7; store < from + kMostBytesBetween; ++store)
      if (stores_first_word(code, store, lea)) return true;
  }
  return false;
}

/// Source: src/runtime/malloc_generated.go, 1.27.
bool has_one_size(std::string_view function) {
  return function.starts_with("runtime.mallocgcSmallScanNoHeaderSC") ||
         function.starts_with("runtime.mallocgcSmallNoScanSC") ||
         function.starts_with("runtime.mallocgcTinySC");
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

std::vector<ClosureAllocation> closure_allocations_amd64(ByteView code, Address at, Address closure,
                                                         const ClosureAllocators& allocators) {
  std::vector<ClosureAllocation> found;
  for (std::size_t i = 0; i + 12 <= code.size(); ++i) {
    const auto allocation = allocation_at(code, at, i, allocators);
    if (allocation && makes_closure(code, at, allocation->end, closure, allocators))
      found.push_back(allocation->what);
  }
  return found;
}

std::optional<ClosureAllocation> closure_allocation(const MemoryReader& memory,
                                                    const GoRuntime& runtime,
                                                    const GoFunction& function) {
  const auto newobject = runtime.function_named("runtime.newobject");
  if (!newobject) return std::nullopt;
  const ClosureAllocators allocators{newobject->entry, [&](Address called) {
                                       const auto to = runtime.function_at(called);
                                       return to && to->entry == called && has_one_size(to->name);
                                     }};
  // "main.outer.func1.2" is in main.outer.func1, "main.main.inlined.func3" in main.main.
  std::string_view name = function.name;
  std::optional<ClosureAllocation> out;
  for (unsigned i = 0; i < kMostEnclosing; ++i) {
    name = enclosing(name);
    if (name.empty()) break;
    for (const GoFunction& around : functions_named(function, name)) {
      const std::uint64_t bytes = around.end.value - around.entry.value;
      auto code = bytes <= kLargestFunction ? read_bytes(memory, around.entry, bytes)
                                            : Result<std::vector<std::byte>>(Error{});
      if (!code) continue;
      for (const ClosureAllocation& found :
           closure_allocations_amd64(*code, around.entry, function.entry, allocators)) {
        if (out && *out != found) return std::nullopt;
        out = found;
      }
    }
  }
  return out;
}

}  // namespace cgo
