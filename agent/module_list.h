#pragma once
// The files that the frames of stacks lie in, so that a pc is named even when its file is gone, and
// never by another file that came to lie there.

#include <cstdint>

namespace cgo::agent {

/// Counts unloads; what is remembered of code belongs to one epoch.
extern std::uint32_t module_epoch;

/// Makes sure that the files of these frames are in the table. The first epoch in which all of
/// them are loaded: together with it, the frames name the same code for ever.
std::uint32_t note_modules(const std::uint64_t* frames, unsigned count);

/// Around each unload of files, so that nothing remembered before is used after.
void begin_unload();
void end_unload();

}  // namespace cgo::agent
