#include "stops/memory_sweep.h"

#include <algorithm>
#include <vector>

namespace cgo {
namespace {

constexpr std::uint64_t kPieceBytes = 256 << 10, kPageBytes = 4096;

}  // namespace

SweepResult sweep_memory(const MemoryReader& memory, std::span<const AddressRange> ranges,
                         const SweepLimits& limits,
                         const std::function<void(Address at, ByteView bytes)>& visit) {
  SweepResult out;
  std::vector<std::byte> buffer;
  for (const AddressRange& range : ranges) {
    std::uint64_t step = kPieceBytes;
    std::uint64_t kept = 0;  // At the begin of the buffer, from the piece before.
    for (std::uint64_t at = (range.begin.value + 7) & ~std::uint64_t{7}; at < range.end.value;) {
      // To the end of a page, so that a page that is missing costs no others.
      std::uint64_t bytes = std::min(step - at % step, range.end.value - at);
      if (out.bytes + bytes > limits.most_bytes) {
        out.cut = true;
        return out;
      }
      buffer.resize(kept + bytes);
      if (!memory.read({at}, std::span(buffer).subspan(kept))) {
        kept = 0;
        if (step > kPageBytes) {
          step = kPageBytes;
          continue;
        }
        out.unread_bytes += bytes;
      } else {
        out.bytes += bytes;
        visit({at - kept}, buffer);
        const std::uint64_t next = std::min<std::uint64_t>(limits.overlap, buffer.size());
        std::copy(buffer.end() - static_cast<std::ptrdiff_t>(next), buffer.end(), buffer.begin());
        kept = next;
      }
      at += bytes;
      if (at % kPieceBytes == 0) step = kPieceBytes;
    }
  }
  return out;
}

}  // namespace cgo
