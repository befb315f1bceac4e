#include "crossings/code_bytes.h"

#include <algorithm>

#include "crossings/machine_code.h"

namespace cgo {
namespace {

constexpr std::uint64_t kChunkBytes = 1 << 20, kPageBytes = 4096;
constexpr std::uint64_t kMostCode = 1 << 30;  // More is a damaged table.

}  // namespace

CodeBytes CodeBytes::read(const MemoryReader& memory, AddressRange range) {
  CodeBytes out;
  if (range.end <= range.begin) return out;
  if (range.bytes() > kMostCode) {
    out.missing_ = range.bytes();
    return out;
  }
  std::uint64_t step = kChunkBytes;
  for (Address at = range.begin; at < range.end;) {
    const std::uint64_t wanted = std::min(step, range.end.value - at.value);
    const bool continues =
        !out.pieces_.empty() &&
        out.pieces_.back().begin.value + out.pieces_.back().bytes.size() == at.value;
    if (!continues) out.pieces_.push_back({at, {}});
    auto& bytes = out.pieces_.back().bytes;
    const std::size_t before = bytes.size();
    bytes.resize(before + wanted);
    if (memory.read(at, std::span(bytes).subspan(before))) {
      at = wrapping_add(at, wanted);
      step = kChunkBytes;
      continue;
    }
    bytes.resize(before);
    if (bytes.empty()) out.pieces_.pop_back();
    if (step > kPageBytes) {  // Page by page around what is missing.
      step = kPageBytes;
      continue;
    }
    out.missing_ += wanted;
    at = wrapping_add(at, wanted);
  }
  return out;
}

ByteView CodeBytes::at(AddressRange range) const {
  auto after =
      std::upper_bound(pieces_.begin(), pieces_.end(), range.begin,
                       [](Address wanted, const Piece& piece) { return wanted < piece.begin; });
  if (after == pieces_.begin()) return {};
  const Piece& piece = *--after;
  return slice(piece.bytes, range.begin.value - piece.begin.value, range.bytes())
      .value_or(ByteView());
}

Result<std::vector<std::byte>> read_short_code(const MemoryReader& memory, Address from,
                                               std::uint64_t most) {
  constexpr std::uint64_t kFewest = 16;
  for (std::uint64_t bytes = most;; bytes /= 2) {
    auto code = read_bytes(memory, from, bytes);
    if (code || bytes / 2 < kFewest) return code;
  }
}

Address word_of_plt(const MemoryReader& memory, Address target) {
  constexpr std::uint64_t kEntryBytes = 16;
  const auto code = read_bytes(memory, target, kEntryBytes);
  Address word;
  if (code)
    decode_amd64(*code, target, [&](const Instruction& one) {
      if (one.kind == Instruction::Kind::slot) word = one.target;
      return one.at == target && !word;  // One instruction may stand before: endbr64.
    });
  return word;
}

}  // namespace cgo
