#pragma once

#include <lldb/API/LLDB.h>

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "target/address.h"
#include "target/result.h"

namespace cgo {

/// Packets to the lldb-server of a stopped process, past LLDB, which does not notice what they
/// change: whoever uses them has to leave everything as it was.
class RemotePackets {
 public:
  RemotePackets(lldb::SBDebugger debugger, lldb::SBProcess process)
      : debugger_(debugger), process_(process) {}

  /// The server's answer; unsupported for a packet that it does not know, and where LLDB has no
  /// server.
  Result<std::string> send(const std::string& packet);
  /// The same where only "OK" is success.
  Result<void> order(const std::string& packet);

  Result<std::uint64_t> read_register(std::uint64_t tid, const std::string& name);
  Result<void> write_register(std::uint64_t tid, const std::string& name, std::uint64_t value);
  Result<void> write_memory(Address at, std::span<const std::byte> bytes);

  /// Keeps all registers of a thread, also those LLDB does not show; gives the number they are kept
  /// by.
  Result<std::string> save_registers(std::uint64_t tid);
  Result<void> restore_registers(std::uint64_t tid, const std::string& number);

 private:
  Result<std::string> number_of(const std::string& name);

  lldb::SBDebugger debugger_;
  lldb::SBProcess process_;
  std::map<std::string, std::string> registers_;  // The server's number by name, in hex.
};

}  // namespace cgo
