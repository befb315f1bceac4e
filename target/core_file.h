#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "target/mapping.h"
#include "target/memory_elf.h"
#include "target/memory_reader.h"
#include "target/registers.h"
#include "target/signals.h"

namespace cgo {

struct CoreThread {
  std::uint64_t tid = 0;
  /// 0 for none. The kernel gives all threads the signal that ended the process; the one it hit is
  /// the one with `details`.
  int signal = 0;
  Registers registers;
  std::optional<Address> thread_pointer;  ///< amd64: fs_base.
  std::optional<SignalDetails> details;
  /// What is blocked and pending; nothing in cores whose writer leaves that out (gcore's).
  std::optional<ThreadSignals> signals;
};

/// Of a thread in a core: unsupported where the core leaves them out.
inline Result<ThreadSignals> known_signals(const CoreThread& thread) {
  if (thread.signals) return *thread.signals;
  return Error{ErrorCode::unsupported,
               "the core does not say which signals its threads block: the kernel's own cores do"};
}

struct CoreProcess {
  std::uint64_t pid = 0;
  std::string name;       ///< At most 15 bytes: what the kernel calls the command.
  std::string arguments;  ///< At most 79 bytes of the command line.
};

/// A part of a file as the process had it mapped.
struct CoreMappedFile {
  AddressRange range;
  std::uint64_t file_offset = 0;
  std::string path;
};

/// The program of a core, as far as the core's own memory tells.
struct CoreExecutable {
  std::string path;  ///< As mapped; empty when the core has no list of files.
  Address base;      ///< Where its ELF header is mapped.
  MappedElf elf;
};

/// What a core file that is shorter than its headers say lacks.
struct CoreCut {
  std::uint64_t file_bytes = 0;      ///< What there is.
  std::uint64_t expected_bytes = 0;  ///< Up to the end of the last segment.
  std::uint64_t missing_memory_bytes = 0;
  bool notes = false;  ///< The notes are cut as well: threads may be missing.

  std::string text() const;  ///< For people, one line.
};

/// An ELF core, mapped from disk: its memory, and what its notes say. A read touches only the pages
/// it asks for. What was not dumped, or was cut off, is unreadable; nothing reads as zero that the
/// core does not hold. Immutable; all methods may be called from several threads.
class CoreFile final : public MemoryReader {
 public:
  /// malformed_data for what is not an ELF core; unsupported for a CPU without a row. A cut core
  /// opens as long as its program headers are there.
  static Result<std::shared_ptr<const CoreFile>> open(const std::string& path);
  static Result<std::shared_ptr<const CoreFile>> from_bytes(std::vector<std::byte> bytes,
                                                            std::string name);
  ~CoreFile() override;

  const std::string& path() const;
  const ArchInfo& arch() const;
  Result<void> read(Address from, std::span<std::byte> out) const override;

  /// In the core's order: a core by the kernel has the thread that crashed first.
  std::span<const CoreThread> threads() const;
  const std::optional<CoreProcess>& process() const;
  std::span<const CoreMappedFile> mapped_files() const;
  /// One per PT_LOAD, with the path of the file mapped there. A mapping is listed whether or not
  /// its contents were dumped.
  std::span<const Mapping> mappings() const;
  /// An entry of the auxiliary vector (AT_*).
  std::optional<std::uint64_t> auxv(std::uint64_t type) const;
  std::optional<CoreCut> cut() const;

  /// The main program, found through AT_PHDR and AT_ENTRY. Its build id is there when the page with
  /// its headers was dumped (coredump_filter bit 4, set by default).
  Result<CoreExecutable> executable() const;

 private:
  struct State;
  explicit CoreFile(std::unique_ptr<State> state);
  static Result<std::shared_ptr<const CoreFile>> finish(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Nothing when `file` may be the program `core` was written by; else why not, with both build ids.
std::optional<Error> mismatch(const CoreExecutable& executable, const ElfFile& file);

}  // namespace cgo
