#include "crossings/call_sites.h"

#include <algorithm>

#include "crossings/machine_code.h"

namespace cgo {
namespace {

// call rel32
constexpr std::byte kCall{0xe8};
constexpr std::size_t kCallBytes = 5;

/// Places that look like calls to one of `targets` (sorted), whatever they are.
std::vector<DirectCall> candidates(const CodeBytes::Piece& piece,
                                   const std::vector<Address>& targets) {
  std::vector<DirectCall> out;
  const ByteView code = piece.bytes;
  for (std::size_t i = 0; i + kCallBytes <= code.size(); ++i) {
    if (code[i] != kCall) continue;
    const auto displacement =
        static_cast<std::uint64_t>(std::int64_t{*load<std::int32_t>(code, i + 1)});
    const Address at = wrapping_add(piece.begin, i);
    const Address target = wrapping_add(at, kCallBytes + displacement);
    if (target < targets.front() || targets.back() < target) continue;
    if (std::binary_search(targets.begin(), targets.end(), target)) out.push_back({at, target, {}});
  }
  return out;
}

}  // namespace

std::vector<DirectCall> direct_calls(const GoModule& module, const CodeBytes& code,
                                     std::vector<Address> targets) {
  std::vector<DirectCall> out;
  if (targets.empty()) return out;
  std::sort(targets.begin(), targets.end());
  for (const CodeBytes::Piece& piece : code.pieces()) {
    std::optional<GoFunction> function;
    Address known;  // Of the function: where an instruction begins.
    for (DirectCall& call : candidates(piece, targets)) {
      if (!function || call.at >= function->end) {
        function = module.function_at(call.at);
        if (function) known = function->entry;
      }
      if (!function) continue;
      const ByteView body = code.at({known, function->end});
      if (!begins_instruction_amd64(body, known, call.at)) continue;
      known = call.at;
      call.function = *function;
      out.push_back(call);
    }
  }
  return out;
}

}  // namespace cgo
