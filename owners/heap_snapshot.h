#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "owners/allocation_records.h"
#include "owners/block_graph.h"
#include "owners/c_words.h"
#include "owners/code_types.h"
#include "owners/go_holders.h"
#include "owners/hazard_words.h"
#include "owners/typed_path.h"
#include "values/c_memory.h"

namespace cgo {

/// Every block of C memory at one stop, and who holds it: the C library's heaps, the Go heaps, and
/// all other memory that can hold a pointer. Made once for a stop; what it is made from must
/// outlive it. For one thread.
class HeapSnapshot {
 public:
  struct Sources {
    const Debuggee& debuggee;
    const GoRuntimes& runtimes;
    const Unwinder& unwinder;
    const ImageMap& images;
    DwarfSource dwarf;
    const Symbolizer& symbolizer;
    unsigned threads = 1;  ///< That may read memory at once.
  };
  /// What tells which Go objects are alive.
  enum class Alive : std::uint8_t {
    traced,
    marked,  ///< The marks of the collection that ends, of the one runtime that collects: at the
             ///< entry of its runtime.gcSweep alone. No ways are known then, and few types. Takes a
             ///< fraction of the time.
  };
  struct Options {
    Alive alive = Alive::traced;
    bool hazards = false;  ///< Also notes what hazards() has.
    Address collecting;    ///< Code of the runtime that collects, for Alive::marked.
  };
  static std::unique_ptr<HeapSnapshot> take(const Sources& sources, Options options);
  static std::unique_ptr<HeapSnapshot> take(const Sources& sources) { return take(sources, {}); }

  const CBlockTable& blocks() const { return blocks_; }
  const BlockGraph& graph() const { return *graph_; }
  BlockVerdict verdict(std::uint32_t block) const {
    return uncertain_[block] ? BlockVerdict::unknown : graph_->verdict(block, gaps_.empty());
  }
  /// Whether a block is in use is not known: a list that would tell is damaged.
  bool uncertain(std::uint32_t block) const { return uncertain_[block]; }
  /// Empty unless they were asked for.
  const HazardWords& hazards() const { return hazards_; }
  /// What was not seen, a sentence each: nothing that is not held is a leak then.
  std::span<const std::string> gaps() const { return gaps_; }
  std::uint64_t freed_blocks() const { return freed_blocks_; }
  std::uint64_t freed_bytes() const { return freed_bytes_; }
  /// What the agent in the program recorded; null without one.
  const AllocationRecords* records() const { return records_.get(); }
  /// The record of a block's allocation; null where there is none.
  const AgentBlock* record_of(std::uint32_t block) const {
    return records_ ? records_->record_of(blocks_[block].begin) : nullptr;
  }

  /// The Go words of a holder by their types; of other kinds of holders nothing.
  TypedWord typed(const BlockHolder& holder);
  /// The same; of words of Go objects without the path: for very many of them.
  TypedWord typed_place(const BlockHolder& holder);
  /// What a small object is that is dead and has no type any more, by the code of the functions
  /// that allocated the block it holds; nothing where that does not say it.
  std::optional<CodeTypes::Found> type_by_code(std::uint32_t block, const BlockHolder& holder);
  /// "sqlite3Config in libsqlite3.so.0", "data of libc.so.6": what has a word of an image.
  std::string symbol_text(Address at) const;
  /// What kind of place a holder is, for counting those of one kind together.
  std::string place_text(const BlockHolder& holder) const;
  /// What holds the object of Go that has `address`; nothing where none has it.
  struct GoHolder {
    AddressRange element;
    bool reached = false;
    TypedWord word;  ///< The address in the object.
  };
  std::optional<GoHolder> go_object_at(Address address);
  /// What the two sides know of an object that a word leads to which is no pointer for Go.
  struct ObjectState {
    AddressRange element;
    bool reached = false;
    bool pinned = false;    ///< By a runtime.Pinner, or by an open call of C that was given it.
    bool internal = false;  ///< The runtime's own: it is never collected, or freed by itself.
  };
  ObjectState state_of(const HazardWords::OfObject& word);
  /// The element of a Go object that holds a block.
  AddressRange element(const BlockHolder& holder) const;

 private:
  /// One Go runtime.
  struct GoSide {
    GoMemory memory;
    std::unique_ptr<Reachability> reach;
    std::unique_ptr<ProgramContext> types;
    std::unique_ptr<TypedPaths> paths;
    std::unique_ptr<CodeTypes> code_types;
    /// Variables of packages, and for state_of(), once it was asked.
    std::vector<AddressRange> globals;
    std::optional<std::unordered_set<std::uint64_t>> pinned, internal;
    std::unordered_set<std::uint64_t> given = {};
  };

  HeapSnapshot(const Sources& sources, Options options)
      : sources_(sources), options_(options), c_(sources.debuggee) {}
  void read_go();
  void read_records();
  void count_blocks();
  void add_blocks();
  void add_c_words();
  bool is_number_of_runtime(const CWord& word) const;
  CBlockTable freed_table(std::vector<CBlockTable::Block> of_malloc);
  void note_go_object(const BlockHolder& holder, std::uint64_t value);
  void gap(std::string text) { gaps_.push_back(std::move(text)); }

  Sources sources_;
  Options options_;
  CMemory c_;
  std::vector<std::unique_ptr<GoSide>> go_;
  std::vector<AddressRange> elsewhere_;  // Heaps of both sides.
  std::vector<AddressRange> c_ranges_;   // Those of malloc.
  CBlockTable blocks_;
  std::vector<bool> uncertain_;
  std::unique_ptr<BlockGraph> graph_;
  HazardWords hazards_;
  std::unordered_set<Address> go_places_;
  std::vector<std::string> gaps_;
  std::uint64_t freed_blocks_ = 0, freed_bytes_ = 0;
  std::unique_ptr<AllocationRecords> records_;
};

}  // namespace cgo
