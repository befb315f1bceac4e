#include "owners/heap_sweep.h"

#include <algorithm>
#include <atomic>
#include <thread>

namespace cgo {
namespace {

constexpr std::uint64_t kPieceBytes = 512 * 1024;
/// What was found is kept for so many pieces: three times their bytes at most.
constexpr std::size_t kPiecesAtOnce = 64;
constexpr std::size_t kWordsAtOnce = 8;

/// Spans that lie one behind another, or a part of one.
struct Piece {
  AddressRange range;
  std::size_t first_span = 0;
};

std::vector<Piece> pieces_of(const GcHeap& heap) {
  std::vector<Piece> out;
  const auto spans = heap.spans();
  for (std::size_t i = 0; i < spans.size(); ++i) {
    const AddressRange range = spans[i].range();
    if (!out.empty() && out.back().range.end == range.begin &&
        range.end.value - out.back().range.begin.value <= kPieceBytes) {
      out.back().range.end = range.end;
      continue;
    }
    for (Address at = range.begin; at < range.end; at.value += kPieceBytes)
      out.push_back({{at, std::min(range.end, Address{at.value + kPieceBytes})}, i});
  }
  return out;
}

/// The limits of a filter, as a loop without branches asks for them. Unused ones hold nothing.
struct Limits {
  std::array<std::uint64_t, AddressFilter::kMostRanges> begin{}, bytes{};

  explicit Limits(const AddressFilter& filter) {
    for (std::size_t i = 0; i < filter.ranges().size(); ++i) {
      begin[i] = filter.ranges()[i].begin.value;
      bytes[i] = filter.ranges()[i].bytes();
    }
  }
};

template <std::size_t Ranges>
bool within(const Limits& limits, std::uint64_t value) {
  bool any = false;
  for (std::size_t i = 0; i < Ranges; ++i) any |= value - limits.begin[i] < limits.bytes[i];
  return any;
}

template <std::size_t Ranges, class Found>
void scan(const Limits& limits, std::span<const std::uint64_t> words, Found&& found) {
  std::size_t at = 0;
  for (; at + kWordsAtOnce <= words.size(); at += kWordsAtOnce) {
    bool any = false;
    for (std::size_t i = 0; i < kWordsAtOnce; ++i) any |= within<Ranges>(limits, words[at + i]);
    if (!any) continue;
    for (std::size_t i = at; i < at + kWordsAtOnce; ++i)
      if (within<Ranges>(limits, words[i])) found(i);
  }
  for (; at < words.size(); ++at)
    if (within<Ranges>(limits, words[at])) found(at);
}

class Sweeper {
 public:
  Sweeper(const HeapSweep& sweep, const std::function<bool(std::uint64_t)>& wanted)
      : sweep_(sweep), wanted_(wanted), limits_(sweep.filter), pieces_(pieces_of(sweep.heap)) {}

  std::uint64_t run(const std::function<void(const SweptWord&)>& visit) {
    for (std::size_t begin = 0; begin < pieces_.size(); begin += kPiecesAtOnce) {
      const std::size_t end = std::min(pieces_.size(), begin + kPiecesAtOnce);
      sweep_batch(begin, end);
      for (std::vector<SweptWord>& words : found_) {
        for (const SweptWord& word : words) visit(word);
        words.clear();
      }
    }
    return missing_;
  }

 private:
  void sweep_batch(std::size_t begin, std::size_t end) {
    found_.resize(kPiecesAtOnce);
    std::atomic<std::size_t> next{begin};
    const auto work = [&] {
      std::vector<std::uint64_t> words(kPieceBytes / 8);
      for (std::size_t piece = next++; piece < end; piece = next++)
        sweep_piece(pieces_[piece], words, found_[piece - begin]);
    };
    std::vector<std::thread> others;
    const std::size_t wanted = std::min<std::size_t>(sweep_.threads, end - begin);
    for (std::size_t i = 1; i < wanted; ++i) others.emplace_back(work);
    work();
    for (std::thread& other : others) other.join();
  }

  void sweep_piece(const Piece& piece, std::vector<std::uint64_t>& buffer,
                   std::vector<SweptWord>& out) {
    const std::span<std::uint64_t> words = std::span(buffer).first(piece.range.bytes() / 8);
    const auto bytes = std::as_writable_bytes(words);
    if (!sweep_.memory.read(piece.range.begin, bytes))
      missing_ += read_present(sweep_.memory, piece.range.begin, bytes);
    const GcSpan* span = &sweep_.heap.spans()[piece.first_span];
    const auto found = [&](std::size_t index) {
      if (!wanted_(words[index])) return;
      const Address at{piece.range.begin.value + index * 8};
      while (at >= span->range().end) ++span;
      out.push_back({span, at.value - span->base.value, words[index]});
    };
    switch (sweep_.filter.ranges().size()) {
      case 0:
        return;
      case 1:
        return scan<1>(limits_, words, found);
      case 2:
        return scan<2>(limits_, words, found);
      default:
        return scan<AddressFilter::kMostRanges>(limits_, words, found);
    }
  }

  const HeapSweep& sweep_;
  const std::function<bool(std::uint64_t)>& wanted_;
  const Limits limits_;
  const std::vector<Piece> pieces_;
  std::vector<std::vector<SweptWord>> found_;  // By piece of the batch.
  std::atomic<std::uint64_t> missing_{0};
};

}  // namespace

AddressFilter::AddressFilter(std::vector<AddressRange> ranges) : ranges_(std::move(ranges)) {
  std::erase_if(ranges_, [](AddressRange range) { return range.empty(); });
  std::ranges::sort(ranges_, {}, &AddressRange::begin);
  const auto gap_behind = [&](std::size_t i) {
    const std::uint64_t end = ranges_[i].end.value, next = ranges_[i + 1].begin.value;
    return next > end ? next - end : 0;
  };
  while (ranges_.size() > kMostRanges) {
    std::size_t nearest = 0;
    for (std::size_t i = 1; i + 1 < ranges_.size(); ++i)
      if (gap_behind(i) < gap_behind(nearest)) nearest = i;
    ranges_[nearest].end = std::max(ranges_[nearest].end, ranges_[nearest + 1].end);
    ranges_.erase(ranges_.begin() + static_cast<std::ptrdiff_t>(nearest) + 1);
  }
}

std::uint64_t HeapSweep::run(const std::function<bool(std::uint64_t value)>& wanted,
                             const std::function<void(const SweptWord&)>& visit) const {
  return Sweeper(*this, wanted).run(visit);
}

}  // namespace cgo
