#include "target/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace cgo {
namespace {

Error file_error(const std::string& path, std::string_view what) {
  return Error{ErrorCode::io_failure, path + ": " + std::string(what)};
}

Error system_error(const std::string& path, int number) {
  return file_error(path, std::generic_category().message(number));
}

/// Closes on every path out of open(); the mapping outlives the descriptor.
struct Descriptor {
  int number;
  ~Descriptor() {
    if (number >= 0) ::close(number);
  }
};

}  // namespace

Result<std::shared_ptr<const MappedFile>> MappedFile::open(const std::string& path) {
  // O_NONBLOCK: opening a FIFO that a path in a core names must not hang.
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (file.number < 0) return system_error(path, errno);
  struct stat status{};
  if (::fstat(file.number, &status) != 0) return system_error(path, errno);
  if (!S_ISREG(status.st_mode)) return file_error(path, "not a regular file");
  ByteView bytes;
  if (status.st_size > 0) {
    const auto size = static_cast<std::size_t>(status.st_size);
    void* mapped = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.number, 0);
    if (mapped == MAP_FAILED) return system_error(path, errno);
    bytes = ByteView(static_cast<const std::byte*>(mapped), size);
  }
  return std::shared_ptr<const MappedFile>(new MappedFile(bytes));
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

}  // namespace cgo
