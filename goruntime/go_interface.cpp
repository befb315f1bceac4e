#include "goruntime/go_interface.h"

namespace cgo {
namespace {

// Source: src/internal/abi/iface.go, ITab: Inter 0, Type 8, Hash 16 (src/runtime/runtime2.go before
// 1.22; the same in 1.19 to 1.27).
constexpr std::uint64_t kItabType = 8, kItabHash = 16;

Result<TypeDescriptor> type_of_itab(const MemoryReader& memory, Address itab) {
  const auto type_at = checked_add(itab, kItabType);
  const auto hash_at = checked_add(itab, kItabHash);
  if (!type_at || !hash_at) return Error{ErrorCode::malformed_data, "itab wraps", itab};
  auto type = read_pointer(memory, *type_at);
  if (!type) return std::move(type).error().in("itab");
  auto hash = read_unsigned<std::uint32_t>(memory, *hash_at);
  if (!hash) return std::move(hash).error().in("itab");
  auto descriptor = decode_type_descriptor(memory, *type);
  if (!descriptor) return std::move(descriptor).error().in("itab");
  if (descriptor->hash != *hash)
    return Error{ErrorCode::malformed_data, "itab: its hash is not that of its type", itab};
  return descriptor;
}

}  // namespace

Result<std::optional<InterfaceContents>> decode_interface(const MemoryReader& memory,
                                                          ByteView words, bool empty) {
  const auto first = load<std::uint64_t>(words, 0), second = load<std::uint64_t>(words, 8);
  if (!first || !second)
    return Error{ErrorCode::malformed_data, "an interface value has two words"};
  if (*first == 0) return std::optional<InterfaceContents>();
  auto type = empty ? decode_type_descriptor(memory, {*first}) : type_of_itab(memory, {*first});
  if (!type) return std::move(type).error().in("interface");
  return std::optional(
      InterfaceContents{.type = *type, .itab = {empty ? 0 : *first}, .word = {*second}});
}

}  // namespace cgo
