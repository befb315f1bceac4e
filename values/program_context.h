#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "goruntime/go_runtime.h"
#include "goruntime/runtime_types.h"
#include "target/image.h"
#include "values/value_context.h"

namespace cgo {

/// The program as one stop has it, as reading its values sees it: debug information first, the
/// runtime's own tables where there is none. Thread-safe. Made for one stop; what it is made of
/// must outlive it, and it the values that were read.
class ProgramContext final : public ValueContext {
 public:
  struct Parts {
    const MemoryReader* memory = nullptr;
    const ImageMap* images = nullptr;
    const GoRuntimes* runtimes = nullptr;
    DwarfSource dwarf;  ///< May be empty.
    const AddressDescriber* describer = nullptr;
  };
  /// `runtime`: the one whose values are read, of several; null for the first.
  explicit ProgramContext(Parts parts, const GoRuntime* runtime = nullptr);
  ~ProgramContext() override;

  const MemoryReader& memory() const override { return *parts_.memory; }
  GoVersion go_version() const override;
  Result<const Type*> dynamic_type(Address descriptor) const override;
  Result<MapShape> map_shape_of(const Type& map) const override;
  Result<bool> is_empty_interface(const Type& interface) const override;
  Result<TypeDetails> details_of(const Type& type) const override;
  std::optional<CodePlace> place_of(Address pc) const override;
  std::vector<CapturedVariable> captured_variables(Address entry) const override;
  std::uint64_t closure_bytes(Address entry) const override;
  bool in_image(Address address) const override;
  std::optional<std::uint64_t> goroutine_id(Address g) const override;
  const AddressDescriber* describer() const override { return parts_.describer; }
  Result<Datum> variable_named(std::string_view name) const override;
  std::vector<std::string> packages_named(std::string_view name) const override;
  Result<const Type*> type_named(std::string_view name) const override;

  /// Null when there is no Go runtime.
  const GoRuntime* runtime() const { return runtime_; }

 private:
  Result<Datum> constant_named(std::string_view name) const;
  Result<std::shared_ptr<const DwarfInfo>> dwarf_at(Address address) const;
  /// Those of the function at `entry` that debug information names.
  std::vector<Variable> variables_at(Address entry) const;
  /// What closures of the function at `entry` are: the runtime's type of them.
  /// What closures of the function at `entry` are, as far as the code that makes them tells.
  struct ClosureStructure {
    const Type* type = nullptr;
    std::uint64_t bytes = 0;  // 0: not known.
    bool has_pointers = true;
  };
  ClosureStructure closure_structure(Address entry) const;
  /// The type as the runtime describes it, for one from debug information.
  Result<const Type*> runtime_twin(const Type& type) const;
  std::optional<CodePlace> c_place(Address pc) const;

  Parts parts_;
  const GoRuntime* runtime_ = nullptr;
  std::unique_ptr<const RuntimeTypes> types_;
  mutable std::mutex mutex_;
  mutable std::map<Address, const Type*> dynamic_;
  mutable std::map<const Type*, Result<MapShape>> shapes_;
  mutable std::map<Address, ClosureStructure> closures_;
};

}  // namespace cgo
