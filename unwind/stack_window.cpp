#include "unwind/stack_window.h"

#include <algorithm>
#include <cstring>

namespace cgo {

bool StackWindow::fill(Address from, std::size_t bytes) const {
  const auto end = checked_add(from, bytes);
  if (!end || !source_.read(from, std::span(bytes_).first(bytes))) return false;
  have_ = {from, *end};
  return true;
}

Result<void> StackWindow::read(Address from, std::span<std::byte> out) const {
  const auto end = checked_add(from, out.size());
  if (!end) return unreadable(from, out.size(), from);
  const auto covered = [&] { return have_.begin <= from && *end <= have_.end; };
  if (!covered() && out.size() <= 64) {
    const std::size_t to_page_end = kPage - from.value % kPage;
    if (!fill(from, kWindow) && to_page_end >= out.size())
      fill(from, std::min(kWindow, to_page_end));
  }
  if (!covered()) return source_.read(from, out);
  std::memcpy(out.data(), bytes_.data() + (from.value - have_.begin.value), out.size());
  return {};
}

}  // namespace cgo
