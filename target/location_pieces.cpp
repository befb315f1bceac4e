#include <algorithm>
#include <cstring>

#include "target/arch.h"
#include "target/variables.h"

namespace cgo {
namespace {

/// Puts pieces behind one another, bit by bit where a piece has odd ones.
class Assembler {
 public:
  Assembler(std::uint64_t bytes, const ExpressionContext& context) : context_(context) {
    out_.bytes.resize(bytes);
  }

  void add(const LocationPiece& piece) {
    const std::uint64_t total = out_.bytes.size() * 8;
    std::uint64_t bits = total - at_;
    if (piece.bit_size != 0)
      bits = std::min<std::uint64_t>(bits, piece.bit_size);
    else if (piece.bytes != 0 && piece.bytes < bits / 8)
      bits = piece.bytes * 8;
    if (bits == 0) return;
    const std::uint64_t from = piece.bit_offset;
    auto source = read(piece, (from + bits + 7) / 8);
    if (source)
      copy(*source, from, bits);
    else
      hole(bits, std::move(source).error());
    at_ += bits;
  }

  ValueBytes finish() {
    const std::uint64_t total = out_.bytes.size() * 8;
    if (at_ < total)
      hole(total - at_, {ErrorCode::not_found, "debug information says nothing of this part"});
    return std::move(out_);
  }

 private:
  Result<std::vector<std::byte>> read(const LocationPiece& piece, std::uint64_t bytes) {
    std::vector<std::byte> found;
    switch (piece.kind) {
      case LocationPiece::Kind::memory: {
        if (!context_.memory) return Error{ErrorCode::not_found, "there is no memory to read"};
        return read_bytes(*context_.memory, piece.address, bytes);
      }
      case LocationPiece::Kind::reg: {
        auto value = register_bytes(piece.reg);
        if (!value) return value;
        found = *std::move(value);
        break;
      }
      case LocationPiece::Kind::value:
        found = piece.value;
        break;
      case LocationPiece::Kind::absent:
        return Error{ErrorCode::not_found, piece.why.empty() ? "optimized out" : piece.why};
    }
    if (found.size() < bytes)
      return Error{ErrorCode::not_found, "only " + std::to_string(found.size()) + " of " +
                                             std::to_string(bytes) + " bytes are known"};
    found.resize(bytes);
    return found;
  }

  Result<std::vector<std::byte>> register_bytes(unsigned reg) const {
    if (!context_.registers) return Error{ErrorCode::not_found, "there are no registers here"};
    const auto value = context_.registers->get(reg);
    if (!value)
      return Error{ErrorCode::not_found, "register " +
                                             register_name(context_.registers->arch(), reg) +
                                             " of this frame is not known"};
    std::vector<std::byte> bytes(sizeof *value);
    std::memcpy(bytes.data(), &*value, sizeof *value);
    return bytes;
  }

  void copy(const std::vector<std::byte>& source, std::uint64_t from, std::uint64_t bits) {
    if (from % 8 == 0 && at_ % 8 == 0 && bits % 8 == 0) {
      std::memcpy(out_.bytes.data() + at_ / 8, source.data() + from / 8, bits / 8);
      return;
    }
    for (std::uint64_t i = 0; i < bits; ++i) {
      const std::uint64_t a = from + i, b = at_ + i;
      if ((std::to_integer<unsigned>(source[a / 8]) >> (a % 8) & 1) != 0)
        out_.bytes[b / 8] |= std::byte{1} << (b % 8);
    }
  }

  void hole(std::uint64_t bits, Error why) {
    const std::uint64_t first = at_ / 8, last = (at_ + bits + 7) / 8;
    out_.holes.push_back({first, last - first, std::move(why), static_cast<unsigned>(at_ % 8),
                          static_cast<unsigned>(last * 8 - (at_ + bits))});
  }

  const ExpressionContext& context_;
  ValueBytes out_;
  std::uint64_t at_ = 0;  // In bits.
};

}  // namespace

Result<ValueBytes> read_pieces(std::span<const LocationPiece> pieces, std::uint64_t bytes,
                               const ExpressionContext& context, std::uint64_t limit) {
  if (bytes > limit)
    return Error{ErrorCode::limit_reached, "a value of " + std::to_string(bytes) + " bytes"};
  Assembler assembler(bytes, context);
  for (const LocationPiece& piece : pieces) assembler.add(piece);
  ValueBytes out = assembler.finish();
  if (pieces.size() == 1 && pieces[0].kind == LocationPiece::Kind::memory &&
      pieces[0].bit_size == 0)
    out.address = pieces[0].address;
  return out;
}

std::string register_name(const ArchInfo& arch, unsigned reg) {
  if (reg < arch.register_names.size() && !arch.register_names[reg].empty())
    return std::string(arch.register_names[reg]);
  // Source: System V ABI, AMD64 supplement, figure 3.36.
  constexpr unsigned kFirstXmm = 17, kXmms = 16;
  if (arch.name == "amd64" && reg >= kFirstXmm && reg < kFirstXmm + kXmms)
    return "xmm" + std::to_string(reg - kFirstXmm);
  return "number " + std::to_string(reg);
}

}  // namespace cgo
