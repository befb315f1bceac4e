#include "goruntime/gc_type_mask.h"

#include <algorithm>
#include <optional>

#include "goruntime/type_descriptor.h"
#include "target/byte_view.h"

namespace cgo {
namespace {

constexpr std::uint64_t kDescriptorBytes = 48, kWordBytes = 8;
/// Of a mask; a type of 1 GB has one this long.
constexpr std::uint64_t kMostMaskBytes = 16u << 20;
constexpr std::uint64_t kMostProgramBytes = 1u << 20;
constexpr unsigned kDeepest = 64;
/// Of the types that one is put together from.
constexpr unsigned kMostParts = 100'000;

constexpr std::uint8_t kMaskOnDemand = 1 << 4;  // Of the flags, since 1.24.
constexpr std::uint8_t kGcProgram = 1 << 6;     // Of the kind, up to 1.23.

Error malformed(const char* what, Address at) {
  return Error{ErrorCode::malformed_data, std::string("pointer mask of a type: ") + what, at};
}

void put_bits(const TypeMask& from, TypeMask& to, std::uint64_t first_word) {
  const std::uint64_t limit = to.pointer_bytes / kWordBytes;
  for (std::uint64_t i = 0; i < from.pointer_bytes / kWordBytes; ++i)
    if (from.pointer(i) && first_word + i < limit)
      to.words[(first_word + i) / 64] |= std::uint64_t{1} << (first_word + i) % 64;
}

/// Runs the bit program of a type. Every instruction writes bits or ends it, so that the number of
/// bits bounds the time. Source: src/cmd/internal/gcprog; src/runtime/mbitmap.go, runGCProg.
class GcProgram {
 public:
  GcProgram(ByteView code, std::uint64_t bits, std::vector<std::uint64_t>& out)
      : code_(code), bits_(bits), out_(out) {}

  bool run() {
    while (written_ < bits_) {
      const auto instruction = byte();
      if (!instruction) return false;
      const std::uint64_t count = *instruction & 0x7f;
      const bool repeat = (*instruction & 0x80) != 0;
      if (!repeat && count == 0) return true;
      if (!(repeat ? copy(count) : literal(count))) return false;
    }
    return true;
  }

 private:
  std::optional<std::uint8_t> byte() {
    const auto value = load<std::uint8_t>(code_, at_);
    if (value) ++at_;
    return value;
  }
  std::optional<std::uint64_t> varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 42; shift += 7) {
      const auto part = byte();
      if (!part) return std::nullopt;
      value |= std::uint64_t{*part & 0x7fu} << shift;
      if ((*part & 0x80) == 0) return value;
    }
    return std::nullopt;
  }
  void put(bool bit) {
    if (written_ < bits_ && bit) out_[written_ / 64] |= std::uint64_t{1} << written_ % 64;
    ++written_;
  }
  bool literal(std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; i += 8) {
      const auto value = byte();
      if (!value) return false;
      for (std::uint64_t bit = 0; bit < 8 && i + bit < count; ++bit) put(*value >> bit & 1);
    }
    return true;
  }
  bool copy(std::uint64_t distance) {
    if (distance == 0) {
      const auto wide = varint();
      if (!wide) return false;
      distance = *wide;
    }
    const auto times = varint();
    if (!times || distance == 0 || distance > written_) return false;
    const std::uint64_t end = *times > bits_ / distance ? bits_ : written_ + distance * *times;
    while (written_ < std::min(end, bits_)) {
      const std::uint64_t from = written_ - distance;
      put(out_[from / 64] >> from % 64 & 1);
    }
    return true;
  }

  ByteView code_;
  std::uint64_t bits_;
  std::vector<std::uint64_t>& out_;
  std::uint64_t at_ = 0, written_ = 0;
};

/// A program's length is not written down everywhere: as much as can be read, up to a limit.
std::vector<std::byte> program_at(const MemoryReader& memory, Address at) {
  std::vector<std::byte> code;
  for (std::uint64_t piece = 256; code.size() < kMostProgramBytes; piece = 4096) {
    const Address from = wrapping_add(at, code.size());
    piece = std::min(piece, 4096 - from.value % 4096);
    auto bytes = read_bytes(memory, from, piece);
    if (!bytes) break;
    code.insert(code.end(), bytes->begin(), bytes->end());
    if (code.size() >= 64 * 1024) break;
  }
  return code;
}

}  // namespace

Result<TypeMask> TypeMasks::read(Address data, std::uint64_t pointer_bytes, bool is_program) const {
  const std::uint64_t bits = pointer_bytes / kWordBytes;
  if (bits / 8 > kMostMaskBytes) return malformed("absurdly long", data);
  TypeMask out{.bytes = pointer_bytes, .pointer_bytes = bits * kWordBytes, .words = {}};
  if (!is_program) {
    auto bytes = read_bytes(memory_, data, (bits + 7) / 8);
    if (!bytes) return std::move(bytes).error().in("pointer mask of a type");
    out.words.resize((bits + 63) / 64);
    std::copy(bytes->begin(), bytes->end(), std::as_writable_bytes(std::span(out.words)).begin());
    return out;
  }
  out.words.resize((bits + 63) / 64);
  // Four bytes in front say how long the program is, which nothing needs.
  const auto code = program_at(memory_, wrapping_add(data, 4));
  if (!GcProgram(code, bits, out.words).run()) return malformed("its program makes no sense", data);
  return out;
}

Result<const TypeMask*> TypeMasks::at(Address type, std::uint64_t most_bytes) {
  const auto found = known_.find(type);
  if (found != known_.end()) {
    if (found->second->pointer_bytes > most_bytes)
      return malformed("larger than what it was found at", type);
    return found->second.get();
  }
  parts_left_ = kMostParts;
  auto mask = make(type, most_bytes, 0);
  if (!mask) return std::move(mask).error();
  return known_.emplace(type, std::make_unique<const TypeMask>(*std::move(mask)))
      .first->second.get();
}

Result<TypeMask> TypeMasks::make(Address type, std::uint64_t most_bytes, unsigned depth) {
  if (!type || type.value % kWordBytes != 0) return malformed("not at such an address", type);
  if (parts_left_ == 0) return malformed("types within types without an end", type);
  --parts_left_;
  auto head = read_bytes(memory_, type, kDescriptorBytes);
  if (!head) return std::move(head).error().in("type");
  const std::uint64_t bytes = *load<std::uint64_t>(*head, 0),
                      pointer_bytes = *load<std::uint64_t>(*head, 8);
  const auto flags = *load<std::uint8_t>(*head, 20), kind = *load<std::uint8_t>(*head, 23);
  const Address data{*load<std::uint64_t>(*head, 32)};
  if (pointer_bytes > bytes || pointer_bytes % kWordBytes != 0 || pointer_bytes > most_bytes ||
      (pointer_bytes != 0 && bytes % kWordBytes != 0))
    return malformed("its sizes contradict each other", type);
  TypeMask out{.bytes = bytes, .pointer_bytes = pointer_bytes, .words = {}};
  if (pointer_bytes == 0) return out;
  if (version_.minor < 24 || (flags & kMaskOnDemand) == 0) {
    auto mask = read(data, pointer_bytes, version_.minor < 24 && (kind & kGcProgram) != 0);
    if (mask) mask->bytes = bytes;
    return mask;
  }
  auto made = read_pointer(memory_, data);
  if (!made) return std::move(made).error().in("pointer mask of a type");
  if (*made) {
    auto mask = read(*made, pointer_bytes, false);
    if (mask) mask->bytes = bytes;
    // While the runtime makes one, the pointer leads to a byte of its own.
    if (mask && (mask->words.back() >> (pointer_bytes / kWordBytes - 1) % 64 & 1) != 0) return mask;
  }
  if (pointer_bytes / 64 > kMostMaskBytes) return malformed("absurdly long", type);
  out.words.resize((pointer_bytes / kWordBytes + 63) / 64);
  auto done = put_parts_together(type, out, depth);
  if (!done) return std::move(done).error();
  return out;
}

Result<void> TypeMasks::put_parts_together(Address type, TypeMask& mask, unsigned depth) {
  if (depth > kDeepest) return malformed("types within types without an end", type);
  auto head = decode_type_descriptor(memory_, type);
  if (!head) return std::move(head).error();
  auto parts = decode_type_details(memory_, version_, {}, *head);
  if (!parts) return std::move(parts).error();
  if (head->kind == GoKind::array) {
    auto element = make(parts->element, mask.pointer_bytes, depth + 1);
    if (!element) return std::move(element).error();
    if (element->pointer_bytes == 0) return malformed("an array of no pointers", type);
    for (std::uint64_t at = 0; at < mask.pointer_bytes; at += element->bytes)
      put_bits(*element, mask, at / kWordBytes);
    return {};
  }
  if (head->kind != GoKind::structure) return malformed("neither an array nor a structure", type);
  for (const DescribedField& field : parts->fields) {
    if (field.offset >= mask.pointer_bytes) continue;
    auto part = make(field.type, mask.pointer_bytes, depth + 1);
    // The last fields of a type may hold no pointers and reach over its last one.
    if (!part) return std::move(part).error();
    put_bits(*part, mask, field.offset / kWordBytes);
  }
  return {};
}

}  // namespace cgo
