#pragma once
// The stack of the caller, in its own process: C frames by .eh_frame, then, through what asmcgocall
// saved, the goroutine's frames, and so on through callbacks.

#include <cstdint>

#include "agent/go_code.h"
#include "agent/memory_window.h"
#include "agent/records.h"

namespace cgo::agent {

inline constexpr unsigned kMostFrames = 192;
inline constexpr unsigned kMostWords = 448;

/// Where the walk begins: a function of the agent that the program called.
struct Caller {
  std::uint64_t cfa;             ///< The program's stack pointer before its call.
  std::uint64_t return_address;  ///< Into the program.
  std::uint64_t bp_at;           ///< Where the program's frame pointer was pushed.
};

/// A word that the course of a walk depended on. While all are as they were, the stack is the same.
struct Word {
  const std::uint64_t* at;
  std::uint64_t value;
};

/// How to get from one pc to its caller; kept per pc, because finding out is slow.
struct Rule {
  enum class Kind : std::uint8_t {
    empty,
    none,     ///< No rules.
    frame,    ///< CFA = register + offset, return address below it.
    complex,  ///< By the whole row, every time.
    outermost,
    go,
  };
  std::uint64_t key = 0;  ///< pc * 2, + 1 when it is exact.
  Kind kind = Kind::empty;
  bool cfa_from_bp = false;
  GoPart part = GoPart::plain;
  std::int32_t cfa_offset = 0;
  std::int32_t bp_offset = 0;  ///< From the CFA; 0: as it is.
  std::uint32_t go_bytes = 0;
  const GoRelease* release = nullptr;
};

inline constexpr unsigned kRules = 1024;

/// A walk and what it found. Large: part of a thread's memory, never on a stack.
class StackWalk {
 public:
  void run(const Caller& caller, unsigned most_frames);
  /// After files were unloaded.
  void forget_rules();
  /// Another thread goes on with this memory: other stacks are there.
  void start_thread() { memory_ = {}; }

  const std::uint64_t* frames() const { return frames_; }
  unsigned frame_count() const { return frame_count_; }
  StackEnd end() const { return end_; }
  const Word* words() const { return words_; }
  unsigned word_count() const { return word_count_; }
  /// Whether equal words mean an equal stack.
  bool repeatable() const { return repeatable_; }
  std::uint64_t goroutine() const { return goroutine_; }

 private:
  friend class RowStep;

  const Rule& rule_at(std::uint64_t pc, bool exact);
  void make_rule(Rule& rule, std::uint64_t pc, std::uint64_t lookup);
  bool step(const Rule& rule);
  bool step_frame(const Rule& rule);
  bool step_row();
  bool step_go(const Rule& rule);
  bool leave_asmcgocall(const Rule& rule);
  bool leave_goroutine(std::uint64_t g, std::uint64_t depth, const Rule& rule);
  bool leave_cgocallback(const Rule& rule);
  bool go_return(std::uint64_t sp, const Rule& rule);

  bool stop(StackEnd why) {
    end_ = why;
    return false;
  }
  /// Reads a word and remembers that the walk depends on it.
  bool load(std::uint64_t address, std::uint64_t& value);
  void depend_on(std::uint64_t address, std::uint64_t value);
  void set_bp_from(std::uint64_t address);
  void use_bp();
  bool move_to(std::uint64_t cfa);

  std::uint64_t pc_ = 0, sp_ = 0, bp_ = 0;
  std::uint64_t bp_at_ = 0;  ///< Where bp_ was read; 0: in no word of memory.
  bool exact_ = false;
  bool bp_known_ = false;
  std::uint64_t stack_end_ = 0;  ///< Of the goroutine whose frames are walked; 0 on other stacks.

  std::uint64_t goroutine_ = 0;
  StackEnd end_ = StackEnd::unknown;
  bool repeatable_ = true;
  unsigned frame_count_ = 0, word_count_ = 0;
  MemoryWindow memory_;
  std::uint64_t frames_[kMostFrames];
  Word words_[kMostWords];
  Rule rules_[kRules];
};

}  // namespace cgo::agent
