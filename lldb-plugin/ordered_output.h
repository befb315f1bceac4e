#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace cgo {

/// Puts pieces that several threads make into order, and passes each on as soon as all before it
/// are there: the whole of a long answer is never in memory at once. Thread-safe.
class OrderedOutput {
 public:
  /// `write` gets every piece that is not empty, in order, with `separator` between two of them.
  OrderedOutput(std::function<void(std::string_view)> write, std::string separator)
      : write_(std::move(write)), separator_(std::move(separator)) {}

  /// The piece for [begin, end); every index has to be covered once.
  void add(std::size_t begin, std::size_t end, std::string text) {
    const std::lock_guard lock(mutex_);
    waiting_.emplace(begin, Piece{end, std::move(text)});
    for (auto piece = waiting_.find(next_); piece != waiting_.end(); piece = waiting_.find(next_)) {
      next_ = piece->second.end;
      pass_on(piece->second.text);
      waiting_.erase(piece);
    }
  }

  /// What is left when the work was cancelled: pieces with others missing before them.
  void finish() {
    const std::lock_guard lock(mutex_);
    for (const auto& [begin, piece] : waiting_) pass_on(piece.text);
    waiting_.clear();
  }

 private:
  struct Piece {
    std::size_t end;
    std::string text;
  };

  void pass_on(const std::string& text) {
    if (text.empty()) return;
    if (any_) write_(separator_);
    any_ = true;
    write_(text);
  }

  std::function<void(std::string_view)> write_;
  const std::string separator_;
  std::mutex mutex_;
  std::map<std::size_t, Piece> waiting_;  // By begin.
  std::size_t next_ = 0;
  bool any_ = false;
};

}  // namespace cgo
