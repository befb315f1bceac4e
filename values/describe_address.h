#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "goruntime/go_runtime.h"
#include "goruntime/heap_spans.h"
#include "target/debuggee.h"
#include "values/value_context.h"

namespace cgo {

/// Tells what addresses of one stop are: code, variables, goroutines' stacks, objects of the Go
/// heap. What C's allocator gave out is memory to it. Thread-safe; what it is made of must outlive
/// it.
class StopAddresses final : public AddressDescriber {
 public:
  StopAddresses(const Debuggee& debuggee, const GoRuntimes& runtimes, DwarfSource dwarf)
      : debuggee_(debuggee), runtimes_(runtimes), dwarf_(std::move(dwarf)) {}

  AddressDescription describe(Address address) const override;

 private:
  struct Stack {
    AddressRange range;
    std::uint64_t goroutine = 0;
  };
  struct Known {
    std::vector<Stack> stacks;     // By address.
    std::vector<HeapSpans> heaps;  // Of each runtime whose layout is known.
    bool every_heap = true;        // Of none it is unknown.
  };

  const Known& known() const;
  std::optional<AddressDescription> in_image(Address address) const;
  std::optional<AddressDescription> on_stack(Address address) const;
  std::optional<AddressDescription> in_heap(Address address) const;

  const Debuggee& debuggee_;
  const GoRuntimes& runtimes_;
  const DwarfSource dwarf_;
  mutable std::once_flag once_;
  mutable Known known_;
};

}  // namespace cgo
