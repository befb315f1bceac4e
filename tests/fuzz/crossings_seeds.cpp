#include "seeds.h"
#include "support/elf_builder.h"

namespace cgo {
namespace {

constexpr std::size_t kFunctionBytes = 64;

/// The code of one function, filled up with traps.
void add_function(ByteWriter& out, std::initializer_list<int> code) {
  for (const int byte : code) out.u8(static_cast<std::uint8_t>(byte));
  for (std::size_t i = code.size(); i < kFunctionBytes; ++i) out.u8(0xcc);
}

}  // namespace

void write_seeds(const SeedWriter& out) {
  ByteWriter code;
  add_function(code, {0xc3});
  // mov word(%rip),%rax; call the first function; ret
  add_function(code, {0x48, 0x8b, 0x05, 0, 0, 0x0f, 0, 0xe8, 0xb4, 0xff, 0xff, 0xff, 0xc3});
  // mov word(%rip),%rax; mov (%rax),%rax; call *word(%rip); ret
  add_function(code, {0x48, 0x8b, 0x05, 0, 1, 0, 0, 0x48, 0x8b, 0, 0xff, 0x15, 0, 1, 0, 0, 0xc3});
  // movabs with a call inside; call the second function; jbe back; ret
  add_function(code, {0x48, 0xb8, 0xe8, 0x79, 0xff, 0xff, 0xff, 0, 0, 0, 0xe8, 0x71, 0xff, 0xff,
                      0xff, 0x76, 0xf0, 0xc3});
  add_function(code, {0xe8, 0x3b, 0xff, 0xff, 0xff, 0xc3});
  add_function(code, {0xe8, 0x3b, 0, 0, 0, 0xeb, 0x02, 0x90, 0x90, 0xc3});
  add_function(code, {0xf3, 0x0f, 0x1e, 0xfa, 0xff, 0x25, 0, 1, 0, 0});
  out.add("program", code.take());
}

}  // namespace cgo
