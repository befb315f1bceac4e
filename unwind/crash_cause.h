#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "target/memory_reader.h"
#include "unwind/frame.h"
#include "unwind/signal_frame.h"

namespace cgo {

/// What the stack of a thread tells about whether a crash began there.
struct CrashEvidence {
  std::optional<HandledSignal> fault;  ///< It handles one of the kernel's; the outermost one.
  bool aborts = false;  ///< It handles a SIGABRT that code of its own raised, not Go's runtime.
  bool panics = false;  ///< In runtime.fatalpanic, runtime.throw or their like.
  bool dies = false;    ///< … and past the place where all but the first to panic wait.
};

CrashEvidence crash_evidence(const Walk& walk, const MemoryReader& memory);

/// Where a crash began.
struct CrashCause {
  std::size_t thread = 0;  ///< Index into what was asked.
  std::string what;        ///< "SIGSEGV at 0x0", "SIGABRT", "a panic or fatal error of Go".
};

/// The one thread that the crash began on; nothing where no thread or several look like it. With
/// GOTRACEBACK=crash the Go runtime passes SIGQUIT from thread to thread before it dies, and the
/// last thread that got it is the one the kernel puts first into the core.
/// Source: src/runtime/signal_unix.go, sighandler and dieFromSignal; src/runtime/panic.go,
/// fatalpanic and startpanic_m.
std::optional<CrashCause> crash_cause(std::span<const CrashEvidence> threads);

}  // namespace cgo
