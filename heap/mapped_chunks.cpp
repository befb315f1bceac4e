#include "heap/mapped_chunks.h"

#include <algorithm>
#include <array>
#include <vector>

#include "target/byte_view.h"

namespace cgo {
namespace {

constexpr std::uint64_t kPage = 4096, kMapped = 2, kFlags = 7, kHeader = 16;
constexpr unsigned kMostBlocks = 100'000, kMostPagesBack = 2048;

struct Header {
  std::uint64_t before = 0, size = 0;
};

bool is_pages(std::uint64_t bytes) { return bytes >= kPage && bytes % kPage == 0; }

/// A header that is marked as that of a chunk with pages of its own.
std::optional<Header> header_of(ByteView bytes) {
  const std::uint64_t size = load<std::uint64_t>(bytes, 8).value_or(0);
  if ((size & kFlags) != kMapped) return std::nullopt;
  return Header{load<std::uint64_t>(bytes, 0).value_or(0), size & ~kFlags};
}

std::optional<Header> header_at(const MemoryReader& memory, Address at) {
  const auto header = read_bytes(memory, at, kHeader, kHeader);
  return header ? header_of(*header) : std::nullopt;
}

/// What stands at the beginnings of the pages of a range, read for many of them at once.
class PageBegins {
 public:
  PageBegins(const MemoryReader& memory, AddressRange range) : memory_(memory), range_(range) {}

  /// Whether a chunk may begin at `page`. To be asked for rising pages.
  bool may_begin(Address page) {
    if (page.value - first_.value >= pieces_.size() * kPage) load(page);
    const MemoryPiece& piece = pieces_[(page.value - first_.value) / kPage];
    const auto header = piece.read ? header_of(piece.out) : std::nullopt;
    return header && header->before == 0 && is_pages(header->size);
  }

 private:
  static constexpr std::size_t kAtOnce = 1024;

  void load(Address page) {
    first_ = page;
    pieces_.clear();
    for (std::size_t i = 0; i < kAtOnce && page < range_.end; ++i, page.value += kPage)
      pieces_.push_back({.from = page, .out = std::span(bytes_).subspan(i * kHeader, kHeader)});
    memory_.read_each(pieces_);
  }

  const MemoryReader& memory_;
  AddressRange range_;
  Address first_;
  std::vector<MemoryPiece> pieces_;
  std::array<std::byte, kAtOnce * kHeader> bytes_{};
};

/// A block of an alignment that was asked for has a header of its own further in, which says how
/// far. Where realloc has changed its pages, that is the only one that is right.
/// Source: glibc malloc/malloc.c, _int_memalign and mremap_chunk.
std::optional<MappedChunk> aligned_chunk(const MemoryReader& memory, Address at, Address end,
                                         std::uint64_t outer_bytes) {
  const std::uint64_t most = std::min(outer_bytes, end.value - at.value);
  for (std::uint64_t alignment = 32; alignment < most; alignment *= 2) {
    const Address block{(at.value + kHeader + alignment - 1) / alignment * alignment};
    if (block.value - at.value >= most) break;
    const std::uint64_t lead = block.value - kHeader - at.value;
    const auto header = lead != 0 ? header_at(memory, {block.value - kHeader}) : std::nullopt;
    if (!header || header->before != lead || header->size > end.value - at.value - lead ||
        !is_pages(lead + header->size))
      continue;
    const Address behind{at.value + lead + header->size};
    return MappedChunk{{at, behind}, {block, behind}};
  }
  return std::nullopt;
}

/// The chunk whose pages begin at `at`. Source: glibc malloc/malloc.c, sysmalloc and munmap_chunk.
std::optional<MappedChunk> chunk_from(const MemoryReader& memory, Address at, Address end) {
  const auto header = header_at(memory, at);
  if (!header || header->before != 0 || !is_pages(header->size)) return std::nullopt;
  if (auto aligned = aligned_chunk(memory, at, end, header->size)) return aligned;
  if (header->size > end.value - at.value) return std::nullopt;
  const Address behind{at.value + header->size};
  return MappedChunk{{at, behind}, {{at.value + kHeader}, behind}};
}

/// Blocks that lie one behind another.
struct Tiles {
  std::optional<MappedChunk> holds;  // The one that holds the address.
  Address end;                       // Of the last one.
  bool whole = false;                // They end where the mapping does.
};

Tiles tiles_from(const MemoryReader& memory, Address at, Address end, Address address) {
  Tiles out;
  for (unsigned i = 0; i < kMostBlocks && at < end; ++i) {
    const auto chunk = chunk_from(memory, at, end);
    if (!chunk) break;
    if (chunk->range.contains(address)) out.holds = chunk;
    at = chunk->range.end;
  }
  out.end = at;
  out.whole = at == end;
  return out;
}

}  // namespace

std::optional<MappedChunk> mapped_chunk_at(const MemoryReader& memory, AddressRange range,
                                           Address address) {
  if (range.begin.value % kPage != 0 || !range.contains(address)) return std::nullopt;
  if (const Tiles front = tiles_from(memory, range.begin, range.end, address); front.holds)
    return front.holds;
  // Something else lies in the same mapping in front of the block.
  Address page{address.value / kPage * kPage};
  for (unsigned i = 0; i < kMostPagesBack && page > range.begin; ++i, page.value -= kPage)
    if (const Tiles back = tiles_from(memory, page, range.end, address); back.whole && back.holds)
      return back.holds;
  return std::nullopt;
}

void for_each_mapped_chunk(const MemoryReader& memory, AddressRange range,
                           const std::function<void(const MappedChunk&)>& visit) {
  if (range.begin.value % kPage != 0) return;
  std::vector<MappedChunk> run;
  PageBegins begins(memory, range);
  for (Address at = range.begin; at < range.end;) {
    if (!begins.may_begin(at)) {
      at.value += kPage;
      continue;
    }
    const Address first = at;
    run.clear();
    while (at < range.end) {
      const auto chunk = chunk_from(memory, at, range.end);
      if (!chunk) break;
      run.push_back(*chunk);
      at = chunk->range.end;
    }
    if (first == range.begin || at == range.end)
      for (const MappedChunk& chunk : run) visit(chunk);
    // What is no run may begin in the middle of one.
    else if (!run.empty())
      at = first;
    if (at < range.end) at.value += kPage;
  }
}

Address behind_mapped_chunks(const MemoryReader& memory, AddressRange range) {
  if (range.begin.value % kPage != 0) return range.begin;
  return tiles_from(memory, range.begin, range.end, range.end).end;
}

}  // namespace cgo
