#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "goruntime/type_descriptor.h"
#include "target/type.h"

namespace cgo {

class GoRuntime;

/// The types of one Go runtime as its descriptors in memory tell them: for binaries without debug
/// information, and to learn what only the runtime knows (which type an interface holds, how a map
/// is laid out). Thread-safe when the memory is. The types live as long as this, which must not
/// outlive `memory`.
class RuntimeTypes {
 public:
  /// `modules`: where the descriptors of each module lie (GoModule::Tables::types).
  RuntimeTypes(const MemoryReader& memory, GoVersion version, std::vector<AddressRange> modules);
  ~RuntimeTypes();
  RuntimeTypes(const RuntimeTypes&) = delete;
  RuntimeTypes& operator=(const RuntimeTypes&) = delete;

  /// The type whose descriptor lies at `descriptor`; the same one each time.
  Result<const Type*> at(Address descriptor) const;
  /// Its descriptor; not_found for a type that did not come from here.
  static std::optional<TypeDescriptor> descriptor_of(const Type* type);
  /// What follows its head.
  Result<TypeDetails> details_at(Address descriptor) const;

  /// The module that has `address` among its types; empty when none has.
  AddressRange module_of(Address address) const;

  const MemoryReader& memory() const { return memory_; }
  GoVersion version() const { return version_; }

 private:
  friend class RuntimeType;
  const MemoryReader& memory_;
  GoVersion version_;
  std::vector<AddressRange> modules_;
  mutable std::recursive_mutex mutex_;
  mutable std::map<Address, std::unique_ptr<const Type>> types_;
};

/// The ranges of descriptors of all modules of a runtime.
std::vector<AddressRange> type_ranges(const GoRuntime& runtime);

}  // namespace cgo
