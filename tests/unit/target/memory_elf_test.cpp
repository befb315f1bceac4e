#include "target/memory_elf.h"

#include <elf.h>
#include <sys/auxv.h>

#include <catch2/catch_test_macros.hpp>
#include <cstring>

#include "support/core_builder.h"
#include "support/memory_image.h"

namespace cgo {
namespace {

constexpr Address kBase{0x7f0000};

MemoryImage header_page() {
  MemoryImage memory;
  const auto page = elf_header_page({0x1000}, "abc");
  memory.bytes(kBase, ByteView(page).first(300));
  return memory;
}

/// This very process.
class OwnMemory final : public MemoryReader {
 public:
  Result<void> read(Address from, std::span<std::byte> out) const override {
    std::memcpy(out.data(), reinterpret_cast<const void*>(from.value), out.size());
    return {};
  }
};

}  // namespace

TEST_CASE("headers in memory give bias, range and build id") {
  const auto image = mapped_elf_at(header_page(), kBase);
  REQUIRE(image);
  CHECK(image->bias == kBase.value - 0x1000);
  CHECK(image->range == AddressRange{kBase, {kBase.value + 0x2000}});
  CHECK(image->build_id == "616263");
  CHECK(image->type == ET_DYN);
}

TEST_CASE("headers in memory report every missing byte at its address") {
  const MemoryImage whole = header_page();
  constexpr std::uint64_t kHeaders = sizeof(Elf64_Ehdr) + 2 * sizeof(Elf64_Phdr);
  for (Address hole : whole.addresses()) {
    const auto image = mapped_elf_at(whole.drop(hole), kBase);
    if (hole.value - kBase.value < kHeaders) {
      REQUIRE_FALSE(image);
      CHECK(image.error().address == hole);
    } else {
      REQUIRE(image);  // Only the build id is lost, if the hole is in its note.
    }
  }
}

TEST_CASE("a file made from memory has the bytes that memory has") {
  MemoryImage memory = header_page();
  memory.text({kBase.value + 0x1800}, "second page");
  const auto file = elf_file_from_memory(memory, kBase, "gone");
  REQUIRE(file);
  CHECK((*file)->build_id() == "616263");
  CHECK((*file)->bytes_at({0x1000}, 300));
  CHECK_FALSE((*file)->bytes_at({0x1000}, 301));
  CHECK((*file)->sections().empty());
  std::uint64_t end = 0;
  for (const ElfSegment& segment : (*file)->segments())
    if (segment.loaded()) end = std::max(end, segment.range().end.value);
  CHECK(end == 0x3000);
}

TEST_CASE("dynamic symbols are found with and without the load bias in the dynamic section") {
  for (const bool gnu_hash : {false, true})
    for (const std::uint64_t dynamic_bias : {std::uint64_t{0}, kBase.value}) {
      MemoryImage memory;
      memory.bytes(kBase, elf_in_memory(gnu_hash, dynamic_bias));
      const auto file = elf_file_from_memory(memory, kBase, "gone");
      REQUIRE(file);
      REQUIRE((*file)->find_symbol("vdso_call"));
      CHECK((*file)->find_symbol("vdso_call")->file_address == Address{0x20});
      CHECK((*file)->symbol_at({0x2f}));
      CHECK_FALSE((*file)->symbol_at({0x30}));
    }
}

TEST_CASE("an image in memory that claims to be huge is refused") {
  const auto refused = elf_file_from_memory(header_page(), kBase, "gone", 0x1000);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::limit_reached);
}

TEST_CASE("this process's vDSO becomes a file with symbols") {
  const Address base{getauxval(AT_SYSINFO_EHDR)};
  if (!base) SKIP("this kernel maps no vDSO");
  const auto file = elf_file_from_memory(OwnMemory(), base, "[vdso]");
  REQUIRE(file);
  const ElfSymbol* call = (*file)->find_symbol("__vdso_clock_gettime");
  REQUIRE(call);
  CHECK((*file)->symbol_at(call->file_address));
  CHECK((*file)->bytes_at(call->file_address, call->bytes));
}

}  // namespace cgo
