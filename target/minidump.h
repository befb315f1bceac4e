#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "target/core_file.h"

namespace cgo {

/// A file that was mapped in the process of a minidump.
struct MinidumpModule {
  std::string path;
  AddressRange range;  ///< LLDB writes the size of the first segment only.
  std::optional<std::string> build_id;
};

/// A minidump of a Linux process, as LLDB's `process save-core` writes it, mapped from disk:
/// memory, threads and modules. What was not dumped, or was cut off, is unreadable. Immutable; all
/// methods may be called from several threads.
class Minidump final : public MemoryReader {
 public:
  /// malformed_data for what is no minidump; unsupported for a CPU other than amd64.
  static Result<std::shared_ptr<const Minidump>> open(const std::string& path);
  static Result<std::shared_ptr<const Minidump>> from_bytes(std::vector<std::byte> bytes,
                                                            std::string name);
  ~Minidump() override;

  const std::string& path() const;
  const ArchInfo& arch() const;
  Result<void> read(Address from, std::span<std::byte> out) const override;

  /// In the file's order, which is not that of the process: LLDB 22 reverses it. `signal` is set
  /// for the one thread that the dump names as the reason; thread_pointer only in dumps by LLDB.
  std::span<const CoreThread> threads() const;
  std::span<const MinidumpModule> modules() const;
  /// From the dump's copy of /proc/PID/maps; empty when it has none.
  std::span<const Mapping> mappings() const;
  std::optional<std::uint64_t> pid() const;
  std::optional<CoreCut> cut() const;

 private:
  struct State;
  explicit Minidump(std::unique_ptr<State> state);
  static Result<std::shared_ptr<const Minidump>> finish(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace cgo
