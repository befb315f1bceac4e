#pragma once

#include <bitset>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "heap/arena.h"
#include "heap/glibc_layout.h"
#include "target/memory_reader.h"

namespace cgo {

/// Chunks that were freed and still look in use: malloc keeps them in lists of its threads and
/// arenas. What the lists cannot tell, they say.
class FreeLists {
 public:
  enum class Place : std::uint8_t { thread_cache, fast_bin };
  enum class Answer : std::uint8_t { in_use, freed, unknown };

  struct Sources {
    const MemoryReader* memory = nullptr;
    GlibcLayout layout;
    std::span<const Arena> arenas;
    std::span<const Address> thread_pointers;
    bool every_thread = false;  ///< `thread_pointers` are those of all threads.
    /// Whether malloc can have given out what lies at an address.
    std::function<bool(Address)> in_heap;
  };

  /// Follows all lists, as far as their entries can be chunks.
  explicit FreeLists(const Sources& sources);

  /// What became of a chunk of this size whose header says that it is in use.
  Answer state_of(const MemoryReader& memory, Address chunk, std::uint64_t bytes) const;
  /// Whether the chunk is one of those that keep a thread's lists.
  bool is_thread_cache(Address chunk) const;
  /// Why state_of can be unknown; empty where it cannot.
  const std::string& gap() const { return gap_; }

 private:
  static constexpr std::size_t kSizes = 0x410 / 16 + 1;  // Of chunks that the lists can have.

  void read_fast_bins(const Sources& sources);
  void find_thread_caches(const Sources& sources);
  void read_thread_cache(const Sources& sources, Address cache);
  /// Adds the list whose first block or chunk is `first`; false where it is damaged.
  struct List {
    Address first;           // 0 for an empty one.
    std::uint64_t link = 0;  // From a chunk to its link.
    std::uint64_t chunk_bytes = 0;
    std::uint64_t most = 0;
    Place place = Place::fast_bin;
  };
  bool follow(const Sources& sources, const List& list);
  /// What is freed of chunks of these sizes is not known whole.
  void missed(std::uint64_t smallest, std::uint64_t largest, std::string why);
  std::string damaged(std::string list) const;

  std::unordered_map<Address, Place> freed_;
  std::vector<Address> caches_;
  std::optional<std::uint64_t> key_;
  std::bitset<kSizes> unknown_;  // By size / 16.
  std::string gap_;
};

}  // namespace cgo
