#include "lldb-plugin/whole_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <system_error>

namespace cgo {

int write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t done = ::write(file, text.data(), text.size());
    if (done < 0 && errno != EINTR) return errno;
    if (done > 0) text.remove_prefix(static_cast<std::size_t>(done));
  }
  return 0;
}

namespace {

constexpr mode_t kUsualMode = 0666;

Error failed(const std::string& path, int error) {
  return Error{ErrorCode::io_failure,
               "cannot write " + path + ": " + std::generic_category().message(error)};
}

/// A new file beside `path`, and its name; with the rights that new files have.
struct Beside {
  explicit Beside(const std::string& path) {
    constexpr int kTries = 100;
    for (int i = 0; i < kTries; ++i) {
      name = path + "." + std::to_string(::getpid()) + "-" + std::to_string(i);
      file = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kUsualMode);
      error = file < 0 ? errno : 0;
      if (error != EEXIST) return;
    }
  }
  std::string name;
  int file = -1;
  int error = 0;
};

Result<void> write_directly(const std::string& path, std::string_view contents) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (file < 0) return failed(path, errno);
  int error = write_all(file, contents);
  if (::close(file) != 0 && error == 0) error = errno;
  if (error != 0) return failed(path, error);
  return {};
}

/// `mode` of a file that was there.
Result<void> replace(const std::string& path, std::string_view contents,
                     std::optional<mode_t> mode) {
  const Beside made(path);
  if (made.file < 0) return failed(path, made.error);
  int error = write_all(made.file, contents);
  if (error == 0 && mode && ::fchmod(made.file, *mode) != 0) error = errno;
  if (::close(made.file) != 0 && error == 0) error = errno;
  if (error == 0 && ::rename(made.name.c_str(), path.c_str()) != 0) error = errno;
  if (error == 0) return {};
  ::unlink(made.name.c_str());
  return failed(path, error);
}

}  // namespace

Result<void> write_whole_file(const std::string& path, std::string_view contents) {
  struct stat there{};
  if (::stat(path.c_str(), &there) != 0) {
    if (errno != ENOENT) return failed(path, errno);
    struct stat link{};
    // A link to nothing: the file that it means is made.
    if (::lstat(path.c_str(), &link) == 0) {
      std::error_code error;
      const auto target = std::filesystem::weakly_canonical(path, error);
      if (error || target == path) return failed(path, ENOENT);
      return replace(target, contents, std::nullopt);
    }
    return replace(path, contents, std::nullopt);
  }
  if (S_ISDIR(there.st_mode)) return failed(path, EISDIR);
  if (!S_ISREG(there.st_mode)) return write_directly(path, contents);
  if (::access(path.c_str(), W_OK) != 0) return failed(path, errno);
  std::error_code error;
  const auto real = std::filesystem::canonical(path, error);
  if (error) return failed(path, error.value());
  return replace(real, contents, there.st_mode & 07777);
}

std::string with_home(const std::string& path) {
  const char* home = std::getenv("HOME");
  if (!path.starts_with("~/") || home == nullptr || *home != '/') return path;
  return home + path.substr(1);
}

}  // namespace cgo
