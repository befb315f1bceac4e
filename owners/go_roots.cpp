#include "owners/go_roots.h"

#include <algorithm>
#include <bit>
#include <unordered_set>

#include "owners/goroutine_roots.h"
#include "target/byte_view.h"

namespace cgo {
namespace {

constexpr std::size_t kMostProblems = 20;
constexpr std::uint64_t kPieceBytes = 256 * 1024, kPageBytes = 4096;
constexpr std::uint64_t kMostBlocks = 1u << 22, kMostProcessors = 1u << 16;

// Source: src/runtime/mfinal.go, type finBlock and finalizer; the same in 1.19 to 1.27. All words
// of a finalizer are pointers but the third.
constexpr std::uint64_t kFinalizersOffset = 24, kFinalizerBytes = 40, kMostFinalizers = 101;
// Source: src/runtime/mcleanup.go, type cleanupBlock; 1.25 to 1.27.
constexpr std::uint64_t kCleanupLink = 16, kCleanupCount = 24, kCleanupsOffset = 32,
                        kCleanupBlockBytes = 512;

}  // namespace

std::string_view format_root_kind(RootKind kind) {
  switch (kind) {
    case RootKind::global:
      return "global";
    case RootKind::stack:
      return "stack";
    case RootKind::finalizer:
      return "finalizer";
    case RootKind::special:
      return "special";
    case RootKind::queued_finalizer:
      return "queued_finalizer";
    case RootKind::queued_cleanup:
      return "queued_cleanup";
    case RootKind::tiny_block:
      return "tiny_block";
    case RootKind::guess:
      return "guess";
  }
  return "";
}

void GoRoots::problem(Error error) {
  ++problem_count_;
  if (problems_.size() < kMostProblems) problems_.push_back(std::move(error));
}

void GoRoots::visit(RootStage stage, const RootVisitor& visitor) {
  switch (stage) {
    case RootStage::globals:
      return visit_globals(visitor);
    case RootStage::stacks:
      return visit_stacks(visitor);
    case RootStage::runtime:
      for (const std::string& name : go_.places.unknown)
        problem({ErrorCode::not_found, "where " + name + " lies could not be told"});
      visit_specials(visitor);
      if (go_.places.finalizer_blocks) visit_finalizer_queue(visitor);
      if (go_.places.cleanup_blocks) visit_cleanup_queue(visitor);
      return visit_tiny_blocks(visitor);
    case RootStage::guesses:
      if (!stacks_seen_) visit_stacks([](const GoRoot&) {});
      for (const GoRoot& root : guesses_) visitor(root);
  }
}

void GoRoots::visit_all(const RootVisitor& visitor) {
  for (const RootStage stage :
       {RootStage::globals, RootStage::stacks, RootStage::runtime, RootStage::guesses})
    visit(stage, visitor);
}

void GoRoots::visit_globals(const RootVisitor& visitor) {
  const GcLayout& layout = go_.layout;
  for (const auto& module : go_.runtime.parts().modules) {
    const Address data = module->tables().moduledata;
    const auto pointer = [&](FieldOffset field) {
      auto value = read_pointer(go_.memory(), wrapping_add(data, field.bytes));
      if (!value) problem(std::move(value).error().in("moduledata"));
      return value.value_or(Address{});
    };
    visit_data({pointer(layout.data), pointer(layout.edata)},
               wrapping_add(data, layout.data_mask.bytes), visitor);
    visit_data({pointer(layout.bss), pointer(layout.ebss)},
               wrapping_add(data, layout.bss_mask.bytes), visitor);
  }
}

/// `mask`: a runtime.bitvector with one bit for each word.
void GoRoots::visit_data(AddressRange range, Address mask, const RootVisitor& visitor) {
  const auto count = read_unsigned<std::int32_t>(go_.memory(), mask);
  const auto bits = read_pointer(go_.memory(), wrapping_add(mask, 8));
  if (!count || !bits) {
    problem(Error(count ? bits.error() : count.error()).in("mask of global variables"));
    return;
  }
  const std::uint64_t words =
      std::min<std::uint64_t>(range.bytes() / 8, static_cast<std::uint64_t>(std::max(*count, 0)));
  std::vector<std::byte> bytes, mask_bytes;
  std::uint64_t piece = kPieceBytes;
  for (std::uint64_t at = 0; at < words * 8; at += piece) {
    // After an unreadable piece the next ones are small until a readable border.
    piece = std::min({kPieceBytes, words * 8 - at});
    mask_bytes.resize((piece / 8 + 7) / 8);
    auto done = go_.memory().read(wrapping_add(*bits, at / 64), mask_bytes);
    if (!done) return problem(std::move(done).error().in("mask of global variables"));
    bytes.resize(piece);
    done = go_.memory().read(wrapping_add(range.begin, at), bytes);
    if (!done) {
      std::fill(bytes.begin(), bytes.end(), std::byte{0});
      for (std::uint64_t page = 0; page < piece; page += kPageBytes)
        (void)go_.memory()
            .read(wrapping_add(range.begin, at + page),
                  std::span(bytes).subspan(page, std::min(kPageBytes, piece - page)))
            .has_value();
      problem(std::move(done).error().in("global variables"));
    }
    visit_piece(wrapping_add(range.begin, at), bytes, mask_bytes, visitor);
  }
}

void GoRoots::visit_piece(Address begin, std::span<const std::byte> bytes,
                          std::span<const std::byte> bits, const RootVisitor& visitor) {
  for (std::uint64_t i = 0; i < bits.size(); ++i) {
    for (auto byte = std::to_integer<unsigned>(bits[i]); byte != 0; byte &= byte - 1) {
      const std::uint64_t offset = (i * 8 + static_cast<unsigned>(std::countr_zero(byte))) * 8;
      const auto value = load<std::uint64_t>(bytes, offset).value_or(0);
      if (value != 0)
        visitor({.kind = RootKind::global, .at = wrapping_add(begin, offset), .value = value});
    }
  }
}

void GoRoots::visit_stacks(const RootVisitor& visitor) {
  stacks_seen_ = true;
  guesses_.clear();
  const auto goroutines = go_.runtime.goroutines(go_.memory());
  for (const Error& error : goroutines.errors) problem(error);
  GoroutineRoots stacks(go_, [this](Error error) { problem(std::move(error)); });
  for (const Goroutine& g : goroutines.found)
    stacks.visit(g, [&](const GoRoot& root) {
      if (root.kind == RootKind::guess)
        guesses_.push_back(root);
      else
        visitor(root);
    });
}

void GoRoots::visit_words(RootKind kind, AddressRange range, const RootVisitor& visitor) {
  for (Address at = range.begin; at < range.end; at.value += 8) {
    auto value = read_unsigned<std::uint64_t>(go_.memory(), at);
    if (!value) return problem(std::move(value).error().in(format_root_kind(kind)));
    if (*value != 0) visitor({.kind = kind, .at = at, .value = *value});
  }
}

void GoRoots::visit_specials(const RootVisitor& visitor) {
  for (const Error& error : go_.specials.problems) problem(error);
  for (const GcSpecial& special : go_.specials.found) {
    visit_words(RootKind::special, special.roots, visitor);
    if (special.kind == SpecialKind::finalizer)
      visitor({.kind = RootKind::finalizer, .at = special.record, .value = special.value.value});
  }
}

void GoRoots::visit_finalizer_queue(const RootVisitor& visitor) {
  auto block = read_pointer(go_.memory(), go_.places.finalizer_blocks);
  std::unordered_set<Address> seen;
  while (block && *block) {
    if (!seen.insert(*block).second || seen.size() > kMostBlocks)
      return problem({ErrorCode::malformed_data, "circular queue of finalizers", *block});
    const auto count = read_unsigned<std::uint32_t>(go_.memory(), wrapping_add(*block, 16));
    if (!count || *count > kMostFinalizers)
      return problem({ErrorCode::malformed_data, "damaged queue of finalizers", *block});
    for (std::uint64_t i = 0; i < *count; ++i) {
      const Address one = wrapping_add(*block, kFinalizersOffset + i * kFinalizerBytes);
      visit_words(RootKind::queued_finalizer, {one, wrapping_add(one, 16)}, visitor);
      visit_words(RootKind::queued_finalizer, {wrapping_add(one, 24), wrapping_add(one, 40)},
                  visitor);
    }
    block = read_pointer(go_.memory(), *block);
  }
  if (!block) problem(std::move(block).error().in("queue of finalizers"));
}

void GoRoots::visit_cleanup_queue(const RootVisitor& visitor) {
  const std::uint64_t bytes = go_.layout.cleanup_bytes;
  auto block = read_pointer(go_.memory(), go_.places.cleanup_blocks);
  std::unordered_set<Address> seen;
  while (block && *block) {
    if (!seen.insert(*block).second || seen.size() > kMostBlocks)
      return problem({ErrorCode::malformed_data, "circular queue of cleanups", *block});
    const auto count =
        read_unsigned<std::uint32_t>(go_.memory(), wrapping_add(*block, kCleanupCount));
    if (!count || *count * bytes > kCleanupBlockBytes - kCleanupsOffset)
      return problem({ErrorCode::malformed_data, "damaged queue of cleanups", *block});
    const Address first = wrapping_add(*block, kCleanupsOffset);
    visit_words(RootKind::queued_cleanup, {first, wrapping_add(first, *count * bytes)}, visitor);
    block = read_pointer(go_.memory(), wrapping_add(*block, kCleanupLink));
  }
  if (!block) problem(std::move(block).error().in("queue of cleanups"));
}

/// Source: src/runtime/mgcmark.go, gcMarkTinyAllocs.
void GoRoots::visit_tiny_blocks(const RootVisitor& visitor) {
  if (!go_.places.allp)
    return problem({ErrorCode::not_found, "runtime.allp: blocks of small values in use"});
  const auto list = read_pointer(go_.memory(), go_.places.allp);
  const auto length = read_unsigned<std::uint64_t>(go_.memory(), wrapping_add(go_.places.allp, 8));
  if (!list || !length || *length > kMostProcessors)
    return problem({ErrorCode::malformed_data, "runtime.allp makes no sense", go_.places.allp});
  for (std::uint64_t i = 0; i < *length; ++i) {
    const auto p = read_pointer(go_.memory(), wrapping_add(*list, i * 8));
    auto cache =
        p && *p ? read_pointer(go_.memory(), wrapping_add(*p, go_.layout.p_mcache.bytes)) : p;
    if (!cache) {
      problem(std::move(cache).error().in("runtime.allp"));
      continue;
    }
    if (!*cache) continue;
    const Address tiny = wrapping_add(*cache, go_.layout.mcache_tiny.bytes);
    visit_words(RootKind::tiny_block, {tiny, wrapping_add(tiny, 8)}, visitor);
  }
}

const ElfSymbol* data_symbol(const ImageMap& images, Address at) {
  const Image* image = images.find(at);
  if (image == nullptr || image->file == nullptr || image->mismatch) return nullptr;
  return image->file->object_at(image->to_file(at));
}

std::string format_root(const GoMemory& go, const GoRoot& root) {
  std::string out;
  if (root.kind == RootKind::global) {
    const Image* image = go.debuggee.images().find(root.at);
    const ElfSymbol* symbol = data_symbol(go.debuggee.images(), root.at);
    if (symbol == nullptr) return "global variable at " + hex(root.at);
    const Address begin = image->to_load(symbol->file_address);
    const std::uint64_t offset = root.at.value - begin.value;
    return std::string(symbol->name) + (offset == 0 ? "" : "+" + std::to_string(offset));
  }
  if (root.goroutine != 0) out = "goroutine " + std::to_string(root.goroutine);
  if (const auto function = go.runtime.function_at(root.pc))
    out += std::string(out.empty() ? "" : ", ") + std::string(function->name);
  if (root.kind == RootKind::guess) out += " (by a word that may be a pointer)";
  if (!out.empty()) return out;
  return std::string(format_root_kind(root.kind)) + " at " + hex(root.at);
}

}  // namespace cgo
