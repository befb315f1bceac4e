// Channels and interfaces.
#include <catch2/catch_test_macros.hpp>

#include "goruntime/go_channel.h"
#include "goruntime/go_interface.h"
#include "support/type_builder.h"

namespace cgo {
namespace {

constexpr Address kChannel{0xc000040000}, kBuffer{0xc000041000}, kSudog{0xc000042000};

/// Three of four places taken, from the third on; two senders wait.
MemoryImage channel_image(GoVersion version) {
  MemoryImage memory;
  for (std::uint64_t i = 0; i < 96; ++i) memory.u8({kChannel.value + i}, 0);
  const std::uint64_t shift = version.minor >= 23 ? 8 : 0;
  const auto word = [&](std::uint64_t offset, std::uint64_t value) {
    memory.u64({kChannel.value + offset}, value);
  };
  word(0, 3);
  word(8, 4);
  word(16, kBuffer.value);
  word(24, 8);
  word(32 + shift, 0x500000);
  word(40 + shift, 1);
  word(48 + shift, 2);
  word(72 + shift, kSudog.value);
  for (std::uint64_t i = 0; i < 2; ++i) {
    const std::uint64_t at = kSudog.value + i * 0x100;
    memory.u64({at}, 0xc000001000 + i).u64({at + 8}, i == 0 ? at + 0x100 : 0);
    memory.u64({at + 16}, 0).u64({at + 24}, 0xc000043000 + i);
  }
  return memory;
}

}  // namespace

TEST_CASE("a channel has its buffer in the order of receiving, and who waits") {
  for (const GoVersion version :
       {GoVersion{19, 0}, GoVersion{22, 12}, GoVersion{23, 0}, GoVersion{27, 4}}) {
    const auto channel = decode_channel(channel_image(version), version, kChannel);
    REQUIRE(channel);
    CHECK(channel->count == 3);
    CHECK(channel->capacity == 4);
    CHECK_FALSE(channel->closed);
    CHECK(channel->element(0) == Address{kBuffer.value + 16});
    CHECK(channel->element(2) == kBuffer);
    CHECK(channel->receivers.empty());
    REQUIRE(channel->senders.size() == 2);
    CHECK(channel->senders[1].g == Address{0xc000001001});
    CHECK(channel->senders[1].element == Address{0xc000043001});
  }
}

TEST_CASE("channels that contradict themselves are refused") {
  MemoryImage memory = channel_image({27, 0});
  SECTION("count") { memory.u64(kChannel, 5); }
  SECTION("receive index") { memory.u64({kChannel.value + 56}, 4); }
  SECTION("capacity") { memory.u64({kChannel.value + 8}, 1ull << 50); }
  CHECK(decode_channel(memory, {27, 0}, kChannel).error().code == ErrorCode::malformed_data);
}

TEST_CASE("a queue of waiters that goes in a circle ends") {
  MemoryImage memory = channel_image({27, 0});
  memory.u64({kSudog.value + 0x108}, kSudog.value);
  const auto channel = decode_channel(memory, {27, 0}, kChannel);
  REQUIRE(channel);
  CHECK(channel->senders.size() == 2);
  CHECK(channel->waiters_error);
}

TEST_CASE("decode_channel reports every missing byte at its address") {
  const MemoryImage whole = channel_image({27, 0});
  for (const Address hole : whole.addresses()) {
    const auto channel = decode_channel(whole.drop(hole), {27, 0}, kChannel);
    const Error error = channel ? channel->waiters_error.value() : channel.error();
    CHECK(error.address == hole);
  }
}

TEST_CASE("an interface leads to its dynamic type; nil and typed nil differ") {
  for (const GoVersion version : {GoVersion{19, 0}, GoVersion{27, 4}}) {
    TypeBuilder build(version);
    const Address integer = build.basic(GoKind::int_, 8, "int");
    const Address pointer = build.pointer(integer, "*int");
    const Address itab = build.data(32);
    build.memory().u64({itab.value + 8}, pointer.value);
    build.memory().u32({itab.value + 16}, std::uint32_t(pointer.value));
    const auto decode = [&](std::uint64_t first, std::uint64_t second, bool empty) {
      const std::uint64_t words[] = {first, second};
      return decode_interface(build.memory(), std::as_bytes(std::span(words)), empty);
    };
    const auto nothing = decode(0, 0, true);
    REQUIRE(nothing);
    CHECK_FALSE(*nothing);
    const auto typed_nil = decode(pointer.value, 0, true);
    REQUIRE((typed_nil && *typed_nil));
    CHECK((*typed_nil)->direct());
    CHECK((*typed_nil)->word == Address{});
    const auto boxed = decode(integer.value, 0xc000000010, true);
    REQUIRE((boxed && *boxed));
    CHECK_FALSE((*boxed)->direct());
    const auto with_methods = decode(itab.value, 0xc000000010, false);
    REQUIRE((with_methods && *with_methods));
    CHECK((*with_methods)->type.address == pointer);
    CHECK((*with_methods)->itab == itab);
    build.memory().u32({itab.value + 16}, 1);
    CHECK(decode(itab.value, 0, false).error().code == ErrorCode::malformed_data);
    CHECK_FALSE(decode(0x10, 0, true));
  }
}

}  // namespace cgo
