#pragma once

#include <memory>
#include <string>
#include <vector>

#include "target/type.h"

namespace cgo {

/// Types that an expression needs and the program may not describe: of constants and results, and
/// pointers and slices of described types. They live as long as this.
class MadeTypes {
 public:
  MadeTypes();
  ~MadeTypes();
  MadeTypes(const MadeTypes&) = delete;
  MadeTypes& operator=(const MadeTypes&) = delete;

  /// A predeclared type of Go ("int", "float64", "string", …); null for another name.
  const Type* predeclared(std::string_view name) const;
  const Type* pointer_to(const Type* target, std::string name, bool is_go);
  const Type* slice_of(const Type* element, std::string name);
  const Type* array_of(const Type* element, std::uint64_t length, std::string name, bool is_go);
  /// An interface type whose values have the form of an empty one's: descriptor and data.
  const Type* interface_named(std::string name);

 private:
  class MadeType;
  const Type* add(std::unique_ptr<MadeType> type);
  std::vector<std::unique_ptr<MadeType>> types_;
};

}  // namespace cgo
