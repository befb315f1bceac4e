#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "goruntime/block_reader.h"
#include "owners/go_memory.h"
#include "owners/go_root.h"
#include "owners/stack_objects.h"

namespace cgo {

/// The words of goroutines' stacks that refer to memory, by the compiler's stack maps. Walks each
/// goroutine along its own stack as the garbage collector does; what was stopped where the compiler
/// has no map is searched word by word, and such words are marked as guesses.
/// Source: src/runtime/mgcmark.go, scanstack and scanframeworker; stkframe.go; traceback.go.
class GoroutineRoots {
 public:
  /// `problem` is told what could not be read.
  GoroutineRoots(const GoMemory& go, std::function<void(Error)> problem);

  /// Visits the words of one goroutine; nothing for one that is dead.
  void visit(const Goroutine& g, const RootVisitor& visitor);

 private:
  /// What is known of code, whichever goroutine runs it.
  struct Code {
    std::optional<GoFunction> function;
    std::optional<std::uint32_t> frame_bytes;
    bool reflect_call = false;  ///< Of a function value or method value that reflect made.
    Result<StackMap> map = Error{};
  };
  struct Frame {
    const Code* code = nullptr;
    Address pc, sp, cfa, locals_end;
    bool guess = false;  ///< Stopped where there is no map.
  };
  struct Start {
    Address pc, sp;
    bool interrupted = false;  ///< At any instruction, by a signal or the debugger.
    std::optional<Registers> registers;
  };
  struct Scan {
    const Goroutine& g;
    const RootVisitor& visit;
    StackObjects objects;
  };

  std::optional<Start> start_of(const Goroutine& g);
  std::optional<Start> start_of_running(const Goroutine& g);
  void walk(Scan& scan, const Start& start);
  void scan_frame(Scan& scan, const Frame& frame);
  void scan_by_map(Scan& scan, const Frame& frame, const StackMap& map);
  void scan_reflect_call(Scan& scan, const Frame& frame);
  void scan_kept(Scan& scan);
  void scan_defers(Scan& scan);
  void guess_range(Scan& scan, AddressRange range, const Frame& frame);
  void guess_all(Scan& scan, Address from);
  void found(Scan& scan, Address at, std::uint64_t value, const Frame& frame, bool guess);
  const Code& code_at(Address pc, bool wants_map);
  Address rodata_of(const GoModule& module);
  std::optional<std::uint64_t> word(Address at);

  const GoMemory& go_;
  std::function<void(Error)> problem_;
  BlockReader memory_;
  TypeMasks masks_;
  std::unordered_map<Address, Code> code_;
  std::unordered_map<const GoModule*, Address> rodata_;
  std::uint64_t defers_ = 0;
};

}  // namespace cgo
