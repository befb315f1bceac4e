#include "goruntime/code_operands.h"

#include <optional>

namespace cgo {
namespace {

std::uint8_t byte_at(ByteView code, std::size_t at) {
  return at < code.size() ? std::to_integer<std::uint8_t>(code[at]) : 0;
}

bool rex_w(std::uint8_t byte) { return (byte & 0xf8) == 0x48; }
/// mod 0, r/m 5: a 32-bit displacement from the next instruction.
bool rip_relative(std::uint8_t modrm) { return (modrm & 0xc7) == 0x05; }

struct Form {
  CodeOperand::Use use;
  std::size_t immediate_bytes;
};

std::optional<Form> form_of(std::uint8_t opcode, std::uint8_t modrm) {
  using Use = CodeOperand::Use;
  switch (opcode) {
    case 0x8b:
      return Form{Use::load, 0};
    case 0x89:
      return Form{Use::store, 0};
    case 0x8d:
      return Form{Use::address, 0};
    case 0x39:
    case 0x3b:
      return Form{Use::compare, 0};
    case 0x83:
      if ((modrm & 0x38) == 0x38) return Form{Use::compare, 1};
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

}  // namespace

std::vector<CodeOperand> rip_operands_amd64(ByteView code, Address at) {
  std::vector<CodeOperand> found;
  for (std::size_t i = 0; i + 7 <= code.size(); ++i) {
    const std::uint8_t modrm = byte_at(code, i + 2);
    if (!rex_w(byte_at(code, i)) || !rip_relative(modrm)) continue;
    const auto form = form_of(byte_at(code, i + 1), modrm);
    if (!form) continue;
    const auto displacement = *load<std::int32_t>(code, i + 3);
    const Address next = wrapping_add(at, i + 7 + form->immediate_bytes);
    found.push_back(
        {wrapping_add(next, static_cast<std::uint64_t>(std::int64_t{displacement})), form->use});
  }
  return found;
}

std::optional<TlsAccess> tls_access_amd64(ByteView code, Address at) {
  constexpr std::uint8_t kFsPrefix = 0x64;
  for (std::size_t i = 0; i + 9 <= code.size(); ++i) {
    const std::uint8_t first = byte_at(code, i), second = byte_at(code, i + 1);
    const std::uint8_t third = byte_at(code, i + 2);
    // mov %fs:disp32, %reg
    if (first == kFsPrefix && rex_w(second) && third == 0x8b &&
        (byte_at(code, i + 3) & 0xc7) == 0x04 && byte_at(code, i + 4) == 0x25)
      return TlsAccess{*load<std::int32_t>(code, i + 5), {}, "local exec"};
    if (!rex_w(first) || byte_at(code, i + 7) != kFsPrefix) continue;
    // mov $imm32, %reg; mov %fs:(%reg), …
    if (second == 0xc7 && (third & 0xf8) == 0xc0)
      return TlsAccess{*load<std::int32_t>(code, i + 3), {}, "initial exec made local by ld"};
    // mov slot(%rip), %reg; mov %fs:(%reg), …
    if (second == 0x8b && rip_relative(third)) {
      const auto displacement = *load<std::int32_t>(code, i + 3);
      return TlsAccess{
          0, wrapping_add(at, i + 7 + static_cast<std::uint64_t>(std::int64_t{displacement})),
          "initial exec"};
    }
  }
  return std::nullopt;
}

}  // namespace cgo
