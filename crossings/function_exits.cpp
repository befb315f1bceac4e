#include "crossings/function_exits.h"

#include <algorithm>

#include "crossings/code_bytes.h"
#include "crossings/machine_code.h"

namespace cgo {
namespace {

constexpr std::uint64_t kMostStubBytes = 4096;

/// What the code of one function may be; `known` when a symbol says where it ends.
struct Extent {
  std::vector<std::byte> code;
  bool known = false;
};

Result<Extent> extent_of(const MemoryReader& memory, const ImageMap& images, Address entry) {
  const ElfSymbol* symbol = images.symbol_beginning_at(entry);
  const bool known = symbol != nullptr && symbol->bytes != 0;
  auto code = known ? read_bytes(memory, entry, symbol->bytes, kMostStubBytes)
                    : read_short_code(memory, entry, kMostStubBytes);
  if (!code) return std::move(code).error();
  return Extent{*std::move(code), known};
}

}  // namespace

Result<FunctionExits> exits_of(const MemoryReader& memory, const ImageMap& images, Address entry) {
  const auto extent = extent_of(memory, images, entry);
  if (!extent) return extent.error();
  const AddressRange possible{entry, wrapping_add(entry, extent->code.size())};
  FunctionExits out;
  Address furthest = entry;
  bool ended = extent->known;
  const bool decoded = decode_amd64(extent->code, entry, [&](const Instruction& one) {
    if (one.returns) out.returns.push_back(one.at);
    const bool jumps = !one.returns && !one.falls_through;
    const bool inside =
        one.kind == Instruction::Kind::jump && possible.contains(one.target) &&
        // Where no symbol says so, a jump that nothing is behind may be a tail call, however near.
        (extent->known || one.falls_through || one.at < furthest || one.target <= one.at);
    if (inside) furthest = std::max(furthest, one.target);
    if (jumps && !inside) out.tail_jumps.push_back(one.at);
    if (extent->known || one.falls_through || one.at < furthest) return true;
    ended = true;
    return false;
  });
  if (!decoded || !ended)
    return Error{ErrorCode::malformed_data, "the code at " + hex(entry) + " has no end", entry};
  return out;
}

std::vector<Address> returns_from_c(const MemoryReader& memory, const GoRuntime& runtime) {
  const auto function = runtime.function_named("runtime.asmcgocall");
  if (!function) return {};
  const AddressRange range{function->entry, function->end};
  const auto code = read_bytes(memory, range.begin, range.bytes(), kMostStubBytes);
  std::vector<Address> out;
  if (!code) return out;
  decode_amd64(*code, range.begin, [&](const Instruction& one) {
    if (!one.calls) return true;
    const bool direct = one.kind == Instruction::Kind::call;
    const auto called = direct ? runtime.function_at(one.target) : std::nullopt;
    if (!direct || (called && called->name.find("landingpad") != called->name.npos))
      out.push_back(one.end());
    return true;
  });
  return out;
}

}  // namespace cgo
