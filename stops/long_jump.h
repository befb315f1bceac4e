#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "target/image.h"
#include "target/memory_reader.h"
#include "unwind/frame.h"

namespace cgo {

/// Where a longjmp leads: what setjmp kept.
struct JumpTarget {
  Address pc, sp;
};

/// Reads a jmp_buf. glibc keeps the two mixed with a secret of the process, which is beside the
/// thread's pointer; musl keeps them as they are. Which it is shows in whether code is at the pc.
/// not_found when neither way gives code. Source: glibc sysdeps/x86_64/jmpbuf-offsets.h,
/// sysdeps/unix/sysv/linux/x86_64/pointer_guard.h; musl src/setjmp/x86_64/setjmp.s.
Result<JumpTarget> read_jump_buffer(const MemoryReader& memory, const ImageMap& images,
                                    Address buffer, Address thread_pointer);

/// What a longjmp passes.
struct JumpFate {
  enum class Kind : std::uint8_t {
    lands,      ///< In the frame of C at `physical`.
    returned,   ///< The function that called setjmp has returned: what is there is another's.
    elsewhere,  ///< On a stack that is not known to be this one: a coroutine's, another thread's.
    unknown,    ///< The stack is not known that far out; `why`.
  };
  Kind kind = Kind::unknown;
  std::size_t physical = 0;  ///< An index into Walk::elements.
  /// Frames of Go that are passed, innermost first: indices into Walk::elements.
  std::vector<std::size_t> go;
  std::size_t c_frames = 0;    ///< Of C that are left, besides the C library's.
  bool over_callback = false;  ///< A call from C into Go is among what is passed.
  bool within_go = false;      ///< Of `lands`: Go called the C that it leads to.
  std::string why;
};

/// The fate of a longjmp to `target`, called by the innermost frame of `walk`, whose stack is
/// `stack`; empty where that is not known.
JumpFate jump_fate(const MemoryReader& memory, const ImageMap& images, const Walk& walk,
                   AddressRange stack, const JumpTarget& target);

}  // namespace cgo
