#pragma once

#include <initializer_list>
#include <optional>
#include <string_view>

#include "values/value_context.h"

namespace cgo {

/// The fields of a structure, by paths of names; a failure is a missing summary, never a wrong one.
class StructureFields {
 public:
  StructureFields(const ValueContext& context, const Datum& datum)
      : context_(context), datum_(datum) {}

  std::optional<Datum> at(std::initializer_list<std::string_view> names) const;
  /// The number at the first of the paths that there is.
  std::optional<std::int64_t> number(
      std::initializer_list<std::initializer_list<std::string_view>> paths) const;

  const ValueContext& context() const { return context_; }
  const MemoryReader& memory() const { return context_.memory(); }
  const Datum& datum() const { return datum_; }

 private:
  const ValueContext& context_;
  const Datum& datum_;
};

}  // namespace cgo
