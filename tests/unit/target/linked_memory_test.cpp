#include "target/linked_memory.h"

#include <elf.h>

#include <catch2/catch_test_macros.hpp>

#include "support/elf_builder.h"

namespace cgo {
namespace {

constexpr Address kCode{0x1000}, kData{0x2000};

std::vector<std::byte> relocation(Address at, std::uint32_t type, std::uint32_t symbol,
                                  std::uint64_t addend) {
  return ByteWriter()
      .u64(at.value)
      .u64(ELF64_R_INFO(std::uint64_t{symbol}, type))
      .u64(addend)
      .take();
}

std::vector<std::byte> file_bytes() {
  ElfBuilder builder(ET_DYN);
  ByteWriter symbols;
  symbols.zeros(sizeof(Elf64_Sym));
  symbols.u32(0).u8(0x12).u8(0).u16(1).u64(0x1010).u64(4);          // Defined here.
  symbols.u32(0).u8(0x12).u8(0).u16(SHN_UNDEF).u64(0x7777).u64(0);  // In another file.
  builder.section({.name = ".dynsym", .type = SHT_DYNSYM, .contents = symbols.take()});
  ByteWriter relocations;
  relocations.bytes(relocation(kData, R_X86_64_RELATIVE, 0, 0x1004));
  relocations.bytes(relocation({kData.value + 8}, R_X86_64_64, 1, 2));
  relocations.bytes(relocation({kData.value + 16}, R_X86_64_JUMP_SLOT, 2, 0));
  relocations.bytes(relocation({kData.value + 24}, R_X86_64_DTPMOD64, 1, 0));
  relocations.bytes(relocation({kData.value + 60}, R_X86_64_64, 99, 0));  // No such symbol.
  relocations.zeros(5);                                                   // Cut.
  builder.section(
      {.name = ".rela.dyn", .type = SHT_RELA, .flags = SHF_ALLOC, .contents = relocations.take()});
  builder.section({.name = ".rela.debug_info",
                   .type = SHT_RELA,
                   .contents = relocation({kData.value + 32}, R_X86_64_RELATIVE, 0, 1)});
  builder.segment({.flags = 5, .address = kCode, .contents = ByteWriter().u64(0x1122).take()});
  builder.segment({.flags = 6,
                   .address = kData,
                   .contents = std::vector<std::byte>(64, std::byte{0xee}),
                   .memory_bytes = 128});
  return builder.build();
}

LinkedMemory memory() { return LinkedMemory(*ElfFile::from_bytes(file_bytes(), "linked")); }

}  // namespace

TEST_CASE("a file's memory has its relocations in place and zeros behind its bytes") {
  const LinkedMemory linked = memory();
  CHECK(*read_unsigned<std::uint64_t>(linked, kCode) == 0x1122);
  CHECK(*read_pointer(linked, kData) == Address{0x1004});
  CHECK(*read_pointer(linked, {kData.value + 8}) == Address{0x1012});
  CHECK(*read_pointer(linked, {kData.value + 16}) == Address{0});
  CHECK(*read_unsigned<std::uint64_t>(linked, {kData.value + 24}) == 0xeeeeeeeeeeeeeeee);
  CHECK(*read_unsigned<std::uint64_t>(linked, {kData.value + 32}) == 0xeeeeeeeeeeeeeeee);
  CHECK(*read_unsigned<std::uint64_t>(linked, {kData.value + 64}) == 0);
  // A read that begins or ends within a word has its part of it.
  CHECK(*read_unsigned<std::uint32_t>(linked, {kData.value + 4}) == 0);
  CHECK(*read_unsigned<std::uint16_t>(linked, {kData.value + 9}) == 0x10);
  CHECK(*read_unsigned<std::uint64_t>(linked, {kData.value - 4 + 8}) == 0x1012ull << 32);
}

TEST_CASE("what no segment has is unreadable, from its first byte on") {
  const LinkedMemory linked = memory();
  for (const std::uint64_t at : {0x0ull, 0xfffull, 0x1008ull, 0x2080ull, ~0ull, ~0ull - 7}) {
    CAPTURE(at);
    CHECK_FALSE(read_unsigned<std::uint64_t>(linked, {at}));
  }
  const auto over = read_unsigned<std::uint64_t>(linked, {0x207c});
  REQUIRE_FALSE(over);
  CHECK(over.error().address == Address{0x2080});
}

TEST_CASE("a file with any byte garbled is read without going outside of it") {
  const std::vector<std::byte> whole = file_bytes();
  std::size_t opened = 0, readable = 0;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const std::byte value : {std::byte{0}, std::byte{0x7f}, std::byte{0xff}}) {
      std::vector<std::byte> bytes = whole;
      bytes[at] = value;
      const auto file = ElfFile::from_bytes(std::move(bytes), "garbled");
      if (!file) continue;
      ++opened;
      const LinkedMemory linked(*file);
      for (std::uint64_t word = 0x1000; word < 0x2090; word += 8)
        readable += static_cast<bool>(read_unsigned<std::uint64_t>(linked, {word}));
    }
  }
  CHECK(opened > whole.size());
  CHECK(readable > opened * 10);
}

}  // namespace cgo
