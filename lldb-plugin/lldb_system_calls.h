#pragma once

#include <lldb/API/LLDB.h>

#include <memory>
#include <optional>

#include "lldb-plugin/remote_packets.h"
#include "lldb-plugin/session.h"
#include "lldb-plugin/system_calls.h"
#include "target/signals.h"

namespace cgo {

/// System calls by a stopped process of this machine: a thread steps over one `syscall`
/// instruction that is there already, with registers for the call, while all others stay stopped.
/// No other instruction of the program runs, and LLDB does not notice: stops, selection and stop
/// hooks are as before. All signals but
/// SIGTRAP are blocked on the thread while it makes calls.
class LldbSystemCalls final : public SystemCalls {
 public:
  /// `session` must outlive this, and have a stop.
  LldbSystemCalls(lldb::SBDebugger debugger, Session& session)
      : session_(session), process_(session.process()), packets_(debugger, session.process()) {}

  Result<void> possible(std::uint64_t tid) override;
  Result<Answers> make(std::uint64_t tid, const std::vector<Call>& calls) override;

 private:
  struct Borrowed;

  Result<void> process_allows();
  Result<void> stop_allows(std::uint64_t tid);
  Result<void> signals_allow(std::uint64_t tid);
  Result<void> place_allows(std::uint64_t tid);
  bool is_syscall_instruction(Address at) const;
  std::optional<Address> instruction(std::uint64_t tid) const;
  Result<Address> scratch_of(std::uint64_t tid) const;
  std::int32_t pid() const;
  Result<std::int64_t> step(Borrowed& thread, std::uint64_t number,
                            std::span<const std::uint64_t> arguments);
  Result<Answers> make_on(Borrowed& thread, const std::vector<Call>& calls);
  Result<void> give_back(Borrowed& thread);
  Result<std::vector<std::byte>> read(Address at, std::uint64_t bytes) const;
  Result<void> pass_signals(bool as_lldb_wants);

  Session& session_;
  lldb::SBProcess process_;
  RemotePackets packets_;
  std::optional<Address> instruction_;  // Of a thread that is in a system call.
};

}  // namespace cgo
