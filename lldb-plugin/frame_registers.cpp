#include "lldb-plugin/frame_registers.h"

namespace cgo {

std::optional<std::uint64_t> register_of(lldb::SBFrame frame, const char* name) {
  lldb::SBError error;
  lldb::SBValue value = frame.FindRegister(name);
  if (!value.IsValid()) return std::nullopt;
  const std::uint64_t number = value.GetValueAsUnsigned(error);
  if (error.Fail()) return std::nullopt;
  return number;
}

std::optional<std::uint64_t> low_half_of(lldb::SBFrame frame, const char* name) {
  lldb::SBValue value = frame.FindRegister(name);
  if (!value.IsValid()) return std::nullopt;
  std::uint64_t number = 0;
  lldb::SBError error;
  if (value.GetData().ReadRawData(error, 0, &number, sizeof number) != sizeof number ||
      error.Fail())
    return std::nullopt;
  return number;
}

}  // namespace cgo
