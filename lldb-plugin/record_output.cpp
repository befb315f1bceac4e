#include "lldb-plugin/record_output.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <vector>

#include "lldb-plugin/whole_file.h"

namespace cgo {
namespace {

std::string words_for(int error) { return std::generic_category().message(error); }

/// A file that nobody else sees, for what has to wait.
int temporary_file() {
  std::FILE* made = std::tmpfile();
  if (made == nullptr) return -1;
  const int file = fcntl(fileno(made), F_DUPFD_CLOEXEC, 0);
  std::fclose(made);
  return file;
}

}  // namespace

Result<RecordOutput> RecordOutput::open(const std::optional<std::string>& file, bool statistics,
                                        bool launched) {
  constexpr int kMode = 0666;
  RecordOutput out;
  if (file) {
    out.file_ = ::open(file->c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kMode);
    if (out.file_ < 0)
      return Error{ErrorCode::io_failure, "cannot write " + *file + ": " + words_for(errno)};
  } else if (!statistics && launched) {
    out.for_later_ = true;
    out.file_ = temporary_file();
    if (out.file_ < 0)
      return Error{ErrorCode::io_failure, "cannot make a temporary file: " + words_for(errno)};
  } else if (!statistics) {
    out.file_ = STDOUT_FILENO;
  }
  return out;
}

bool RecordOutput::write(std::string_view record) {
  if (file_ < 0) return true;
  if (error_ == 0) error_ = write_all(file_, record);
  return error_ == 0;
}

bool RecordOutput::reader_left() const { return error_ == EPIPE; }

std::string RecordOutput::error_text() const { return words_for(error_); }

Result<void> RecordOutput::finish() {
  if (!for_later_) return {};
  constexpr std::size_t kPiece = 1 << 18;
  std::vector<char> piece(kPiece);
  lseek(file_, 0, SEEK_SET);
  for (ssize_t got; (got = ::read(file_, piece.data(), piece.size())) > 0;) {
    const int error = write_all(STDOUT_FILENO, {piece.data(), static_cast<std::size_t>(got)});
    if (error == EPIPE) break;
    if (error != 0)
      return Error{ErrorCode::io_failure, "the records could not be written: " + words_for(error)};
  }
  return {};
}

}  // namespace cgo
