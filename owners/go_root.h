#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "target/address.h"

namespace cgo {

/// What keeps an object alive without being an object itself.
enum class RootKind : std::uint8_t {
  global,            ///< A variable of a package.
  stack,             ///< A variable in a goroutine's frame, or what the runtime keeps for one.
  finalizer,         ///< What an object refers to that a finalizer will be run for.
  special,           ///< The function of a finalizer, a cleanup with its argument, a weak handle.
  queued_finalizer,  ///< About to be run.
  queued_cleanup,
  tiny_block,  ///< What a P cuts small values without pointers from.
  guess,       ///< A word of a frame without a map, or a register: it may be a pointer or not.
};

/// "global", "stack" …
std::string_view format_root_kind(RootKind kind);

/// One word that refers to memory from outside of the heap.
struct GoRoot {
  RootKind kind = RootKind::global;
  Address at;               ///< Where the word lies; 0 for a register.
  std::uint64_t value = 0;  ///< What it holds; of `finalizer`, the object that is not kept itself.
  std::uint64_t goroutine = 0;  ///< Its id, for those of stacks.
  Address pc, cfa;              ///< Of the frame, for those in one.
};

using RootVisitor = std::function<void(const GoRoot&)>;

}  // namespace cgo
