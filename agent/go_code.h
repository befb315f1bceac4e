#pragma once
// Go code in the process: which function a pc is in and how large its frame is, by the runtime's
// own function table, which is there without symbols too.

#include <cstdint>

#include "agent/loaded_code.h"

namespace cgo::agent {

/// Where asmcgocall leaves what leads back, and where a goroutine has its id.
struct GoRelease {
  std::uint32_t first_minor, last_minor;
  std::uint32_t depth_slot, g_slot;  ///< From SP when C returns.
  std::uint32_t goid;                ///< In runtime.g.
};

/// One Go module: an executable, or a library with a Go runtime in it.
struct GoModule {
  std::uint32_t ready = 0;  ///< 1 once all is written.
  std::uint64_t file_begin = 0;
  std::uint64_t text_begin = 0, text_end = 0, text = 0;
  Bytes names, pc_tables, functions;
  std::uint64_t sorted = 0, count = 0;  ///< Of {entry, function} pairs of 32 bits.
  const GoRelease* release = nullptr;   ///< Null: none that is known.
};

/// What the walk does at a function of Go.
enum class GoPart : std::uint8_t {
  plain,
  asmcgocall,
  cgocallback,
  crosscall2,
  goroutine_entry,
  system_stack,  ///< Where the runtime changes stacks in other ways: not followed.
};

struct GoFrame {
  const GoModule* module = nullptr;
  GoPart part = GoPart::plain;
  std::uint32_t bytes = 0;  ///< From SP to the return address.
};

/// The frame of `pc`; `lookup` is the byte to find the function by. False where no Go code is.
bool go_frame_at(std::uint64_t pc, std::uint64_t lookup, GoFrame& frame);
/// Looks for a Go module in a file that has no unwind rules at some pc; true when there is one that
/// was not known.
bool find_go_module(const LoadedFile& file);
/// After files were unloaded.
void forget_unloaded_go_modules();

}  // namespace cgo::agent
