#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "goruntime/gc_type_mask.h"
#include "goruntime/stack_maps.h"
#include "owners/go_root.h"
#include "target/memory_reader.h"

namespace cgo {

/// The variables of one goroutine's stack whose addresses are taken. They hold others only while
/// something refers to them, as the garbage collector has it.
/// Source: src/runtime/mgcstack.go; mgcmark.go, scanstack.
class StackObjects {
 public:
  struct Variable {
    Address at;
    std::uint64_t bytes = 0, pointer_bytes = 0;
    bool is_program = false;
    Address mask;     ///< 0: the registers that a call by reflection was given.
    Address pc, cfa;  ///< Of its frame.
  };

  explicit StackObjects(AddressRange stack) : stack_(stack) {}

  void add(const Variable& variable) { variables_.push_back(variable); }
  bool on_stack(std::uint64_t value) const { return stack_.contains({value}); }
  /// A pointer into the stack was found; by a guess perhaps.
  void point_at(std::uint64_t value, bool guess) { (guess ? guesses_ : exact_).push_back(value); }

  /// Visits the words of all variables that are referred to, from these on. `read_word` gives the
  /// words of the stack. Errors about masks are handed to `problem`.
  struct Reader {
    std::function<std::optional<std::uint64_t>(Address)> read_word;
    TypeMasks& masks;
    std::function<void(Error)> problem;
  };
  void follow(const Reader& reader, std::uint64_t goroutine, const RootVisitor& visit);

 private:
  Variable* find(std::uint64_t value);

  AddressRange stack_;
  std::vector<Variable> variables_;
  std::vector<bool> seen_;
  std::vector<std::uint64_t> exact_, guesses_;
};

}  // namespace cgo
