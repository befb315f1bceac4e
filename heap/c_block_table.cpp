#include "heap/c_block_table.h"

#include <algorithm>
#include <limits>

namespace cgo {
namespace {

/// More pages without a block than this begin a new stretch.
constexpr std::uint64_t kMostEmptyPages = 1024;

}  // namespace

CBlockTable::CBlockTable(std::vector<Block> blocks) : blocks_(std::move(blocks)) {
  std::ranges::sort(blocks_, {}, &Block::begin);
  if (blocks_.size() > std::numeric_limits<std::uint32_t>::max() - 1) {
    left_out_ = blocks_.size() - (std::numeric_limits<std::uint32_t>::max() - 1);
    blocks_.resize(std::numeric_limits<std::uint32_t>::max() - 1);
  }
  Address end;
  std::size_t kept = 0;
  for (const Block& block : blocks_) {
    const auto behind = checked_add(block.begin, block.bytes);
    if (block.bytes == 0 || !behind || block.begin < end) {
      ++left_out_;
      continue;
    }
    end = *behind;
    bytes_ += block.bytes;
    blocks_[kept++] = block;
  }
  blocks_.resize(kept);
  index();
}

void CBlockTable::index() {
  if (blocks_.empty()) return;
  lowest_ = blocks_.front().begin.value;
  extent_ = blocks_.back().range().end.value - lowest_;
  for (std::uint32_t number = 0; number < blocks_.size(); ++number) {
    const AddressRange range = blocks_[number].range();
    const std::uint64_t first = range.begin.value / kPage, last = (range.end.value - 1) / kPage;
    if (stretches_.empty() ||
        first >= stretches_.back().first_page + stretches_.back().blocks.size() + kMostEmptyPages)
      stretches_.push_back({first, {}});
    Stretch& stretch = stretches_.back();
    const std::uint64_t pages = last - stretch.first_page + 1;
    // Also pages in front of it that no block reaches: what is looked for there ends here.
    if (pages > stretch.blocks.size()) stretch.blocks.resize(pages, number);
  }
}

std::optional<std::uint32_t> CBlockTable::find_near(Address address) const {
  const std::uint64_t page = address.value / kPage;
  auto stretch = std::ranges::upper_bound(stretches_, page, {}, &Stretch::first_page);
  if (stretch == stretches_.begin()) return std::nullopt;
  --stretch;
  if (page - stretch->first_page >= stretch->blocks.size()) return std::nullopt;
  for (std::uint32_t number = stretch->blocks[page - stretch->first_page];
       number < blocks_.size() && blocks_[number].begin <= address; ++number)
    if (address < blocks_[number].range().end) return number;
  return std::nullopt;
}

std::vector<AddressRange> CBlockTable::stretches() const {
  std::vector<AddressRange> out;
  for (const Stretch& stretch : stretches_)
    out.push_back(
        {{stretch.first_page * kPage}, {(stretch.first_page + stretch.blocks.size()) * kPage}});
  return out;
}

}  // namespace cgo
