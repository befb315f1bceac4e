#include "stops/owned_blocks.h"

#include <catch2/catch_test_macros.hpp>

#include "support/memory_image.h"

namespace cgo {
namespace {

constexpr Address kFrames{0x7000}, kData{0x5000}, kHeap{0x10000};
constexpr std::uint64_t kBlockBytes = 0x40;

/// Blocks of 0x40 bytes lie at kHeap + n * 0x100; frames and data have 0x40 bytes.
struct Sample {
  Sample() {
    fill(kFrames);
    fill(kData);
    for (std::uint64_t n = 0; n < 8; ++n) fill(block(n));
  }
  void fill(Address at) {
    for (std::uint64_t i = 0; i < kBlockBytes; i += 8) memory.u64(wrapping_add(at, i), 0);
  }
  static Address block(std::uint64_t n) { return {kHeap.value + n * 0x100}; }

  OwnedBlocks ask() const {
    BlockQuestion question;
    question.memory = &memory;
    question.block_at = [this](Address at) -> std::optional<AddressRange> {
      const std::uint64_t n = (at.value - kHeap.value) / 0x100;
      const AddressRange range{block(n), {block(n).value + kBlockBytes}};
      if (at < kHeap || n >= 8 || !range.contains(at) || n == freed) return std::nullopt;
      return range;
    };
    question.freed_at = [this](Address at) {
      return freed < 8 && at >= block(freed) && at.value < block(freed).value + kBlockBytes;
    };
    question.frames = {{kFrames, {kFrames.value + kBlockBytes}}};
    question.rest = {{kData, {kData.value + kBlockBytes}}};
    for (std::uint64_t n = 0; n < 8; ++n)
      question.rest.push_back({block(n), {block(n).value + kBlockBytes}});
    question.frame_values = in_registers;
    question.rest_values = elsewhere;
    question.most_bytes = most;
    return owned_blocks(question);
  }

  std::vector<std::uint64_t> owned() const {
    std::vector<std::uint64_t> out;
    for (const auto& one : ask().owned)
      out.push_back((one.range.begin.value - kHeap.value) / 0x100);
    return out;
  }

  MemoryImage memory;
  std::uint64_t freed = 100, most = 1 << 20;
  std::vector<std::uint64_t> in_registers, elsewhere;
};

using Numbers = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE("a block that only frames point to, also into its middle or from a register") {
  Sample sample;
  sample.memory.pointer(kFrames, Sample::block(1));
  sample.memory.pointer({kFrames.value + 16}, {Sample::block(2).value + 0x20});
  sample.in_registers = {Sample::block(3).value};
  sample.memory.pointer({kFrames.value + 24},
                        {Sample::block(4).value + kBlockBytes});  // Behind it.
  // malloc's pointer to what comes next.
  sample.memory.pointer(kData, {Sample::block(1).value + kBlockBytes - 8});
  CHECK(sample.owned() == Numbers{1, 2, 3});
  CHECK(sample.ask().owned[0].direct);
}

TEST_CASE("a block that something else points to is not lost, nor what it leads to") {
  Sample sample;
  sample.memory.pointer(kFrames, Sample::block(1)).pointer({kFrames.value + 8}, Sample::block(2));
  sample.memory.pointer({kFrames.value + 16}, Sample::block(5));
  sample.memory.pointer(Sample::block(1), Sample::block(3))
      .pointer(Sample::block(3), Sample::block(1));
  sample.memory.pointer(Sample::block(2), Sample::block(4));
  sample.memory.pointer({kData.value + 8}, {Sample::block(3).value + 8});
  sample.elsewhere = {Sample::block(5).value};
  CHECK(sample.owned() == Numbers{2, 4});
  CHECK(sample.ask().held == 3);
  CHECK_FALSE(sample.ask().owned[1].direct);
}

TEST_CASE("a block of another owner counts as one that stays, a freed one does not") {
  Sample sample;
  sample.memory.pointer(kFrames, Sample::block(1)).pointer(Sample::block(6), Sample::block(1));
  CHECK(sample.owned().empty());
  sample.freed = 6;
  CHECK(sample.owned() == Numbers{1});
  sample.freed = 1;
  CHECK(sample.owned().empty());
  CHECK(sample.ask().held == 0);
}

TEST_CASE("what was not searched whole says so, and names no block") {
  Sample sample;
  sample.memory.pointer(kFrames, Sample::block(1));
  sample.most = 0x20;
  CHECK(sample.ask().cut);
  CHECK(sample.owned().empty());
}

}  // namespace cgo
