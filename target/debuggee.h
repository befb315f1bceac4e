#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "target/image.h"
#include "target/mapping.h"
#include "target/memory_reader.h"
#include "target/registers.h"
#include "target/signals.h"

namespace cgo {

/// A thread of the debuggee, as the operating system knows it.
struct ThreadInfo {
  std::uint64_t tid = 0;
  std::uint32_t index = 0;  ///< The debugger's number for it (LLDB's "thread #N").
  std::string name;
  std::optional<int> signal;  ///< The signal this thread stopped with.
};

/// A word of the program's that the kernel keeps and will give back.
struct KernelWord {
  std::uint64_t value = 0;
  std::uint64_t file = 0;  ///< The number of the epoll instance.
};

/// One stop of a process, or a core: what everything above reads from. Nothing here knows Go or
/// LLDB. Values are those of one stop; after the process ran a new Debuggee is asked.
class Debuggee {
 public:
  virtual ~Debuggee() = default;

  virtual const ArchInfo& arch() const = 0;
  virtual bool is_core() const = 0;
  virtual const MemoryReader& memory() const = 0;
  virtual const ImageMap& images() const = 0;

  virtual std::vector<ThreadInfo> threads() const = 0;
  /// General registers of a thread; not_found for a tid that is gone.
  virtual Result<Registers> registers(std::uint64_t tid) const = 0;
  /// What the CPU's thread-local storage register holds (amd64: fs_base).
  virtual Result<Address> thread_pointer(std::uint64_t tid) const = 0;
  /// Whether instructions can be executed at `address`: images, the vDSO, and anonymous executable
  /// mappings (JIT code) where the debuggee's mappings are known.
  virtual bool executable(Address address) const = 0;
  /// The mappings of the address space; null where they are not known. Lives as long as this.
  virtual const MappingList* mappings() const { return nullptr; }
  /// What is known of a thread's signals without a call in its process; unsupported where nothing
  /// is.
  virtual Result<ThreadSignals> signals(std::uint64_t) const {
    return Error{ErrorCode::unsupported, "masks and pending signals are not known here"};
  }
  /// The signal that a thread stopped or ended with, as the kernel describes it, where that is
  /// known: nothing of it has been handled yet, the thread's registers are of that moment.
  virtual std::optional<SignalDetails> stop_signal(std::uint64_t) const { return std::nullopt; }
  /// How far the kernel lets the main thread's stack grow, in bytes, where that is known.
  virtual std::optional<std::uint64_t> stack_limit() const { return std::nullopt; }
  /// Whether the kernel started it with more rights than who started it has (set-user-id and the
  /// like: AT_SECURE), so that the loader ignored LD_PRELOAD; nothing where that is not known.
  virtual std::optional<bool> started_secure() const { return std::nullopt; }
  /// What the program gave to epoll (epoll_event.data), where the kernel shows it: of a process on
  /// this machine. Words of timers and io_uring are not shown.
  virtual std::vector<KernelWord> kernel_words() const { return {}; }
};

}  // namespace cgo
