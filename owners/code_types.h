#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "goruntime/go_runtime.h"
#include "owners/typed_path.h"
#include "unwind/frame.h"
#include "values/program_context.h"

namespace cgo {

/// Which types a function of Go names in its code: those of objects that it makes are among them.
/// For one thread; what it is made from must outlive it.
class CodeTypes {
 public:
  CodeTypes(const GoRuntime& runtime, const ProgramContext& types)
      : runtime_(runtime), types_(types), ranges_(type_ranges(runtime)) {}

  /// What an object of so many bytes is that has a pointer to C, or a number, at `offset`, when
  /// exactly one type fits among those that the innermost function of the stack names that names
  /// any. `function`: that function. Nothing otherwise.
  struct Found {
    TypedWord word;
    std::string function;
  };
  std::optional<Found> find(const Stack& stack, std::uint64_t element_bytes, std::uint64_t offset);

 private:
  const std::vector<const Type*>& types_in(const GoFunction& function);

  const GoRuntime& runtime_;
  const ProgramContext& types_;
  std::vector<AddressRange> ranges_;
  std::map<Address, std::vector<const Type*>> known_;  // By the function's entry.
};

}  // namespace cgo
