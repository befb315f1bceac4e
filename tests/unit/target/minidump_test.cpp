#include "target/minidump.h"

#include <catch2/catch_test_macros.hpp>

#include "support/elf_builder.h"
#include "support/minidump_builder.h"

namespace cgo {
namespace {

std::shared_ptr<const Minidump> opened(std::vector<std::byte> bytes) {
  auto dump = Minidump::from_bytes(std::move(bytes), "dump");
  REQUIRE(dump);
  return *dump;
}

}  // namespace

TEST_CASE("a minidump names its threads and the one that was the reason") {
  const auto dump = opened(small_minidump());
  REQUIRE(dump->threads().size() == 2);
  const CoreThread& other = dump->threads()[0];
  CHECK(other.tid == 12);
  CHECK(other.signal == 0);
  CHECK(other.registers.pc() == Address{0x500010});
  const CoreThread& crashed = dump->threads()[1];
  CHECK(crashed.tid == 11);
  CHECK(crashed.signal == 11);
  CHECK(crashed.registers.pc() == Address{0x400010});
  CHECK(crashed.registers.sp() == Address{0x7000});
  CHECK(crashed.thread_pointer == Address{1});
  CHECK(dump->pid() == 10);
  CHECK(dump->arch().name == "amd64");
  CHECK_FALSE(dump->cut());
  // The masks in the dump are those of the process's first thread, which is none of these.
  REQUIRE(crashed.signals);
  CHECK(crashed.signals->caught == SignalSet{0x400});
  CHECK(crashed.signals->ignored == SignalSet{0x1000});
  CHECK_FALSE(crashed.signals->blocked);
  CHECK_FALSE(crashed.signals->pending);
}

TEST_CASE("a minidump's modules have build ids, and its mappings are those of the process") {
  const auto dump = opened(small_minidump());
  REQUIRE(dump->modules().size() == 1);
  CHECK(dump->modules()[0].path == "/bin/p\u00e9");
  CHECK(dump->modules()[0].range == AddressRange{{0x400000}, {0x402000}});
  CHECK(dump->modules()[0].build_id == "616263");
  REQUIRE(dump->mappings().size() == 1);
  CHECK(dump->mappings()[0].executable);
}

TEST_CASE("a minidump's memory comes from both of its lists") {
  const auto dump = opened(small_minidump());
  const auto stack = read_bytes(*dump, {0x7006}, 5);
  REQUIRE(stack);
  CHECK(*stack == ByteWriter().text("bytes").take());
  const auto across = read_bytes(*dump, {0x500000}, 10);
  REQUIRE(across);
  CHECK(*across == ByteWriter().text("first next").take());
  const auto beyond = read_bytes(*dump, {0x500000}, 11);
  REQUIRE_FALSE(beyond);
  CHECK(beyond.error().address == Address{0x50000a});
}

TEST_CASE("a minidump cut at any byte gives what is left and says that it is cut") {
  const auto whole = small_minidump();
  std::size_t opened_cut = 0;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto dump = Minidump::from_bytes({whole.begin(), whole.begin() + size}, "dump");
    if (!dump) {
      CHECK(dump.error().code == ErrorCode::malformed_data);
      continue;
    }
    ++opened_cut;
    const auto cut = (*dump)->cut();
    REQUIRE(cut);
    CHECK(cut->file_bytes == size);
    CHECK(cut->expected_bytes > size);
    CHECK_FALSE(read_bytes(**dump, {0x500006}, 4));
  }
  CHECK(opened_cut > 2000);
}

TEST_CASE("a minidump of another CPU is unsupported") {
  auto bytes = small_minidump();
  bytes[32 + 9 * 12] = std::byte{12};  // ProcessorArchitecture: ARM64.
  const auto dump = Minidump::from_bytes(std::move(bytes), "dump");
  REQUIRE_FALSE(dump);
  CHECK(dump.error().code == ErrorCode::unsupported);
}

}  // namespace cgo
