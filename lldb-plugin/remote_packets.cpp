#include "lldb-plugin/remote_packets.h"

#include <fmt/format.h>

#include <charconv>

namespace cgo {
namespace {

// Source: LLDB docs/resources/lldbgdbremote.md (qRegisterInfo, QSaveRegisterState, QThreadSuffix);
// source/Plugins/Process/gdb-remote/ProcessGDBRemote.cpp, "process plugin packet send".

constexpr unsigned kMostRegisters = 200;

Error failed(const std::string& packet, const std::string& answer) {
  return {ErrorCode::io_failure,
          "lldb-server answers " + packet.substr(0, 40) + " with " + answer.substr(0, 40)};
}

std::string in_memory_order(std::uint64_t value) {
  std::string out;
  for (int i = 0; i < 8; ++i) out += fmt::format("{:02x}", value >> (8 * i) & 0xff);
  return out;
}

/// Nothing unless `text` is the hex digits of eight bytes, as they lie in memory.
std::optional<std::uint64_t> word_in(std::string_view text) {
  if (text.size() != 16) return std::nullopt;
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    std::uint8_t byte = 0;
    const char* at = text.data() + 2 * i;
    if (std::from_chars(at, at + 2, byte, 16).ptr != at + 2) return std::nullopt;
    value |= std::uint64_t{byte} << (8 * i);
  }
  return value;
}

}  // namespace

Result<std::string> RemotePackets::send(const std::string& packet) {
  lldb::SBExecutionContext context(process_);
  lldb::SBCommandReturnObject result;
  debugger_.GetCommandInterpreter().HandleCommand(("process plugin packet send " + packet).c_str(),
                                                  context, result, false);
  const std::string output = result.GetOutput() == nullptr ? "" : result.GetOutput();
  constexpr std::string_view kAnswer = "response: ";
  const auto at = output.find(kAnswer);
  if (at == std::string::npos)
    return Error{ErrorCode::unsupported, "LLDB has no lldb-server for this process"};
  std::string answer = output.substr(at + kAnswer.size());
  answer.erase(answer.find_last_not_of("\r\n") + 1);
  if (answer == "UNIMPLEMENTED" || answer.empty())
    return Error{ErrorCode::unsupported,
                 "the server that LLDB uses does not know " + packet.substr(0, 40)};
  return answer;
}

Result<void> RemotePackets::order(const std::string& packet) {
  auto answer = send(packet);
  if (!answer) return std::move(answer).error();
  if (*answer != "OK") return failed(packet, *answer);
  return {};
}

Result<std::string> RemotePackets::number_of(const std::string& name) {
  if (const auto known = registers_.find(name); known != registers_.end()) return known->second;
  for (unsigned number = 0; number < kMostRegisters; ++number) {
    const std::string hexadecimal = fmt::format("{:x}", number);
    auto info = send("qRegisterInfo" + hexadecimal);
    if (!info) return std::move(info).error();
    constexpr std::string_view kName = "name:";
    if (!info->starts_with(kName)) break;
    const std::string found = info->substr(kName.size(), info->find(';') - kName.size());
    registers_.insert_or_assign(found, hexadecimal);
    if (found == name) return hexadecimal;
  }
  return Error{ErrorCode::unsupported, "lldb-server has no register " + name};
}

Result<std::uint64_t> RemotePackets::read_register(std::uint64_t tid, const std::string& name) {
  auto number = number_of(name);
  if (!number) return std::move(number).error();
  const std::string packet = fmt::format("p{};thread:{:x};", *number, tid);
  auto answer = send(packet);
  if (!answer) return std::move(answer).error();
  const auto value = word_in(*answer);
  if (!value) return failed(packet, *answer);
  return *value;
}

Result<void> RemotePackets::write_register(std::uint64_t tid, const std::string& name,
                                           std::uint64_t value) {
  auto number = number_of(name);
  if (!number) return std::move(number).error();
  return order(fmt::format("P{}={};thread:{:x};", *number, in_memory_order(value), tid));
}

Result<void> RemotePackets::write_memory(Address at, std::span<const std::byte> bytes) {
  std::string packet = fmt::format("M{:x},{:x}:", at.value, bytes.size());
  for (const std::byte byte : bytes) packet += fmt::format("{:02x}", static_cast<unsigned>(byte));
  return order(packet);
}

Result<std::string> RemotePackets::save_registers(std::uint64_t tid) {
  const std::string packet = fmt::format("QSaveRegisterState;thread:{:x};", tid);
  auto answer = send(packet);
  if (!answer) return std::move(answer).error();
  if (answer->find_first_not_of("0123456789") != std::string::npos) return failed(packet, *answer);
  return answer;
}

Result<void> RemotePackets::restore_registers(std::uint64_t tid, const std::string& number) {
  return order(fmt::format("QRestoreRegisterState:{};thread:{:x};", number, tid));
}

}  // namespace cgo
