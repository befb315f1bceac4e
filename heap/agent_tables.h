#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "agent/records.h"
#include "target/image.h"
#include "target/mapping.h"
#include "target/memory_reader.h"

namespace cgo {

/// A free of a recorded block.
struct AgentFree {
  std::uint64_t time_ns = 0;    ///< Since 1970.
  std::uint64_t goroutine = 0;  ///< 0: none, or not known.
  std::uint32_t stack = 0;      ///< 0: none.
  std::uint32_t tid = 0;
};

/// A block that the agent in the program recorded.
struct AgentBlock {
  Address address;
  std::uint64_t bytes = 0;    ///< As the program asked for it.
  std::uint64_t time_ns = 0;  ///< Of the allocation, since 1970.
  std::uint64_t goroutine = 0;
  std::uint32_t stack = 0;
  std::uint32_t tid = 0;
  agent::BlockState state = agent::BlockState::empty;
  std::optional<AgentFree> freed;  ///< Of a recent free, or of one that is held back.
};

struct AgentFrame {
  Address pc;
  bool go = false;
  bool exact = false;  ///< Interrupted there by a signal; else a return address.
};

/// One stack over C and Go, innermost first, as it was when something was recorded.
struct AgentStack {
  std::vector<AgentFrame> frames;
  agent::StackEnd end = agent::StackEnd::unknown;
  std::uint32_t module_epoch = 0;
};

/// A file that was loaded while stacks were recorded.
struct AgentModule {
  AddressRange range;
  std::uint32_t first_epoch = 0;
  std::optional<std::uint32_t> last_epoch;  ///< Nothing while it is loaded.
  std::vector<std::byte> build_id;          ///< Empty where it has none.
  std::string path;                         ///< Empty for the main program.
};

struct AgentThread {
  std::uint32_t tid = 0;  ///< The last thread that these are counters of.
  bool alive = false;
  agent::Counters counters{};
};

/// The tables that the agent (agent/records.h) keeps in the program. All of them are the program's
/// memory: each number is checked, and what cannot be read is said. The reader does not outlive
/// `memory`. Blocks are read where they are asked for and not kept.
class AgentTables {
 public:
  /// unsupported for tables of another version; malformed_data for what cannot be the header.
  static Result<AgentTables> open(const MemoryReader& memory, Address header);

  const agent::Header& header() const { return header_; }
  std::string allocator() const;  ///< The file whose malloc serves the program; may be empty.
  /// What was counted, over all threads.
  Result<agent::Counters> totals() const;
  Result<std::vector<AgentThread>> threads() const;
  Result<std::vector<AgentModule>> modules() const;
  /// All memory that the agent has, beside its file's data.
  Result<std::vector<AddressRange>> own_memory() const;
  /// How many different stacks were recorded.
  Result<std::uint64_t> stack_count() const;
  /// Bytes of the tables that hold entries.
  std::uint64_t table_bytes() const;
  /// not_found for 0, malformed_data for what is no stack.
  Result<AgentStack> stack(std::uint32_t id) const;
  /// The file that `pc` of a stack of this epoch was in, by `modules`; null where that is not
  /// known.
  static const AgentModule* module_of(const std::vector<AgentModule>& modules, Address pc,
                                      std::uint32_t epoch);

  /// Visits every record that is in use, live and recently freed, in no order, until `visit` says
  /// false. Of several live ones at one address the latest is true: the others end in this moment.
  /// Fails when some could not be read, with how many; those that could were visited.
  Result<void> for_each_block(const std::function<bool(const AgentBlock&)>& visit) const;

  /// Nanoseconds since 1970 of a stamp, some milliseconds coarse, as the clock was set at the
  /// start.
  std::uint64_t time_of(std::uint64_t stamp) const;

 private:
  AgentTables(const MemoryReader& memory, const agent::Header& header)
      : memory_(&memory), header_(header) {}
  AgentBlock decode(const agent::Block& record) const;

  const MemoryReader* memory_;
  agent::Header header_;
};

/// Where the agent's header is: by its symbol, else, in files that this machine does not have, by
/// its magic. not_found when the program has no agent.
Result<Address> find_agent_header(const MemoryReader& memory, const ImageMap& images);

/// "thread entry" and the like, for people.
std::string_view format_stack_end(agent::StackEnd end);

}  // namespace cgo
