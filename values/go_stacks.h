#pragma once

#include <optional>
#include <vector>

#include "goruntime/go_runtime.h"
#include "values/value_context.h"

namespace cgo {

/// The stacks that the Go runtimes of a process have at one stop.
class GoStacks {
 public:
  GoStacks(const MemoryReader& memory, const GoRuntimes& runtimes);

  /// The stack of a goroutine that lives.
  std::optional<AddressDescription> goroutine_at(Address address) const;
  /// The system stack or signal stack of an m. Where threads created by C have their system stack,
  /// the runtime often only estimates.
  std::optional<AddressDescription> machine_at(Address address) const;
  /// A stack the runtime keeps for the next goroutine.
  std::optional<AddressDescription> unused_at(Address address) const;

 private:
  struct Stack {
    AddressRange range;
    AddressDescription what;
  };
  void add_goroutines(const MemoryReader& memory, const GoRuntime& runtime);
  void add_machines(const MemoryReader& memory, const GoRuntime& runtime);
  static void sort(std::vector<Stack>& stacks);
  static std::optional<AddressDescription> find(const std::vector<Stack>& stacks, Address address);

  std::vector<Stack> goroutines_, machines_, unused_;  // By address.
};

}  // namespace cgo
