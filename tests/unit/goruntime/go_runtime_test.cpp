#include "goruntime/go_runtime.h"

#include <catch2/catch_test_macros.hpp>

#include "goruntime/layout_table.h"
#include "support/memory_image.h"

namespace cgo {
namespace {

constexpr Address kAllgs{0x500000}, kAllm{0x500100}, kReasons{0x500200}, kArray{0xc000800000};

/// Memory with everything that is written here, and a runtime of Go 1.27 over it.
struct Program {
  MemoryImage memory;
  GoRuntime::Parts parts;

  Program() {
    parts.version = {27, 4};
    parts.layout = *layout_from_table({27, 4}, kAmd64);
    parts.allgs = kAllgs;
    parts.allm = kAllm;
    parts.g_tls_offset = -8;
  }
  GoRuntime runtime() {
    GoRuntime::Parts copy;
    copy.version = parts.version;
    copy.layout = parts.layout;
    copy.allgs = parts.allgs;
    copy.allm = parts.allm;
    copy.g_tls_offset = parts.g_tls_offset;
    copy.wait_reason_strings = parts.wait_reason_strings;
    return GoRuntime(std::move(copy));
  }
  void g(Address at, std::uint64_t id, std::uint64_t stack_hi = 0xc000012000) {
    const GLayout& layout = parts.layout.g;
    for (std::uint32_t i = 0; i < layout.bytes; ++i) memory.u8({at.value + i}, 0);
    memory.u64({at.value + layout.stack_lo.bytes}, 0xc000010000)
        .u64({at.value + layout.stack_hi.bytes}, stack_hi)
        .u32({at.value + layout.atomicstatus.bytes}, 4)
        .u64({at.value + layout.goid.bytes}, id);
  }
  void m(Address at, std::uint64_t tid, Address next, Address curg = {}, Address locked = {}) {
    const MLayout& layout = parts.layout.m;
    for (std::uint32_t i = 0; i < layout.bytes; ++i) memory.u8({at.value + i}, 0);
    memory.u64({at.value + layout.procid.bytes}, tid)
        .u64({at.value + layout.alllink.bytes}, next.value)
        .u64({at.value + layout.curg.bytes}, curg.value)
        .u64({at.value + layout.lockedg.bytes}, locked.value);
  }
  void allgs(const std::vector<Address>& gs) {
    memory.u64(kAllgs, kArray.value).u64({kAllgs.value + 8}, gs.size());
    memory.u64({kAllgs.value + 16}, gs.size());
    for (std::size_t i = 0; i < gs.size(); ++i) memory.u64({kArray.value + 8 * i}, gs[i].value);
  }
};

}  // namespace

TEST_CASE("goroutines come in the order of allgs, wherever they lie") {
  Program program;
  // Side by side, apart, and in descending order: they are read in runs.
  const std::vector<Address> at{
      {0xc000009000}, {0xc000001000}, {0xc0000011e0}, {0xc0000013c0}, {0xc0f0000000}};
  for (std::size_t i = 0; i < at.size(); ++i) program.g(at[i], i + 1);
  program.allgs(at);
  const auto found = program.runtime().goroutines(program.memory);
  CHECK(found.errors.empty());
  REQUIRE(found.found.size() == at.size());
  for (std::size_t i = 0; i < at.size(); ++i) {
    CHECK(found.found[i].id == i + 1);
    CHECK(found.found[i].address == at[i]);
  }
}

TEST_CASE("a g that cannot be decoded is left out and its error kept") {
  Program program;
  program.g({0xc000001000}, 1);
  program.g({0xc0000011e0}, 2, /*stack_hi=*/1);
  program.g({0xc0000013c0}, 3);
  program.g({0xc0000015a0}, 4);
  program.allgs({{0xc000001000}, {0xc0000011e0}, {0xc0000013c0}, {0xc0000015a0}, {0xdead0000}});
  const auto found = program.runtime().goroutines(program.memory.drop({0xc0000013c0 + 0x20}));
  REQUIRE(found.found.size() == 2);
  CHECK(found.found[0].id == 1);
  CHECK(found.found[1].id == 4);
  REQUIRE(found.errors.size() == 3);
  // In order of address.
  CHECK(found.errors[0].address == Address{0xdead0000});
  CHECK(found.errors[1].code == ErrorCode::malformed_data);
  CHECK(found.errors[2].address == Address{0xc0000013e0});
}

TEST_CASE("an allgs that makes no sense is an error, not an allocation") {
  for (const auto& [length, capacity] :
       {std::pair<std::uint64_t, std::uint64_t>{5, 4}, {~0ull, ~0ull}, {1ull << 40, 1ull << 40}}) {
    Program program;
    program.memory.u64(kAllgs, kArray.value).u64({kAllgs.value + 8}, length);
    program.memory.u64({kAllgs.value + 16}, capacity).u64(kAllm, 0);
    const auto found = program.runtime().goroutines(program.memory);
    CHECK(found.found.empty());
    REQUIRE(found.errors.size() == 1);
    CHECK(found.errors[0].code == ErrorCode::malformed_data);
  }
}

TEST_CASE("without allgs, the ms lead to those that run or are locked") {
  Program program;
  program.parts.allgs = {};
  program.g({0xc000001000}, 1);
  program.g({0xc000002000}, 2);
  program.m({0xc000100000}, 10, {0xc000200000}, {0xc000001000}, {0xc000001000});
  program.m({0xc000200000}, 11, {}, {}, {0xc000002000});
  program.memory.u64(kAllm, 0xc000100000);
  const auto found = program.runtime().goroutines(program.memory);
  REQUIRE(found.found.size() == 2);
  CHECK(found.found[0].id == 1);
  CHECK(found.found[1].id == 2);
  REQUIRE(found.errors.size() == 1);
  CHECK(found.errors[0].code == ErrorCode::not_found);
}

TEST_CASE("a damaged list of ms keeps its valid part") {
  Program program;
  program.memory.u64(kAllm, 0xc000100000);
  program.m({0xc000100000}, 10, {0xc000200000});
  program.m({0xc000200000}, 11, {0xc000100000});
  auto circular = program.runtime().machines(program.memory);
  CHECK(circular.found.size() == 2);
  REQUIRE(circular.error);
  CHECK(circular.error->code == ErrorCode::malformed_data);
  CHECK(program.runtime().machine_of_thread(program.memory, 11)->address == Address{0xc000200000});
  CHECK_FALSE(program.runtime().machine_of_thread(program.memory, 12));

  program.m({0xc000200000}, 11, {0xdead0000});
  auto cut = program.runtime().machines(program.memory);
  CHECK(cut.found.size() == 2);
  REQUIRE(cut.error);
  CHECK(cut.error->address == Address{0xdead0000});
}

TEST_CASE("the g of a thread comes from its thread-local storage") {
  Program program;
  program.memory.u64({0x7f0000000ff8}, 0xc000001000);
  CHECK(*program.runtime().current_g(program.memory, {0x7f0000001000}) == Address{0xc000001000});
  CHECK_FALSE(program.runtime().current_g(program.memory, {0x7f0000009000}));
  program.parts.g_tls_offset = std::nullopt;
  const auto unknown = program.runtime().current_g(program.memory, {0x7f0000001000});
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().code == ErrorCode::not_found);
}

TEST_CASE("wait reasons come from the program, else from the sources of its release") {
  Program program;
  CHECK(*program.runtime().wait_reason(program.memory, 20) == "sleep");
  CHECK_FALSE(program.runtime().wait_reason(program.memory, 200));
  program.parts.wait_reason_strings = kReasons;
  CHECK(*program.runtime().wait_reason(program.memory, 20) == "sleep");  // Unreadable there.
  program.memory.u64({kReasons.value + 16 * 20}, 0x600000);
  program.memory.u64({kReasons.value + 16 * 20 + 8}, 6);
  program.memory.text({0x600000}, "napped");
  CHECK(*program.runtime().wait_reason(program.memory, 20) == "napped");
  program.memory.u64({kReasons.value + 16 * 20 + 8}, ~0ull);
  CHECK(*program.runtime().wait_reason(program.memory, 20) == "sleep");
}

}  // namespace cgo
