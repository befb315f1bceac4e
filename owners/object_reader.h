#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "goruntime/gc_pointers.h"
#include "owners/go_memory.h"

namespace cgo {

/// The words of heap objects. Reads spans whole and keeps those it read last, within an eighth of
/// the heap's size and 64 MB. For one thread.
class ObjectReader {
 public:
  explicit ObjectReader(const GoMemory& go);
  ~ObjectReader();
  ObjectReader(const ObjectReader&) = delete;
  ObjectReader& operator=(const ObjectReader&) = delete;

  /// Calls visit(offset in the element, value) for each word of an allocated object that the
  /// garbage collector takes for a pointer and that is not 0. Fails when which ones these are
  /// cannot be told; words that cannot be read count as missing.
  template <class Visit>
  Result<void> each_pointer(const GcSpan& span, std::uint64_t index, Visit&& visit) {
    for (std::uint64_t from = 0; from < span.element_bytes; from += kPieceBytes) {
      auto more = load_pointers(span, index, from);
      if (!more) return std::move(more).error();
      for (const std::uint64_t offset : offsets_)
        if (const std::uint64_t value = word(offset - from)) visit(offset, value);
      if (!*more) break;
    }
    return {};
  }
  /// The same for all words, also those that are not pointers for the collector.
  template <class Visit>
  void each_word(const GcSpan& span, std::uint64_t index, Visit&& visit) {
    for (std::uint64_t from = 0; from < span.element_bytes; from += kPieceBytes) {
      const std::uint64_t bytes = load_piece(span, index, from);
      for (std::uint64_t offset = 0; offset < bytes; offset += 8)
        if (const std::uint64_t value = word(offset)) visit(from + offset, value);
    }
  }

  GcPointers& pointers() { return pointers_; }
  /// Of objects that were asked for: what memory does not have.
  std::uint64_t missing_bytes() const { return missing_bytes_; }

 private:
  static constexpr std::uint64_t kPieceBytes = 1u << 20;

  /// Gives the decoders of pointer maps what was read already.
  class Window final : public MemoryReader {
   public:
    explicit Window(const MemoryReader& memory) : memory_(memory) {}
    Result<void> read(Address from, std::span<std::byte> out) const override;
    void show(AddressRange range, std::span<const std::byte> bytes) {
      range_ = range;
      bytes_ = bytes;
    }

   private:
    const MemoryReader& memory_;
    AddressRange range_;
    std::span<const std::byte> bytes_;
  };
  struct Slot {
    Address span;
    std::vector<std::byte> bytes;
  };

  std::uint64_t word(std::uint64_t offset) const {
    std::uint64_t value;
    std::memcpy(&value, piece_.data() + offset, sizeof value);
    return value;
  }
  /// Makes piece_ the bytes of the element from `from` on; returns how many these are.
  std::uint64_t load_piece(const GcSpan& span, std::uint64_t index, std::uint64_t from);
  Result<bool> load_pointers(const GcSpan& span, std::uint64_t index, std::uint64_t from);

  const MemoryReader& memory_;
  Window window_;
  GcPointers pointers_;
  std::vector<Slot> slots_;
  std::vector<std::byte> large_;
  std::span<const std::byte> piece_;
  std::vector<std::uint64_t> offsets_;
  std::uint64_t missing_bytes_ = 0;
};

}  // namespace cgo
