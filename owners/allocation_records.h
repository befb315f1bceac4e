#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "goruntime/go_runtime.h"
#include "heap/agent_tables.h"
#include "unwind/symbolizer.h"

namespace cgo {

/// What the agent in the program recorded of its allocations, at one stop. What it is made from
/// must outlive it.
class AllocationRecords {
 public:
  struct Sources {
    const MemoryReader& memory;
    const ImageMap& images;
    const GoRuntimes& runtimes;
    const Symbolizer& symbolizer;
    const ArchInfo& arch;
  };
  /// not_found where the program has no agent; else what keeps its tables from being read.
  static Result<std::unique_ptr<AllocationRecords>> read(const Sources& sources);

  /// Live blocks, by address, one each; sizes as asked for.
  std::span<const AgentBlock> live() const { return live_; }
  /// Blocks that the program freed lately, by address; several of one address, the last one first.
  std::span<const AgentBlock> freed() const { return freed_; }
  /// The record of the live block that begins at `address`; null where there is none.
  const AgentBlock* record_of(Address address) const;
  /// The last free of a block that began at `address`, while no live record has that address.
  const AgentBlock* last_free_of(Address address) const;

  /// Whether every allocation since the start of the program was recorded, as far as is known.
  bool exact() const { return exact_; }
  /// The file whose malloc serves the program.
  const std::string& allocator() const { return allocator_; }
  /// Memory of the agent, which holds nothing of the program's.
  std::span<const AddressRange> own_memory() const { return own_memory_; }
  /// What is missing from the records, a sentence each.
  std::span<const std::string> notes() const { return notes_; }

  /// The stack of an allocation or free, innermost first, without the agent's own frames; the end
  /// says why it is not longer. The texts live as long as the symbolizer.
  Result<Stack> stack(std::uint32_t id) const;

 private:
  AllocationRecords(const Sources& sources, AgentTables tables)
      : sources_(sources), tables_(std::move(tables)) {}
  void read_blocks();
  void tell_what_is_missing();

  Sources sources_;
  AgentTables tables_;
  std::vector<AgentModule> modules_;
  std::vector<AgentBlock> live_, freed_;
  std::vector<AddressRange> own_memory_;
  std::vector<std::string> notes_;
  std::string allocator_;
  bool exact_ = false;
};

/// The first frame of the program's own Go code in a stack of an allocation, else of its own C
/// code: where people look first. Null where there is none.
const Frame* site_of(const Stack& stack);
/// "main.open at main.go:17"; "?" where there is none.
std::string site_text(const Stack& stack);

}  // namespace cgo
