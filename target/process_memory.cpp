#include "target/process_memory.h"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <system_error>

namespace cgo {
namespace {

/// The smallest page of any supported CPU: a read that stays within one is all or nothing.
constexpr std::uint64_t kPage = 4096;

/// How many bytes could be read, from the start of `out` on; at least one unless errno says why
/// not.
std::size_t read_some(std::int32_t pid, Address from, std::span<std::byte> out) {
  const iovec local{out.data(), out.size()};
  const iovec remote{reinterpret_cast<void*>(from.value), out.size()};
  const ssize_t got = ::process_vm_readv(pid, &local, 1, &remote, 1, 0);
  if (got > 0) return static_cast<std::size_t>(got);
  // Some kernels give nothing of a range that becomes unreadable later on: try its first page.
  const std::uint64_t in_page = kPage - from.value % kPage;
  if (errno != EFAULT || out.size() <= in_page) return 0;
  const iovec first_local{out.data(), in_page};
  const iovec first_remote{reinterpret_cast<void*>(from.value), in_page};
  return static_cast<std::size_t>(
      std::max<ssize_t>(0, ::process_vm_readv(pid, &first_local, 1, &first_remote, 1, 0)));
}

}  // namespace

ProcessMemory::ProcessMemory(std::int32_t pid, std::vector<CodePatch> patches)
    : pid_(pid), patches_(std::move(patches)) {
  std::stable_sort(patches_.begin(), patches_.end(),
                   [](const CodePatch& a, const CodePatch& b) { return a.address < b.address; });
  for (const CodePatch& patch : patches_)
    longest_patch_ = std::max<std::uint64_t>(longest_patch_, patch.original.size());
}

Result<void> ProcessMemory::read(Address from, std::span<std::byte> out) const {
  std::size_t done = 0;
  while (done < out.size()) {
    const auto at = checked_add(from, done);
    if (!at) return unreadable(from, out.size(), Address{~std::uint64_t{0}});
    errno = 0;
    const std::size_t got = read_some(pid_, *at, out.subspan(done));
    if (got == 0) {
      const int why = errno;
      Error error = unreadable(from, out.size(), *at);
      if (why != EFAULT)
        error.message +=
            ": process " + std::to_string(pid_) + ": " + std::generic_category().message(why);
      return error;
    }
    done += got;
  }
  hide_patches(from, out);
  return {};
}

void ProcessMemory::read_each(std::span<MemoryPiece> pieces) const {
  constexpr std::size_t kAtOnce = 512;  // The kernel takes 1024.
  std::array<iovec, kAtOnce> local, remote;
  std::array<MemoryPiece*, kAtOnce> batch;
  for (std::size_t next = 0; next < pieces.size();) {
    std::size_t count = 0;
    for (; next < pieces.size() && count < kAtOnce; ++next) {
      MemoryPiece& piece = pieces[next];
      if (piece.read || piece.out.empty()) continue;
      local[count] = {piece.out.data(), piece.out.size()};
      remote[count] = {reinterpret_cast<void*>(piece.from.value), piece.out.size()};
      batch[count++] = &piece;
    }
    // It ends at the first piece that is not there.
    for (std::size_t begin = 0; begin < count; ++begin) {
      const ssize_t got =
          ::process_vm_readv(pid_, &local[begin], count - begin, &remote[begin], count - begin, 0);
      std::size_t left = got > 0 ? static_cast<std::size_t>(got) : 0;
      for (; begin < count && left >= batch[begin]->out.size(); ++begin) {
        left -= batch[begin]->out.size();
        batch[begin]->read = true;
        hide_patches(batch[begin]->from, batch[begin]->out);
      }
      if (got < 0 && errno != EFAULT) return;
    }
  }
}

void ProcessMemory::hide_patches(Address from, std::span<std::byte> out) const {
  if (patches_.empty()) return;
  const std::uint64_t begin = from.value;
  const std::uint64_t last = begin + out.size() - 1;  // Was readable: does not wrap.
  const std::uint64_t lowest = begin >= longest_patch_ ? begin - longest_patch_ : 0;
  auto patch = std::lower_bound(
      patches_.begin(), patches_.end(), lowest,
      [](const CodePatch& entry, std::uint64_t value) { return entry.address.value < value; });
  for (; patch != patches_.end() && patch->address.value <= last; ++patch)
    for (std::size_t i = 0; i < patch->original.size(); ++i) {
      const std::uint64_t at = patch->address.value + i;
      if (at >= begin && at <= last) out[at - begin] = patch->original[i];
    }
}

Result<std::vector<Mapping>> process_mappings(std::int32_t pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/maps";
  const auto failed = [&path](int number) {
    return Error{ErrorCode::io_failure, path + ": " + std::generic_category().message(number)};
  };
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return failed(errno);
  std::string text;
  std::array<char, 1 << 16> buffer;
  ssize_t got;
  while ((got = ::read(file, buffer.data(), buffer.size())) > 0)
    text.append(buffer.data(), static_cast<std::size_t>(got));
  const int why = errno;
  ::close(file);
  if (got < 0) return failed(why);
  auto mappings = parse_proc_maps(text);
  if (!mappings) return std::move(mappings).error().in(path);
  return mappings;
}

}  // namespace cgo
