#include "unwind/call_check.h"

#include <algorithm>
#include <array>

namespace cgo {
namespace {

/// Length of "FF /2" from its opcode on, by its ModRM and SIB bytes; 0 when `modrm` is not /2.
/// Source: Intel SDM volume 2, section 2.1.3, tables 2-2 and 2-3.
unsigned indirect_call_length(unsigned modrm, unsigned sib) {
  if ((modrm >> 3 & 7) != 2) return 0;
  const unsigned mod = modrm >> 6, rm = modrm & 7;
  if (mod == 3) return 2;
  const bool has_sib = rm == 4;
  unsigned length = has_sib ? 3 : 2;
  if (mod == 1) length += 1;
  if (mod == 2) length += 4;
  if (mod == 0 && (rm == 5 || (has_sib && (sib & 7) == 5))) length += 4;
  return length;
}

// mov $15, %rax (sign-extended imm32 to r64), then syscall.
constexpr std::array<std::uint8_t, 9> kRtSigreturn{0x48, 0xc7, 0xc0, 0x0f, 0x00,
                                                   0x00, 0x00, 0x0f, 0x05};
constexpr std::size_t kMovBytes = 7;

bool matches_rt_sigreturn(const MemoryReader& memory, Address at) {
  std::array<std::uint8_t, kRtSigreturn.size()> code{};
  return memory.read(at, std::as_writable_bytes(std::span(code))).has_value() &&
         code == kRtSigreturn;
}

}  // namespace

Result<bool> follows_call(const MemoryReader& memory, Address pc) {
  constexpr unsigned kLongest = 7;
  const auto start = checked_sub(pc, kLongest);
  if (!start) return false;
  std::array<std::uint8_t, kLongest> before{};
  auto done = memory.read(*start, std::as_writable_bytes(std::span(before)));
  if (!done) return std::move(done).error();
  if (before[kLongest - 5] == 0xe8) return true;
  for (unsigned length = 2; length <= kLongest; ++length) {
    const unsigned at = kLongest - length;
    if (before[at] != 0xff) continue;
    const unsigned sib = at + 2 < kLongest ? before[at + 2] : 0;
    if (indirect_call_length(before[at + 1], sib) == length) return true;
  }
  return false;
}

bool is_signal_return(const MemoryReader& memory, Address pc) {
  if (matches_rt_sigreturn(memory, pc)) return true;
  const auto earlier = checked_sub(pc, kMovBytes);
  return earlier && matches_rt_sigreturn(memory, *earlier);
}

}  // namespace cgo
