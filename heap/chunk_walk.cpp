#include "heap/chunk_walk.h"

#include <algorithm>

#include "target/byte_view.h"

namespace cgo {
namespace {

constexpr std::uint64_t kPreviousInUse = 1, kMapped = 2, kOtherArena = 4, kFlags = 7;
constexpr std::uint64_t kLeastBytes = 32, kFenceBytes = 16;
constexpr std::size_t kSmallestWindow = 2048, kLargestWindow = 64 * 1024;

}  // namespace

Error ChunkWalk::damaged(Address at, const char* what) const {
  return {ErrorCode::malformed_data, what, at};
}

Result<void> ChunkWalk::fill(Address at) {
  // Headers that lie close together are read together.
  const bool near = !window_.empty() && at >= window_begin_ &&
                    at.value - window_begin_.value < 2 * window_.size();
  window_bytes_ = near ? std::min(2 * window_bytes_, kLargestWindow) : kSmallestWindow;
  std::uint64_t wanted = std::min<std::uint64_t>(window_bytes_, region_.range.end.value - at.value);
  wanted = std::max<std::uint64_t>(wanted, 8);
  window_begin_ = at;
  window_.resize(wanted);
  auto done = memory_.read(at, window_);
  if (done) return {};
  // The rest of the window may be missing where nothing is needed.
  const auto bad = done.error().address;
  const std::uint64_t there = bad && *bad > at ? bad->value - at.value : 0;
  window_.clear();
  if (there < 8 || there >= wanted) return std::move(done).error();
  window_.resize(there);
  auto again = memory_.read(at, window_);
  if (!again) window_.clear();
  return again;
}

Result<std::uint64_t> ChunkWalk::word(Address at) {
  const auto inside = [&] {
    return at >= window_begin_ && at.value - window_begin_.value + 8 <= window_.size();
  };
  if (!inside())
    if (auto filled = fill(at); !filled) return std::move(filled).error();
  return load<std::uint64_t>(window_, at.value - window_begin_.value).value_or(0);
}

Result<Chunk> ChunkWalk::last_chunk(std::uint64_t size) {
  const std::uint64_t bytes = size & ~kFlags;
  const std::uint64_t left = region_.range.end.value - next_.value;
  if (!(size & kPreviousInUse) || size & kMapped || bytes % 16 != 0 || bytes < kFenceBytes ||
      bytes > left)
    return damaged(next_, "the last chunk's size is wrong");
  return Chunk{next_, bytes, Chunk::Kind::top};
}

/// A region that cannot grow ends with one or two headers of chunks that hold nothing.
Result<std::optional<Chunk>> ChunkWalk::fence(std::uint64_t size) {
  const std::uint64_t bytes = size & ~kFlags;
  const std::uint64_t left = region_.range.end.value - next_.value;
  const bool known_end = !region_.main;
  if (bytes > left || (known_end && left > 2 * kFenceBytes))
    return damaged(next_, "the chunk's size is wrong");
  if (bytes == kFenceBytes) {
    auto behind = word({next_.value + kFenceBytes + 8});
    if (!behind) return std::move(behind).error();
    const std::uint64_t last = known_end ? kPreviousInUse : kFenceBytes | kPreviousInUse;
    if (left < 2 * kFenceBytes || *behind != last)
      return damaged(next_, "the chunk's size is wrong");
  }
  ended_ = true;
  return std::optional(Chunk{next_, std::min(left, 2 * kFenceBytes), Chunk::Kind::fence});
}

Result<std::optional<Chunk>> ChunkWalk::next() {
  if (ended_ || next_ >= region_.range.end) return std::optional<Chunk>{};
  if (region_.range.end.value - next_.value < 16)
    return damaged(next_, "the chunks reach over the end of their memory");
  auto size = word({next_.value + 8});
  if (!size) return std::move(size).error();
  if (region_.top && next_ == region_.top) {
    auto last = last_chunk(*size);
    if (!last) return std::move(last).error();
    ended_ = true;
    return std::optional(*last);
  }
  if (region_.top && next_ > region_.top)
    return damaged(next_, "the chunks lead past the arena's last one");
  const std::uint64_t bytes = *size & ~kFlags;
  const bool first_fence = bytes == kFenceBytes && (*size & kFlags) <= kPreviousInUse;
  if (region_.top && region_.main && *size == (kFenceBytes | kPreviousInUse)) {
    auto second = word({next_.value + kFenceBytes + 8});
    if (second && *second == *size)
      return Error{ErrorCode::unsupported,
                   "something other than malloc has moved the break behind " + hex(next_), next_};
  }
  const bool only_fence = !region_.main && *size == kPreviousInUse;
  if (!region_.top && (first_fence || only_fence)) return fence(*size);
  if (bytes < kLeastBytes || bytes % 16 != 0 || *size & kMapped ||
      bytes > region_.range.end.value - next_.value - 16)
    return damaged(next_, "the chunk's size is wrong");
  const Address behind{next_.value + bytes};
  auto next_size = word({behind.value + 8});
  if (!next_size) return std::move(next_size).error();
  Chunk chunk{next_, bytes, Chunk::Kind::in_use};
  if (*next_size & kPreviousInUse) {
    // The chunk in front of a fence may have no mark; see sysmalloc.
    const bool before_end = (*next_size & ~kFlags) <= kFenceBytes;
    if (((*size & kOtherArena) != 0) == region_.main && !(before_end && !region_.main))
      return damaged(next_, "the chunk is marked as another arena's");
  } else {
    auto foot = word(behind);
    if (!foot) return std::move(foot).error();
    if (*foot != bytes)
      return damaged(behind, (*next_size & ~kFlags) < kLeastBytes
                                 ? "the chunk's size is wrong"
                                 : "the size of the free chunk before differs");
    chunk.kind = Chunk::Kind::free;
  }
  next_ = behind;
  return std::optional(chunk);
}

}  // namespace cgo
