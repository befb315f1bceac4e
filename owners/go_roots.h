#pragma once

#include <span>
#include <string>
#include <vector>

#include "owners/go_memory.h"
#include "owners/go_root.h"

namespace cgo {

/// Where the garbage collector begins, in the order in which an answer to «who holds it» is the
/// more useful: what several stages reach is told of the first.
enum class RootStage : std::uint8_t {
  globals,
  stacks,
  runtime,  ///< Finalizers, cleanups, weak handles, queues, and the blocks of small values.
  guesses,  ///< Words that may be pointers or not.
};

/// All words outside of the heap that the garbage collector takes for pointers into it. They are
/// visited whatever they point at, so that pointers to C's memory are among them.
/// Source: src/runtime/mgcmark.go, markroot; Go 1.19 to 1.27.
class GoRoots {
 public:
  explicit GoRoots(const GoMemory& go) : go_(go) {}

  /// Visits the roots of one stage. The guesses are found with the stacks; they are visited by a
  /// stage of their own.
  void visit(RootStage stage, const RootVisitor& visitor);
  void visit_all(const RootVisitor& visitor);

  /// What could not be read, the first few: roots are missing then.
  std::span<const Error> problems() const { return problems_; }
  std::uint64_t problem_count() const { return problem_count_; }

 private:
  void visit_globals(const RootVisitor& visitor);
  void visit_data(AddressRange range, Address mask, const RootVisitor& visitor);
  void visit_piece(Address begin, std::span<const std::byte> bytes, std::span<const std::byte> bits,
                   const RootVisitor& visitor);
  void visit_stacks(const RootVisitor& visitor);
  void visit_specials(const RootVisitor& visitor);
  void visit_finalizer_queue(const RootVisitor& visitor);
  void visit_cleanup_queue(const RootVisitor& visitor);
  void visit_tiny_blocks(const RootVisitor& visitor);
  void visit_words(RootKind kind, AddressRange range, const RootVisitor& visitor);
  void problem(Error error);

  const GoMemory& go_;
  bool stacks_seen_ = false;
  std::vector<GoRoot> guesses_;
  std::vector<Error> problems_;
  std::uint64_t problem_count_ = 0;
};

/// The variable of an image that covers `at`; null where none does.
const ElfSymbol* data_symbol(const ImageMap& images, Address at);

/// "main.cache", "goroutine 7, main.serve+0x40": for people. A variable is named by the symbol that
/// covers it; its place is given where there is none.
std::string format_root(const GoMemory& go, const GoRoot& root);

}  // namespace cgo
