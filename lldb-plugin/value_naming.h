#pragma once

#include <string>

#include "target/address.h"
#include "target/result.h"
#include "values/c_layout.h"

namespace cgo {

/// A value as the debugger's own expressions know it.
struct NamedValue {
  std::string name;     ///< "$thing"
  std::string type;     ///< "$main_Thing *"
  bool fields = false;  ///< It points to a structure.
};

/// Gives the debugger's own expressions names for values. Implemented where there is a debugger.
class ValueNaming {
 public:
  virtual ~ValueNaming() = default;
  /// `name`, with or without its '$', becomes a pointer to what lies at `address`. A name that has
  /// been given to a value of the same type moves. Runs no code of the process.
  virtual Result<NamedValue> give(const std::string& name, const ValueContext& context,
                                  const Type& type, unsigned depth, Address address) = 0;
};

}  // namespace cgo
