#include "owners/c_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "target/address_ranges.h"

namespace cgo {
namespace {

/// Of memory that is not known to be anybody's, as programs reserve more than they ever use.
constexpr std::uint64_t kMostMappedBytes = 8ull << 30;
constexpr std::uint64_t kPieceBytes = 1u << 18;
/// What code that calls nothing may use below the stack pointer. Source: System V ABI for amd64.
constexpr std::uint64_t kRedZone = 128;

struct Piece {
  AddressRange range;
  HolderKind kind = HolderKind::mapping;
  std::uint64_t thread = 0;
  bool looked_at = true;
};

Address first_used(const Debuggee& debuggee, std::uint64_t tid, AddressRange stack) {
  const auto registers = debuggee.registers(tid);
  // On another stack now, perhaps a handler's: all of it may be in use.
  if (!registers || !stack.contains(registers->sp())) return stack.begin;
  return std::max(stack.begin, Address{(registers->sp().value - kRedZone) & ~std::uint64_t{7}});
}

void add_stack(const Debuggee& debuggee, std::uint64_t tid, AddressRange stack,
               std::vector<Piece>& pieces) {
  const Address used = first_used(debuggee, tid, stack);
  pieces.push_back({{stack.begin, used}, HolderKind::c_stack, tid, false});
  pieces.push_back({{used, stack.end}, HolderKind::c_stack, tid});
}

/// What is known of parts of the memory, by rising begin; those that are named first win.
std::vector<Piece> known_pieces(const CWordSources& sources) {
  std::vector<Piece> wanted;
  for (const AddressRange range : sources.elsewhere)
    wanted.push_back({.range = range, .looked_at = false});
  for (const ThreadArea& area : sources.areas) {
    wanted.push_back({area.variables, HolderKind::thread_storage, area.tid});
    add_stack(sources.debuggee, area.tid, area.stack, wanted);
  }
  if (sources.main_stack)
    add_stack(sources.debuggee, sources.main_thread.value_or(0), *sources.main_stack, wanted);
  for (const Image& image : sources.debuggee.images().all()) {
    if (!image.file || image.mismatch) {
      wanted.push_back({image.range, HolderKind::c_global});
      continue;
    }
    for (const ElfSegment& segment : image.file->segments())
      if (segment.loaded() && segment.writable())
        wanted.push_back(
            {{image.to_load(segment.range().begin), image.to_load(segment.range().end)},
             HolderKind::c_global});
  }
  std::vector<Piece> out;
  std::vector<AddressRange> taken;
  for (const Piece& piece : wanted) {
    for (const AddressRange part : without(piece.range, taken)) {
      out.push_back(piece);
      out.back().range = part;
    }
    taken.insert(std::ranges::upper_bound(taken, piece.range.begin, {}, &AddressRange::begin),
                 piece.range);
  }
  std::ranges::sort(out, {}, [](const Piece& piece) { return piece.range.begin; });
  return out;
}

void visit_registers(const Debuggee& debuggee, const std::function<void(const CWord&)>& visit,
                     CWordGaps& gaps) {
  for (const ThreadInfo& thread : debuggee.threads()) {
    const auto registers = debuggee.registers(thread.tid);
    if (!registers) {
      gaps.reasons.push_back(fmt::format("the registers of thread {} are not known", thread.tid));
      continue;
    }
    for (unsigned number = 0; number < Registers::kCapacity; ++number)
      if (const auto value = registers->get(number); value && *value != 0)
        visit({HolderKind::register_word, {}, thread.tid, *value});
  }
}

class Looker {
 public:
  Looker(const CWordSources& sources, const std::function<void(const CWord&)>& visit)
      : memory_(sources.debuggee.memory()), pieces_(known_pieces(sources)), visit_(visit) {}

  void look_at(AddressRange mapping) {
    std::vector<AddressRange> taken;
    auto piece = std::ranges::partition_point(
        pieces_, [&](const Piece& one) { return one.range.end <= mapping.begin; });
    for (; piece != pieces_.end() && piece->range.begin < mapping.end; ++piece) {
      taken.push_back(piece->range);
      if (piece->looked_at)
        visit(
            {std::max(piece->range.begin, mapping.begin), std::min(piece->range.end, mapping.end)},
            piece->kind, piece->thread);
    }
    for (const AddressRange part : without(mapping, taken)) {
      if (part.bytes() > most_) {
        passed_over_ += part.bytes();
        continue;
      }
      most_ -= part.bytes();
      visit(part, HolderKind::mapping, 0);
    }
  }
  std::uint64_t missing() const { return missing_; }
  std::uint64_t passed_over() const { return passed_over_; }

 private:
  void visit(AddressRange range, HolderKind kind, std::uint64_t thread) {
    missing_ += for_each_word(memory_, range, [&](Address at, std::uint64_t value) {
      visit_({kind, at, thread, value});
    });
  }

  const MemoryReader& memory_;
  std::vector<Piece> pieces_;
  const std::function<void(const CWord&)>& visit_;
  std::uint64_t missing_ = 0, passed_over_ = 0, most_ = kMostMappedBytes;
};

}  // namespace

std::uint64_t for_each_word(const MemoryReader& memory, AddressRange range,
                            const std::function<void(Address, std::uint64_t)>& visit) {
  std::uint64_t missing = 0;
  std::vector<std::byte> bytes;
  Address at{(range.begin.value + 7) & ~std::uint64_t{7}};
  while (at < range.end && range.end.value - at.value >= 8) {
    const std::uint64_t count =
        std::min(range.end.value - at.value, kPieceBytes - at.value % kPieceBytes) &
        ~std::uint64_t{7};
    bytes.resize(count);
    missing += read_present(memory, at, bytes);
    for (std::uint64_t offset = 0; offset < count; offset += 8) {
      std::uint64_t value;
      std::memcpy(&value, bytes.data() + offset, sizeof value);
      if (value != 0) visit({at.value + offset}, value);
    }
    at.value += count;
  }
  return missing;
}

CWordGaps for_each_c_word(const CWordSources& sources,
                          const std::function<void(const CWord&)>& visit) {
  CWordGaps gaps;
  visit_registers(sources.debuggee, visit, gaps);
  const MappingList* mappings = sources.debuggee.mappings();
  if (mappings == nullptr) {
    gaps.reasons.emplace_back("the mappings of the process are not known");
    return gaps;
  }
  Looker looker(sources, visit);
  for (const Mapping& mapping : mappings->all())
    // Also tables that were filled and then protected.
    if (mapping.readable && (mapping.writable || (mapping.path.empty() && !mapping.executable)))
      looker.look_at(mapping.range);
  gaps.missing_bytes = looker.missing();
  if (gaps.missing_bytes != 0)
    gaps.reasons.push_back(
        fmt::format("{} bytes that the process could write are missing", gaps.missing_bytes));
  if (looker.passed_over() != 0)
    gaps.reasons.push_back(fmt::format("{} bytes of mappings were not looked at: they are too many",
                                       looker.passed_over()));
  return gaps;
}

}  // namespace cgo
