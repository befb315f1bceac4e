#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <tuple>

#include "target/dwarf_type_store.h"
#include "target/variables.h"

namespace cgo {

/// The types that frames make of those whose arrays have no length of their own (C's `int a[n]`).
/// Equal ones are one object. Thread-safe. Types live as long as the store.
class FrameTypes {
 public:
  explicit FrameTypes(const DwarfTypes& types) : types_(types) {}

  /// DwarfInfo::type_in_frame.
  Result<const Type*> resolve(const Type* type, Address pc, const ExpressionContext& context) const;

 private:
  /// A type that is another one but for its target and length.
  using Made = std::tuple<const Type*, const Type*, std::optional<std::uint64_t>>;

  Result<std::uint64_t> length_of(const Type& array, Address pc,
                                  const ExpressionContext& context) const;
  const Type* make(const Made& made) const;

  const DwarfTypes& types_;
  mutable std::mutex mutex_;
  mutable std::map<Made, std::unique_ptr<const Type>> made_;
};

}  // namespace cgo
