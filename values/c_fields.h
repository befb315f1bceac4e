#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "values/datum.h"

namespace cgo {

/// Writes declarations for c_fields. Internal to c_layout.
class CDeclarator {
 public:
  virtual ~CDeclarator() = default;
  /// `type` around `declarator`, in a structure of this level: "long (*next)[3]".
  virtual std::string declare(const Type* type, std::string declarator, unsigned level) = 0;
  /// The name for an enumerator; empty when another enumeration has it.
  virtual std::string enumerator(std::string_view name) = 0;
};

struct CFieldPlace {
  std::string name;
  std::uint64_t offset = 0;
};

/// What stands behind the name of a structure or union: "{ long X; } __attribute__((packed))".
struct CBody {
  std::string text;
  std::vector<CFieldPlace> places;  ///< Of the named fields that are no bit-fields.
};

/// The members of a structure or union at their places; what overlaps another one is left out.
Result<CBody> c_fields(const Type& type, unsigned level, CDeclarator& declarator);

}  // namespace cgo
