#include "stops/errno_place.h"

#include <algorithm>
#include <array>
#include <span>

#include "stops/libc_function.h"

namespace cgo {
namespace {

using Code = std::span<const std::byte>;

bool begins_with(Code code, std::initializer_list<int> bytes) {
  return code.size() >= bytes.size() &&
         std::ranges::equal(code.first(bytes.size()), bytes, {},
                            [](std::byte one) { return static_cast<int>(one); });
}

std::int32_t signed_word(Code code, std::size_t at) {
  std::int32_t value = 0;
  std::memcpy(&value, code.data() + at, sizeof value);
  return value;
}

constexpr std::initializer_list<int> kEndbr = {0xf3, 0x0f, 0x1e, 0xfa};
constexpr std::initializer_list<int> kLoadOffset = {0x48, 0x8b, 0x05};  // mov off(%rip),%rax
constexpr std::initializer_list<int> kConstant = {0x48, 0xc7, 0xc0};    // mov $off,%rax
constexpr std::initializer_list<int> kAddPointer = {0x64, 0x48, 0x03, 0x04, 0x25, 0,
                                                    0,    0,    0,    0xc3};  // add %fs:0,%rax; ret
constexpr std::initializer_list<int> kPointer = {0x64, 0x48, 0x8b, 0x04, 0x25,
                                                 0,    0,    0,    0};  // mov %fs:0,%rax
constexpr std::initializer_list<int> kAddOffset = {0x48, 0x03, 0x05};   // add off(%rip),%rax
constexpr std::initializer_list<int> kAddConstant = {0x48, 0x05};       // add $off,%rax
constexpr std::initializer_list<int> kLea = {0x48, 0x8d, 0x80};         // lea off(%rax),%rax
constexpr std::initializer_list<int> kReturn = {0xc3};

/// The 8 bytes that a rip-relative operand, whose displacement ends the instruction, refers to.
Result<std::int64_t> word_behind(const MemoryReader& memory, Address entry, Code code,
                                 std::size_t at) {
  const Address word = wrapping_add(
      entry, static_cast<std::uint64_t>(static_cast<std::int64_t>(at + 4) + signed_word(code, at)));
  return read_unsigned<std::int64_t>(memory, word);
}

Result<std::int64_t> offset_in(const MemoryReader& memory, Address entry, Code all) {
  const std::size_t skip = begins_with(all, kEndbr) ? kEndbr.size() : 0;
  const Code code = all.subspan(skip);
  const Address at = wrapping_add(entry, skip);
  if (begins_with(code, kLoadOffset) && begins_with(code.subspan(7), kAddPointer))
    return word_behind(memory, at, code, 3);
  if (begins_with(code, kConstant) && begins_with(code.subspan(7), kAddPointer))
    return signed_word(code, 3);
  if (begins_with(code, kPointer)) {
    const Code rest = code.subspan(kPointer.size());
    if (begins_with(rest, kAddOffset) && begins_with(rest.subspan(7), kReturn))
      return word_behind(memory, at, code, kPointer.size() + 3);
    if (begins_with(rest, kAddConstant) && begins_with(rest.subspan(6), kReturn))
      return signed_word(rest, 2);
    if (begins_with(rest, kLea) && begins_with(rest.subspan(7), kReturn))
      return signed_word(rest, 3);
  }
  return Error{ErrorCode::unsupported, "__errno_location at " + hex(entry) + " is not understood",
               entry};
}

}  // namespace

Result<std::int64_t> errno_offset(const MemoryReader& memory, const ImageMap& images) {
  constexpr std::uint64_t kBytes = 32;
  return learn_from_code(
      memory, images, "__errno_location", kBytes,
      [&](Address entry, ByteView code) { return offset_in(memory, entry, code); });
}

}  // namespace cgo
