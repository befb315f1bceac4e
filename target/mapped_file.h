#pragma once

#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "target/byte_view.h"
#include "target/result.h"

namespace cgo {

/// A file of the host mapped for reading. Pages are read when they are touched, so opening costs
/// the same for any size. A file that somebody shortens while it is mapped cannot be read safely;
/// build tools and debuggers replace files instead.
class MappedFile {
 public:
  /// io_failure when `path` is not a regular file that can be read. An empty file maps to no bytes.
  static Result<std::shared_ptr<const MappedFile>> open(const std::string& path);

  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  ByteView bytes() const { return bytes_; }

 private:
  explicit MappedFile(ByteView bytes) : bytes_(bytes) {}
  ByteView bytes_;
};

/// The bytes of a file: mapped from disk, or already in memory. Views stay valid for its life.
class FileContents {
 public:
  FileContents(std::shared_ptr<const MappedFile> mapped) : owner_(std::move(mapped)) {}
  FileContents(std::vector<std::byte> bytes) : owner_(std::move(bytes)) {}
  FileContents(const FileContents&) = delete;
  FileContents& operator=(const FileContents&) = delete;

  ByteView bytes() const {
    if (const auto* mapped = std::get_if<0>(&owner_)) return (*mapped)->bytes();
    return std::get<1>(owner_);
  }

 private:
  std::variant<std::shared_ptr<const MappedFile>, std::vector<std::byte>> owner_;
};

}  // namespace cgo
