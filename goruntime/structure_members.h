#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "target/dwarf.h"

namespace cgo {

/// Takes members of one structure of the runtime from debug information, so that a layout reads as
/// a list of its fields; keeps the first that is missing.
class StructureMembers {
 public:
  StructureMembers(const DwarfInfo& dwarf, const char* name)
      : name_(name), found_(dwarf.struct_type(name)) {
    if (!found_) error_ = found_.error();
  }

  /// Null where the structure does not have it: for fields that some releases lack.
  const DwarfMember* find(std::string_view member) const {
    return found_ ? found_->member(member) : nullptr;
  }
  std::uint32_t offset(std::string_view member) {
    return static_cast<std::uint32_t>(require(member).offset);
  }
  std::uint32_t bytes(std::string_view member) {
    return static_cast<std::uint32_t>(require(member).bytes);
  }
  std::uint32_t size() const { return found_ ? static_cast<std::uint32_t>(found_->bytes) : 0; }
  const std::optional<Error>& error() const { return error_; }

 private:
  DwarfMember require(std::string_view member) {
    if (const DwarfMember* found = find(member)) return *found;
    if (!error_)
      error_ = Error{ErrorCode::malformed_data,
                     std::string(name_) + " has no field " + std::string(member)};
    return {};
  }

  const char* name_;
  Result<DwarfStruct> found_;
  std::optional<Error> error_;
};

}  // namespace cgo
