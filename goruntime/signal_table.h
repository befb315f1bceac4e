#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "goruntime/go_runtime.h"
#include "target/signals.h"

namespace cgo {

/// Where the runtime keeps what it knows of signals; each is the same array in Go 1.19 to 1.27.
/// Source: src/runtime/signal_unix.go, fwdSig and handlingSig; sigtab_linux_generic.go, sigtable;
/// sigqueue.go, sig.
struct GoSignalPlaces {
  Address forward, handling, table;
  Address queue;  ///< runtime.sig, for what os/signal asked for; 0 when not found.
};

/// By symbols of the right sizes, of the image's file or of its separate debug file (may be null);
/// not_found in stripped binaries.
Result<GoSignalPlaces> find_signal_places(const Image& image, const ElfFile* debug_file);

/// The same in a stripped binary, from the code of runtime.sigfwdgo, which reads the first three;
/// believed only where the table begins as the runtime's does.
Result<GoSignalPlaces> find_signal_places_in_code(const MemoryReader& memory,
                                                  const GoRuntime& runtime);

/// What the runtime notes of one signal.
struct GoSignal {
  /// The handler it set last is its own. It does not notice when other code sets another one.
  bool handling = false;
  /// The handler that it found when it set its own, or looked when it began: 0 is SIG_DFL, 1 is
  /// SIG_IGN. Nothing for signals that it never looked at.
  std::optional<Address> found;
  /// signal.Notify asked for it; nothing where that is not known.
  std::optional<bool> notify;
  /// signal.Ignore did, or it was ignored when the program began.
  std::optional<bool> ignored;
  /// While it is its own handler's: hands the signal on to `found` when it arrives outside of Go
  /// code, and the kernel raised it for a fault, or it is SIGPIPE. Source: signal_unix.go,
  /// sigfwdgo.
  bool forwards = false;

  /// There was a handler of other code.
  bool found_handler() const { return found && found->value > 1; }
};

/// What a runtime notes of all signals; index 0 is not used.
using GoSignals = std::array<GoSignal, kMostSignals + 1>;

/// malformed_data when the runtime's table is not one.
Result<GoSignals> read_go_signals(const MemoryReader& memory, const GoSignalPlaces& places);

/// Fields of runtime.m that say which alternate stack its thread has.
struct GoSignalStackLayout {
  FieldOffset new_stack;    ///< newSigstack.
  FieldOffset go_stack_lo;  ///< goSigStack.stack.lo.
};

/// From the binary's debug information; not_found where it was stripped.
Result<GoSignalStackLayout> signal_stack_layout_from_dwarf(const DwarfInfo& dwarf);

/// The alternate stack that Go saw to when the M began on its thread; C may have set another since.
struct GoSignalStack {
  AddressRange range;
  bool found = false;  ///< C had set it before; else it is the M's own.
};

/// Nothing while the M has not begun on a thread.
Result<std::optional<GoSignalStack>> read_signal_stack(const MemoryReader& memory,
                                                       const GoRuntime& runtime,
                                                       const GoSignalStackLayout& layout,
                                                       const Machine& m);

}  // namespace cgo
