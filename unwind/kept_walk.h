#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "unwind/frame.h"

namespace cgo {

/// The rule of frames that were kept from an earlier moment: what their registers and memory were
/// is not there any more.
inline constexpr char kKeptRule[] = "kept since the panic began";
inline bool is_kept(const PhysicalFrame& frame) { return frame.rule == kKeptRule; }
inline bool is_kept(const Frame& frame) { return frame.rule == kKeptRule; }

/// A goroutine's stack at the moment when a panic began: its innermost frame is runtime.gopanic.
struct KeptWalk {
  Address g;
  std::uint64_t goroutine = 0;  ///< Its id: another goroutine may get the same g.
  AddressRange stack;           ///< The goroutine's, as it lay then.
  Walk walk;
};

/// Puts frames that were kept into the gaps of a later walk of the same goroutine, marked as kept,
/// where that panic is still in progress: further in there is the same frame of runtime.gopanic,
/// and all frames around it are the same. `function_at` finds Go's functions. False, and no change,
/// where anything differs. `stack`: the goroutine's, as it lies now.
bool fill_gaps(Walk& walk, const KeptWalk& kept, AddressRange stack,
               const std::function<std::optional<GoFunction>(Address)>& function_at);

}  // namespace cgo
