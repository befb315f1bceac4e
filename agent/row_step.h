#pragma once
// The step by a row of unwind rules that is not of the usual kind: expressions, signal frames.

#include "agent/stack_walk.h"
#include "agent/unwind_row.h"

namespace cgo::agent {

class RowStep {
 public:
  explicit RowStep(StackWalk& walk) : walk_(walk) {}

  /// Moves the walk to the caller; false with the walk's end set when that cannot be.
  bool apply(const UnwindRow& row);

 private:
  bool cfa_of(const UnwindRow& row, std::uint64_t& cfa);
  bool evaluate(Bytes expression, bool with_cfa, std::uint64_t cfa, std::uint64_t& result);
  bool operation(std::uint8_t code, class ByteCursor& cursor);
  bool binary(std::uint8_t code);
  bool register_value(unsigned number, std::uint64_t& value);
  bool value_of(const ValueRule& rule, std::uint64_t cfa, std::uint64_t& value, std::uint64_t& at);
  bool push(std::uint64_t value);

  static constexpr unsigned kMostValues = 16;
  StackWalk& walk_;
  std::uint64_t values_[kMostValues];
  unsigned count_ = 0;
};

}  // namespace cgo::agent
