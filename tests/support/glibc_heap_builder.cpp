#include "support/glibc_heap_builder.h"

namespace cgo {
namespace {

constexpr std::uint64_t kPreviousInUse = 1, kOtherArena = 4;
constexpr std::uint64_t kTop = 0x60, kBins = 0x70, kNext = 0x870, kSystem = 0x888,
                        kArenaEnd = 0x898;

void zero(MemoryImage& memory, Address from, std::uint64_t bytes) {
  const std::vector<std::byte> zeros(bytes);
  memory.bytes(from, zeros);
}

}  // namespace

GlibcHeapBuilder::GlibcHeapBuilder(std::uint64_t heap_bytes, std::uint64_t other_bytes)
    : heap_bytes_(heap_bytes), other_bytes_(other_bytes) {
  zero(memory_, kData, kDataBytes);
  zero(memory_, kHeap, heap_bytes_);
  zero(memory_, kOther, other_bytes_);
  zero(memory_, {kThread.value - 0x200}, 0xa00);
  mappings_ = MappingList({
      {.range = {kData, {kData.value + kDataBytes}},
       .readable = true,
       .writable = true,
       .path = "/libc.so.6"},
      {.range = {kHeap, {kHeap.value + heap_bytes_}},
       .readable = true,
       .writable = true,
       .path = "[heap]"},
      {.range = {kOther, {kOther.value + other_bytes_}}, .readable = true, .writable = true},
  });
  next_ = kHeap;
  next_other_ = {kOther.value + 48 + 0x8a0};
  cache_ = add(0x290);
  memory_.pointer({kThread.value - 0x48}, cache_);
}

Address GlibcHeapBuilder::add(std::uint64_t chunk_bytes) {
  const Address block{next_.value + 16};
  memory_.u64({next_.value + 8}, chunk_bytes | kPreviousInUse);
  next_.value += chunk_bytes;
  return block;
}

Address GlibcHeapBuilder::add_to_other(std::uint64_t chunk_bytes) {
  const Address block{next_other_.value + 16};
  memory_.u64({next_other_.value + 8}, chunk_bytes | kPreviousInUse | kOtherArena);
  next_other_.value += chunk_bytes;
  return block;
}

std::uint64_t GlibcHeapBuilder::size_of(Address block) const {
  return read_unsigned<std::uint64_t>(memory_, {block.value - 8}).value_or(0) & ~std::uint64_t{7};
}

void GlibcHeapBuilder::free_to_cache(Address block) {
  const std::uint64_t bin = (size_of(block) - 32) / 16;
  const Address count{cache_.value + bin * 2}, entry{cache_.value + 128 + bin * 8};
  const auto old = read_unsigned<std::uint64_t>(memory_, entry).value_or(0);
  memory_.u64(block, old ^ block.value >> 12).u64({block.value + 8}, kKey);
  memory_.u64(entry, block.value);
  memory_.u8(count, static_cast<std::uint8_t>(
                        read_unsigned<std::uint8_t>(memory_, count).value_or(0) + 1));
}

void GlibcHeapBuilder::free_to_fast_bin(Address block) {
  const Address bin{kArena.value + 0x10 + (size_of(block) - 32) / 16 * 8};
  const auto old = read_unsigned<std::uint64_t>(memory_, bin).value_or(0);
  memory_.u64(block, old ^ block.value >> 12).u64(bin, block.value - 16);
}

void GlibcHeapBuilder::free_to_bin(Address block) {
  const std::uint64_t bytes = size_of(block);
  const Address behind{block.value - 16 + bytes};
  const auto size = read_unsigned<std::uint64_t>(memory_, {behind.value + 8}).value_or(0);
  memory_.u64(behind, bytes).u64({behind.value + 8}, size & ~kPreviousInUse);
  const auto own = read_unsigned<std::uint64_t>(memory_, {block.value - 8}).value_or(0);
  memory_.u64({block.value - 8}, own & ~kOtherArena);
}

void GlibcHeapBuilder::write_arena(Address at, Address next, Address top,
                                   std::uint64_t system_bytes) {
  for (std::uint64_t bin = kBins; bin < kBins + 254 * 8; bin += 16)
    memory_.u64({at.value + bin}, at.value + bin - 16)
        .u64({at.value + bin + 8}, at.value + bin - 16);
  memory_.pointer({at.value + kTop}, top).pointer({at.value + kNext}, next);
  memory_.u64({at.value + kSystem}, system_bytes).u64({at.value + kSystem + 8}, system_bytes);
}

MemoryImage& GlibcHeapBuilder::finish() {
  const Address other{kOther.value + 48};
  memory_.pointer(kOther, other).u64({kOther.value + 16}, other_bytes_);
  write_arena(kArena, other, next_, heap_bytes_);
  write_arena(other, kArena, next_other_, other_bytes_);
  memory_.u64({next_.value + 8}, (kHeap.value + heap_bytes_ - next_.value) | kPreviousInUse);
  memory_.u64({next_other_.value + 8},
              (kOther.value + other_bytes_ - next_other_.value) | kPreviousInUse);
  static_assert(kArenaEnd < kDataBytes);
  return memory_;
}

}  // namespace cgo
