#include "stops/long_jump.h"

#include <algorithm>
#include <array>
#include <bit>
#include <optional>
#include <span>
#include <string_view>

#include "unwind/c_frames.h"

namespace cgo {
namespace {

/// Offsets in a jmp_buf of both libraries, and of the secret from the thread's pointer (glibc's
/// tcbhead_t::pointer_guard).
constexpr std::uint64_t kSp = 48, kPc = 56, kGuard = 0x30;
constexpr int kRotated = 17;

std::uint64_t unmixed(std::uint64_t value, std::uint64_t guard) {
  return std::rotr(value, kRotated) ^ guard;
}

/// "f" for gcc's "f.cold", "f.part.0".
std::string_view whole_function(std::string_view symbol) {
  return symbol.substr(0, symbol.find('.', 1));
}

/// Whether `pc`, where a call returns to, is in the function whose frame this is; nothing where
/// that cannot be told.
std::optional<bool> in_function_of(const MemoryReader& memory, const ImageMap& images,
                                   const PhysicalFrame& frame, Address pc) {
  const Address call{pc.value - 1};
  const CFrames frames;
  const auto rule = frames.exception_rule(memory, images, frame.registers, frame.pc);
  if (rule && rule->function.contains(call)) return true;
  const ElfSymbol* there = images.symbol_at(call);
  const ElfSymbol* here = images.symbol_at(frame.pc.for_lookup());
  if (there == nullptr || here == nullptr) return std::nullopt;
  // A function may lie in several pieces.
  return whole_function(there->name) == whole_function(here->name);
}

bool is_go(const std::variant<PhysicalFrame, Gap>& element) {
  const auto* frame = std::get_if<PhysicalFrame>(&element);
  return frame != nullptr && frame->go;
}

}  // namespace

Result<JumpTarget> read_jump_buffer(const MemoryReader& memory, const ImageMap& images,
                                    Address buffer, Address thread_pointer) {
  const auto sp = read_unsigned<std::uint64_t>(memory, wrapping_add(buffer, kSp));
  if (!sp) return sp.error();
  const auto pc = read_unsigned<std::uint64_t>(memory, wrapping_add(buffer, kPc));
  if (!pc) return pc.error();
  const auto guard = read_unsigned<std::uint64_t>(memory, wrapping_add(thread_pointer, kGuard));
  if (guard)
    if (const Address at{unmixed(*pc, *guard)}; images.executable(at))
      return JumpTarget{.pc = at, .sp = {unmixed(*sp, *guard)}};
  if (images.executable({*pc})) {
    // musl's sigsetjmp calls setjmp, and keeps where it returns to itself behind it.
    const ElfSymbol* symbol = images.symbol_at({*pc});
    const bool inner = symbol != nullptr && symbol->name.ends_with("sigsetjmp");
    const auto outer =
        inner ? read_pointer(memory, wrapping_add(buffer, kPc + 8)) : Result<Address>(Address{*pc});
    if (!outer) return outer.error();
    return JumpTarget{.pc = *outer, .sp = {*sp}};
  }
  return Error{ErrorCode::not_found,
               "the jmp_buf at " + hex(buffer) + " leads to no code of any module", buffer};
}

namespace {

/// Whether the stack behind this frame is one that makecontext made, and ends here. Source: glibc
/// sysdeps/unix/sysv/linux/x86_64/__start_context.S: it is pushed as a return address.
bool ends_context(const MemoryReader& memory, const ImageMap& images, const PhysicalFrame& frame) {
  const auto at = checked_sub(frame.cfa, sizeof(std::uint64_t));
  const auto word = at ? read_pointer(memory, *at) : Result<Address>(Error{});
  if (!word || !images.executable(*word)) return false;
  // It has no name in stripped libraries: mov %rbx,%rsp; mov (%rsp),%rdi; test %rdi,%rdi.
  constexpr std::array<std::uint8_t, 10> kCode{0x48, 0x89, 0xdc, 0x48, 0x8b,
                                               0x3c, 0x24, 0x48, 0x85, 0xff};
  std::array<std::uint8_t, kCode.size()> code{};
  return memory.read(*word, std::as_writable_bytes(std::span(code))) && code == kCode;
}

}  // namespace

JumpFate jump_fate(const MemoryReader& memory, const ImageMap& images, const Walk& walk,
                   AddressRange stack, const JumpTarget& target) {
  using Kind = JumpFate::Kind;
  JumpFate out;
  const auto ends = [&](Kind kind, std::size_t physical, std::string why) {
    out.kind = kind;
    out.physical = physical;
    out.why = std::move(why);
    return out;
  };
  const PhysicalFrame* last = nullptr;  // Of C.
  for (std::size_t i = 0; i < walk.elements.size(); ++i) {
    const auto* frame = std::get_if<PhysicalFrame>(&walk.elements[i]);
    if (frame == nullptr) {
      if (last != nullptr && ends_context(memory, images, *last))
        return ends(Kind::elsewhere, i, {});
      return ends(Kind::unknown, i, std::get<Gap>(walk.elements[i]).why);
    }
    if (frame->go) {
      out.go.push_back(i);
      out.over_callback |= frame->crossing == Crossing::c_to_go;
      continue;
    }
    if (!frame->cfa) continue;
    last = frame;
    if (target.sp >= frame->registers.sp() && target.sp < frame->cfa) {
      const auto same = in_function_of(memory, images, *frame, target.pc);
      if (!same)
        return ends(Kind::unknown, i, "whether the function that called setjmp is still there");
      if (!*same) return ends(Kind::returned, i, {});
      out.within_go = std::any_of(walk.elements.begin() + static_cast<std::ptrdiff_t>(i),
                                  walk.elements.end(), is_go);
      return ends(Kind::lands, i, {});
    }
    ++out.c_frames;
  }
  const auto* innermost =
      walk.elements.empty() ? nullptr : std::get_if<PhysicalFrame>(&walk.elements[0]);
  if (innermost == nullptr) return ends(Kind::unknown, 0, "the stack is not known");
  // Below the one who jumps nothing of this stack is in use.
  if (target.sp < innermost->registers.sp() && stack.contains(target.sp) &&
      stack.contains(innermost->registers.sp()))
    return ends(Kind::returned, 0, {});
  const bool whole = walk.complete() || (last != nullptr && ends_context(memory, images, *last));
  if (!whole) return ends(Kind::unknown, 0, "the stack is not known further outward");
  return ends(Kind::elsewhere, 0, {});
}

}  // namespace cgo
