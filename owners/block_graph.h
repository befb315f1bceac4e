#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "heap/c_block_table.h"

namespace cgo {

/// What refers to a block of C memory.
enum class HolderKind : std::uint8_t {
  go_global,  ///< A variable of a Go package.
  go_stack,   ///< A frame of a goroutine.
  cleanup,    ///< What a finalizer or cleanup of Go will be run with.
  go_object,  ///< An object of the Go heap that is reached.
  c_global,   ///< Writable data of an image.
  c_stack,
  thread_storage,  ///< Thread-local variables, and what the C library keeps of a thread.
  register_word,
  kernel,  ///< What the program gave to epoll, and gets back with an event.
  c_block,
  mapping,         ///< Memory of the program that no allocator that is known gave out.
  dead_go_object,  ///< One that the next collection frees.
};

/// "go_object", "go_global" …, as in lldb-cgo/heap/1.
std::string_view name_of(HolderKind kind);

/// One word that refers to a block, to its begin or into it.
struct BlockHolder {
  HolderKind kind = HolderKind::mapping;
  /// It is a pointer by its type; else it is a number, or its type is not known.
  bool pointer = false;
  bool inside = false;  ///< Behind the block's begin.
  /// So far behind it that no header of a library's own allocator lies in front of what it means.
  bool far = false;
  std::uint8_t runtime = 0;  ///< Of several Go runtimes, for their words.
  Address at;                ///< Where the word lies; of a register, 0.
  std::uint64_t from = 0;  ///< The number of the Go object or of the block, the id of the goroutine
                           ///< or thread.
};

/// Allocators that libraries put before malloc keep up to so many bytes of their own in a block.
inline constexpr std::uint64_t kMostHeaderBytes = 64;

/// Whether and how a block is held.
enum class BlockVerdict : std::uint8_t {
  held,
  leaked_go_owner_dead,  ///< Only what is to be collected led to it.
  leaked_unreachable,    ///< Nothing leads to it.
  unknown,               ///< It is not reached, but something that could hold it was not seen.
};
std::string_view name_of(BlockVerdict verdict);
inline bool is_leak(BlockVerdict verdict) {
  return verdict == BlockVerdict::leaked_go_owner_dead ||
         verdict == BlockVerdict::leaked_unreachable;
}

/// Who holds each of many blocks. Keeps all words that refer to a block, up to a limit a block.
class BlockGraph {
 public:
  /// A block with more holders than this has those that were found first.
  static constexpr std::uint32_t kMostHolders = 64;

  explicit BlockGraph(const CBlockTable& blocks) : blocks_(&blocks), counts_(blocks.size()) {}

  /// Notes a word of this value where it refers to a block; says where the value leads within it.
  /// False where it refers to none.
  bool note(BlockHolder holder, std::uint64_t value);
  /// Notes a word that refers to `block`.
  void add(std::uint32_t block, const BlockHolder& holder);
  /// Sorts what was added; to be called once, before anything is asked.
  void finish();

  const CBlockTable& blocks() const { return *blocks_; }
  /// Those that were kept, in the order they were added.
  std::span<const BlockHolder> holders(std::uint32_t block) const;
  /// All of them.
  std::uint32_t holder_count(std::uint32_t block) const { return counts_[block]; }

  /// Led to from a root, through other blocks or none.
  bool reached(std::uint32_t block) const { return reach_[block] == Reach::root; }
  /// `everything_seen`: no memory that may refer to blocks is missing.
  BlockVerdict verdict(std::uint32_t block, bool everything_seen) const;
  /// The bytes of the block and of all blocks that only it leads to.
  std::uint64_t retained_bytes(std::uint32_t block) const { return retained_[block]; }
  /// Whether another block retains this one: all ways to it pass that one.
  bool retained(std::uint32_t block) const { return below_another_[block]; }

 private:
  enum class Reach : std::uint8_t { none, dead_owner, doubtful, root };
  struct Noted {
    std::uint32_t block = 0;
    BlockHolder holder;
  };

  void follow();
  void spread(std::vector<std::uint32_t> from, Reach reach);
  void retain();

  const CBlockTable* blocks_;
  std::vector<std::uint32_t> counts_;
  std::vector<Noted> noted_;
  std::vector<BlockHolder> holders_;  // By block.
  std::vector<std::uint32_t> first_;  // Of each block, an index into holders_; one more at the end.
  // Blocks that a block's words refer to, by block.
  std::vector<std::uint32_t> targets_, first_target_;
  std::vector<Reach> reach_;
  std::vector<std::uint64_t> retained_;
  std::vector<bool> below_another_;
};

}  // namespace cgo
