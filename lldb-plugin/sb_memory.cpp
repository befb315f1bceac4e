#include "lldb-plugin/sb_memory.h"

#include <algorithm>

namespace cgo {
namespace {
constexpr std::uint64_t kPageBytes = 4096;
}

bool SbMemory::read_piece(Address from, std::span<std::byte> out) const {
  lldb::SBError error;
  return process_.ReadMemory(from.value, out.data(), out.size(), error) == out.size() &&
         error.Success();
}

Result<void> SbMemory::read(Address from, std::span<std::byte> out) const {
  if (out.empty() || read_piece(from, out)) return {};
  // LLDB gives nothing of a read that crosses the end of a mapping: find the page that is missing.
  std::uint64_t done = 0;
  while (done < out.size()) {
    const auto at = checked_add(from, done);
    if (!at) break;
    const std::uint64_t to_page_end = kPageBytes - at->value % kPageBytes;
    const std::uint64_t bytes = std::min<std::uint64_t>(to_page_end, out.size() - done);
    if (!read_piece(*at, out.subspan(done, bytes))) return unreadable(from, out.size(), *at);
    done += bytes;
  }
  if (done < out.size()) return unreadable(from, out.size(), wrapping_add(from, done));
  return {};
}

}  // namespace cgo
