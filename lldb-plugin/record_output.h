#pragma once

#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

#include "target/result.h"

namespace cgo {

/// Where the records of a trace go, each as soon as it is there.
class RecordOutput {
 public:
  /// To `file`, else nowhere where `statistics` are asked for instead, else to stdout: at the end
  /// where a program that is `launched` writes there too.
  static Result<RecordOutput> open(const std::optional<std::string>& file, bool statistics,
                                   bool launched);

  /// False when it could not be written; nothing is written after that.
  bool write(std::string_view record);
  /// Whether who read the records wants no more.
  bool reader_left() const;
  std::string error_text() const;
  /// Writes what was kept for the end.
  Result<void> finish();

 private:
  int file_ = -1;           // Nowhere.
  bool for_later_ = false;  // `file_` is a temporary one.
  int error_ = 0;           // errno of the first write that failed.
};

}  // namespace cgo
