#include "lldb-plugin/local_memory.h"

#include <sys/uio.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace cgo {

Result<void> LocalMemory::read(Address from, std::span<std::byte> out) const {
  std::size_t done = 0;
  while (done < out.size()) {
    const auto at = checked_add(from, done);
    if (!at) return unreadable(from, out.size(), from);
    iovec local{out.data() + done, out.size() - done};
    iovec remote{reinterpret_cast<void*>(at->value), out.size() - done};
    const ssize_t got = process_vm_readv(pid_, &local, 1, &remote, 1, 0);
    if (got > 0) {
      done += static_cast<std::size_t>(got);  // Short where a mapping ends.
      continue;
    }
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno != EFAULT) {
      Error error = unreadable(from, out.size(), *at);
      error.message += ": " + std::string(std::strerror(errno));
      return error;
    }
    return unreadable(from, out.size(), *at);
  }
  return {};
}

}  // namespace cgo
