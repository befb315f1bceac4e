#include "stops/owned_blocks.h"

#include <algorithm>
#include <limits>
#include <map>

#include "stops/memory_sweep.h"

namespace cgo {
namespace {

constexpr std::uint64_t kMostOfBlocks = 64u << 20, kMostOfFrames = 8u << 20;

/// Calls `visit(place, word)` for each word of a piece of memory.
template <class Visit>
void each_word(Address at, ByteView bytes, const Visit& visit) {
  for (std::size_t i = 0; i + 8 <= bytes.size(); i += 8)
    visit(wrapping_add(at, i), *load<std::uint64_t>(bytes, i));
}

class Search {
 public:
  explicit Search(const BlockQuestion& question) : question_(question) {}

  OwnedBlocks run() {
    follow_frames();
    follow_blocks();
    if (!blocks_.empty() && !out_.cut) look_elsewhere();
    report();
    return std::move(out_);
  }

 private:
  struct Known {
    AddressRange range;
    bool direct = false, stays = false;
    std::vector<Address> leads_to;  // Blocks, by where they begin.
  };

  /// The block that a word points into, which is known from now on.
  Known* take(std::uint64_t word) {
    const auto range = question_.block_at({word});
    if (!range || !points_into(*range, word)) return nullptr;
    const auto found = blocks_.find(range->begin);
    if (found != blocks_.end()) return &found->second;
    if (blocks_.size() == question_.most_blocks) {
      out_.cut = true;
      return nullptr;
    }
    todo_.push_back(range->begin);
    return &blocks_.emplace(range->begin, Known{.range = *range}).first->second;
  }

  void follow_frames() {
    const auto take_direct = [&](std::uint64_t word) {
      if (Known* block = take(word)) block->direct = true;
    };
    for (const std::uint64_t value : question_.frame_values) take_direct(value);
    sweep(question_.frames, kMostOfFrames, [&](Address, std::uint64_t word) { take_direct(word); });
  }

  void follow_blocks() {
    std::uint64_t left = kMostOfBlocks;
    while (!todo_.empty() && !out_.cut) {
      const Address begin = todo_.back();
      todo_.pop_back();
      const AddressRange range = blocks_.at(begin).range;
      if (range.bytes() > left) {
        out_.cut = true;
        return;
      }
      left -= range.bytes();
      std::vector<Address> leads_to;
      sweep({range}, kMostOfBlocks, [&](Address, std::uint64_t word) {
        const Known* other = take(word);
        if (other != nullptr && other->range.begin != begin) leads_to.push_back(other->range.begin);
      });
      blocks_.at(begin).leads_to = std::move(leads_to);
    }
  }

  /// What points to the last word of a block is malloc's: it may begin the header of the next one.
  static bool points_into(AddressRange block, std::uint64_t word) {
    return block.contains({word}) && word < block.end.value - 8;
  }

  bool in_a_block(Address at) const {
    const auto after = blocks_.upper_bound(at);
    return after != blocks_.begin() && std::prev(after)->second.range.contains(at);
  }

  Known* known_at(std::uint64_t word) {
    auto after = blocks_.upper_bound({word});
    if (after == blocks_.begin()) return nullptr;
    Known& block = std::prev(after)->second;
    return points_into(block.range, word) ? &block : nullptr;
  }

  /// Blocks that something points to that stays, and all that those lead to, stay.
  void look_elsewhere() {
    const std::uint64_t lowest = blocks_.begin()->second.range.begin.value;
    const std::uint64_t highest = blocks_.rbegin()->second.range.end.value;
    for (const std::uint64_t value : question_.rest_values)
      if (Known* block = known_at(value)) keep(*block);
    sweep(question_.rest, question_.most_bytes, [&](Address at, std::uint64_t word) {
      if (word < lowest || word >= highest) return;
      Known* block = known_at(word);
      if (block == nullptr || block->stays || in_a_block(at)) return;
      if (!question_.freed_at(at)) keep(*block);
    });
  }

  void keep(Known& first) {
    std::vector<Known*> todo{&first};
    first.stays = true;
    while (!todo.empty()) {
      const Known* block = todo.back();
      todo.pop_back();
      for (const Address begin : block->leads_to) {
        Known& other = blocks_.at(begin);
        if (!other.stays) todo.push_back(&other);
        other.stays = true;
      }
    }
  }

  template <class Visit>
  void sweep(const std::vector<AddressRange>& ranges, std::uint64_t most, const Visit& visit) {
    const SweepResult swept =
        sweep_memory(*question_.memory, ranges, {.most_bytes = most},
                     [&](Address at, ByteView bytes) { each_word(at, bytes, visit); });
    out_.unread_bytes += swept.unread_bytes;
    out_.cut |= swept.cut;
  }

  void report() {
    for (const auto& [begin, block] : blocks_) {
      if (block.stays)
        ++out_.held;
      else if (!out_.cut)
        out_.owned.push_back({block.range, block.direct});
    }
  }

  const BlockQuestion& question_;
  std::map<Address, Known> blocks_;  // By where they begin.
  std::vector<Address> todo_;
  OwnedBlocks out_;
};

}  // namespace

OwnedBlocks owned_blocks(const BlockQuestion& question) { return Search(question).run(); }

}  // namespace cgo
