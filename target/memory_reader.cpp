#include "target/memory_reader.h"

#include <algorithm>

namespace cgo {

Error unreadable(Address from, std::size_t bytes, Address bad) {
  std::string message = "cannot read " + std::to_string(bytes) + " bytes at " + hex(from);
  if (bad != from) message += " (first missing byte: " + hex(bad) + ")";
  return Error{ErrorCode::unreadable_memory, std::move(message), bad};
}

Result<Address> read_pointer(const MemoryReader& memory, Address at) {
  auto word = read_unsigned<std::uint64_t>(memory, at);
  if (!word) return std::move(word).error();
  return Address{*word};
}

Result<std::vector<std::byte>> read_bytes(const MemoryReader& memory, Address from,
                                          std::uint64_t bytes, std::uint64_t limit) {
  if (bytes > limit)
    return Error{ErrorCode::limit_reached,
                 "refusing to read " + std::to_string(bytes) + " bytes at " + hex(from), from};
  std::vector<std::byte> out(bytes);
  auto done = memory.read(from, out);
  if (!done) return std::move(done).error();
  return out;
}

std::uint64_t read_present(const MemoryReader& memory, Address from, std::span<std::byte> out) {
  constexpr std::uint64_t kPage = 4096;
  if (out.empty() || memory.read(from, out)) return 0;
  std::uint64_t missing = 0;
  for (std::uint64_t at = 0; at < out.size();) {
    const Address here = wrapping_add(from, at);
    const auto piece =
        out.subspan(at, std::min<std::uint64_t>(out.size() - at, kPage - here.value % kPage));
    if (!memory.read(here, piece)) {
      std::fill(piece.begin(), piece.end(), std::byte{});
      missing += piece.size();
    }
    at += piece.size();
  }
  return missing;
}

Result<std::string> read_c_string(const MemoryReader& memory, Address from, std::size_t limit) {
  constexpr std::size_t kChunk = 64;
  std::string text;
  while (text.size() < limit) {
    const auto at = checked_add(from, text.size());
    if (!at) return Error{ErrorCode::malformed_data, "string wraps the address space", from};
    char chunk[kChunk];
    // Up to the next multiple of the chunk, so that a string that ends before a hole is readable.
    std::size_t want = std::min(kChunk - at->value % kChunk, limit - text.size());
    auto done = memory.read(*at, std::as_writable_bytes(std::span(chunk, want)));
    if (!done) return std::move(done).error();
    const char* const end = std::find(chunk, chunk + want, '\0');
    text.append(std::string_view(chunk, end));
    if (end != chunk + want) return text;
  }
  return Error{ErrorCode::malformed_data,
               "no end of string within " + std::to_string(limit) + " bytes of " + hex(from), from};
}

void MemoryReader::read_each(std::span<MemoryPiece> pieces) const {
  for (MemoryPiece& piece : pieces)
    if (!piece.read) piece.read = read(piece.from, piece.out).has_value();
}

void SplicedReader::read_each(std::span<MemoryPiece> pieces) const {
  for (const auto& source : sources_) source->read_each(pieces);
  // Those that begin in one source and end in another.
  MemoryReader::read_each(pieces);
}

Result<void> SplicedReader::read(Address from, std::span<std::byte> out) const {
  const std::size_t whole = out.size();
  Address at = from;
  while (!out.empty()) {
    std::optional<Address> furthest;
    bool progressed = false;
    for (const auto& source : sources_) {
      auto done = source->read(at, out);
      if (done) return {};
      const Address bad = done.error().address.value_or(at);
      if (bad > at && bad.value - at.value < out.size()) {
        // This source has the first part; keep it and ask all of them for the rest.
        const std::size_t have = bad.value - at.value;
        auto part = source->read(at, out.first(have));
        if (!part) continue;
        out = out.subspan(have);
        at = bad;
        progressed = true;
        break;
      }
      if (!furthest || bad > *furthest) furthest = bad;
    }
    if (!progressed) return unreadable(from, whole, furthest.value_or(at));
  }
  return {};
}

}  // namespace cgo
