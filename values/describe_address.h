#pragma once

#include <mutex>
#include <optional>
#include <vector>

#include "goruntime/go_runtime.h"
#include "goruntime/heap_spans.h"
#include "target/debuggee.h"
#include "values/c_memory.h"
#include "values/go_stacks.h"
#include "values/value_context.h"

namespace cgo {

/// Tells what addresses of one stop are: code, variables, goroutines' stacks, objects of the Go
/// heap, and what they are to C. Keeps what it found out. Thread-safe; what it is made of must
/// outlive it.
class StopAddresses final : public AddressDescriber {
 public:
  StopAddresses(const Debuggee& debuggee, const GoRuntimes& runtimes, DwarfSource dwarf)
      : debuggee_(debuggee), runtimes_(runtimes), dwarf_(std::move(dwarf)), c_(debuggee) {}

  AddressDescription describe(Address address) const override;
  std::optional<AddressDescription> freed_at(Address address) const override;

 private:
  struct Heaps {
    std::vector<HeapSpans> known;  // Of each runtime whose layout is known.
    bool all = true;               // Of none it is unknown.
  };

  const Heaps& heaps() const;
  const GoStacks& stacks() const;
  std::optional<AddressDescription> in_image(Address address) const;
  std::optional<AddressDescription> in_go(Address address) const;
  std::optional<AddressDescription> in_go_heap(const HeapSpans& heap, Address address) const;
  std::string type_note(const HeapSpan& span, AddressRange object) const;
  std::optional<AddressDescription> end_of_stack(Address address) const;
  std::optional<AddressDescription> in_stack_span(const HeapSpan& span, Address address) const;
  std::optional<AddressDescription> in_c(Address address) const;
  std::optional<AddressDescription> on_machine_stack(Address address) const;
  AddressDescription in_mapping(Address address) const;

  const Debuggee& debuggee_;
  const GoRuntimes& runtimes_;
  const DwarfSource dwarf_;
  mutable std::once_flag heaps_once_, stacks_once_;
  mutable Heaps heaps_;
  mutable std::optional<GoStacks> stacks_;
  mutable std::mutex c_mutex_;
  mutable CMemory c_;
};

}  // namespace cgo
