#include "owners/heap_snapshot.h"

#include <algorithm>

#include "goruntime/block_reader.h"
#include "owners/c_words.h"
#include "owners/go_roots.h"

namespace cgo {
namespace {

/// Source: src/runtime/malloc.go, heapArenaBytes; linux on 64-bit CPUs.
constexpr std::uint64_t kGoArenaBytes = 64ull << 20;
constexpr std::uint64_t kLargeBlock = 32 * 1024;

/// The memory that Go's heap lies in, in arenas.
std::vector<AddressRange> arenas_of(const GcHeap& heap) {
  std::vector<AddressRange> out;
  for (const GcSpan& span : heap.spans()) {
    const AddressRange range = span.range();
    const Address begin{range.begin.value / kGoArenaBytes * kGoArenaBytes};
    const Address end{(range.end.value + kGoArenaBytes - 1) / kGoArenaBytes * kGoArenaBytes};
    if (!out.empty() && begin <= out.back().end)
      out.back().end = std::max(out.back().end, end);
    else
      out.push_back({begin, end});
  }
  return out;
}

}  // namespace

void HeapSnapshot::read_go() {
  for (const Error& problem : sources_.runtimes.problems) gap(problem.message);
  for (const auto& runtime : sources_.runtimes.all) {
    auto memory = read_go_memory(sources_.debuggee, *runtime, sources_.unwinder, sources_.dwarf);
    if (!memory) {
      gap("the Go heap cannot be read: " + memory.error().message);
      continue;
    }
    auto side = std::make_unique<GoSide>(GoSide{*std::move(memory), {}, {}, {}});
    side->reach = std::make_unique<Reachability>(Reachability::trace(side->memory));
    for (const Error& problem : side->reach->problems()) gap(problem.message);
    side->types = std::make_unique<ProgramContext>(
        ProgramContext::Parts{.memory = &sources_.debuggee.memory(),
                              .images = &sources_.images,
                              .runtimes = &sources_.runtimes,
                              .dwarf = sources_.dwarf},
        runtime.get());
    side->paths = std::make_unique<TypedPaths>(side->memory, *side->reach, *side->types);
    for (const AddressRange arena : arenas_of(side->memory.heap)) elsewhere_.push_back(arena);
    go_.push_back(std::move(side));
  }
  std::ranges::sort(elsewhere_, {}, &AddressRange::begin);
}

void HeapSnapshot::read_records() {
  auto found = AllocationRecords::read({.memory = sources_.debuggee.memory(),
                                        .images = sources_.images,
                                        .runtimes = sources_.runtimes,
                                        .symbolizer = sources_.symbolizer,
                                        .arch = sources_.debuggee.arch()});
  if (found) {
    records_ = *std::move(found);
    const auto own = records_->own_memory();
    elsewhere_.insert(elsewhere_.end(), own.begin(), own.end());
    std::ranges::sort(elsewhere_, {}, &AddressRange::begin);
  } else if (found.error().code != ErrorCode::not_found)
    gap("what the agent recorded cannot be read: " + found.error().message);
}

void HeapSnapshot::count_blocks() {
  std::vector<CBlockTable::Block> live;
  std::unordered_set<Address> uncertain;
  std::unordered_set<Address> held_back;
  if (records_)
    for (const AgentBlock& block : records_->freed())
      if (block.state == agent::BlockState::held_back) held_back.insert(block.address);
  const std::vector<AddressRange> of_go = elsewhere_;
  for (const auto& heap : c_.heaps()) {
    const auto census = heap->for_each_block(of_go, [&](const CHeapPlace& place) {
      if (place.kind == CHeapPlace::Kind::freed || held_back.contains(place.block.begin)) {
        ++freed_blocks_;
        freed_bytes_ += place.block.bytes();
        return;
      }
      live.push_back({place.block.begin, place.block.bytes()});
      if (place.kind == CHeapPlace::Kind::unknown) uncertain.insert(place.block.begin);
    });
    for (const std::string& one : census.gaps) gap(one);
    elsewhere_.insert(elsewhere_.end(), census.ranges.begin(), census.ranges.end());
  }
  if (records_) {
    const CBlockTable by_malloc(live);
    // Those of other allocators.
    for (const AgentBlock& block : records_->live())
      if (!by_malloc.find(block.address)) live.push_back({block.address, block.bytes});
  } else if (c_.heaps().empty()) {
    gap("no C library whose heap is known was found");
  }
  std::ranges::sort(elsewhere_, {}, &AddressRange::begin);
  blocks_ = CBlockTable(std::move(live));
  uncertain_.resize(blocks_.size());
  for (const Address block : uncertain)
    if (const auto number = blocks_.find(block)) uncertain_[*number] = true;
}

/// Blocks that refer to blocks.
void HeapSnapshot::add_blocks() {
  BlockReader reader(sources_.debuggee.memory());
  std::vector<std::byte> bytes;
  std::uint64_t missing = 0;
  for (std::uint32_t number = 0; number < blocks_.size(); ++number) {
    const CBlockTable::Block& block = blocks_[number];
    const auto look_at = [&](Address at, std::uint64_t value) {
      const auto target = blocks_.find({value});
      if (!target || *target == number) return;
      graph_->note({.kind = HolderKind::c_block, .at = at, .from = number}, value);
    };
    if (block.bytes > kLargeBlock) {
      missing += for_each_word(sources_.debuggee.memory(), block.range(), look_at);
      continue;
    }
    bytes.resize(block.bytes / 8 * 8);
    if (!reader.read(block.begin, bytes)) {
      missing += bytes.size();
      continue;
    }
    for (std::size_t offset = 0; offset < bytes.size(); offset += 8) {
      std::uint64_t value;
      std::memcpy(&value, bytes.data() + offset, sizeof value);
      if (value != 0) look_at({block.begin.value + offset}, value);
    }
  }
  if (missing != 0) gap(std::to_string(missing) + " bytes of blocks of C are missing");
}

void HeapSnapshot::add_c_words() {
  const CMemory::Threads& threads = c_.threads();
  if (!threads.all) gap("the thread-local storage of some threads is not known");
  const CWordSources words{
      .debuggee = sources_.debuggee,
      .areas = threads.areas,
      .main_stack = threads.main_stack.empty() ? std::nullopt : std::optional(threads.main_stack),
      .main_thread = threads.main_thread,
      .elsewhere = elsewhere_};
  const CWordGaps seen = for_each_c_word(words, [&](const CWord& word) {
    if (word.at && go_places_.contains(word.at)) return;
    graph_->note({.kind = word.kind, .at = word.at, .from = word.thread}, word.value);
  });
  for (const std::string& reason : seen.reasons) gap(reason);
}

std::unique_ptr<HeapSnapshot> HeapSnapshot::take(const Sources& sources) {
  std::unique_ptr<HeapSnapshot> out(new HeapSnapshot(sources));
  out->read_go();
  out->read_records();
  out->count_blocks();
  out->graph_ = std::make_unique<BlockGraph>(out->blocks_);
  for (std::size_t i = 0; i < out->go_.size(); ++i) {
    const GoSide& side = *out->go_[i];
    GoHolders found =
        add_go_holders(side.memory, *side.reach, static_cast<std::uint8_t>(i), *out->graph_);
    out->go_places_.merge(found.places);
    for (std::string& one : found.gaps) out->gap(std::move(one));
  }
  out->add_blocks();
  out->add_c_words();
  out->graph_->finish();
  return out;
}

namespace {

bool is_object(const BlockHolder& holder) {
  return holder.kind == HolderKind::go_object || holder.kind == HolderKind::dead_go_object;
}

}  // namespace

TypedWord HeapSnapshot::typed(const BlockHolder& holder) {
  if (holder.runtime < go_.size() && is_object(holder))
    return go_[holder.runtime]->paths->of_object(holder.from,
                                                 holder.at.value - element(holder).begin.value);
  return typed_place(holder);
}

TypedWord HeapSnapshot::typed_place(const BlockHolder& holder) {
  if (holder.runtime >= go_.size()) return {};
  TypedPaths& paths = *go_[holder.runtime]->paths;
  if (is_object(holder))
    return paths.in_object(holder.from, holder.at.value - element(holder).begin.value);
  if (holder.kind == HolderKind::go_global)
    return paths.of_root({.kind = RootKind::global, .at = holder.at});
  return {};
}

std::string HeapSnapshot::symbol_text(Address at) const {
  const Image* image = sources_.images.find(at);
  if (image == nullptr) return "data at " + hex(at);
  const ElfSymbol* symbol = data_symbol(sources_.images, at);
  if (symbol == nullptr) return "data of " + std::string(image->name());
  return std::string(symbol->name) + " in " + std::string(image->name());
}

std::string HeapSnapshot::place_text(const BlockHolder& holder) const {
  switch (holder.kind) {
    case HolderKind::go_object:
    case HolderKind::go_global:
      return holder.pointer ? "Go objects of types that are not known" : "numbers in Go's memory";
    case HolderKind::dead_go_object:
      return "dead Go objects";
    case HolderKind::go_stack:
      return holder.pointer ? "stacks of goroutines" : "stacks of goroutines, perhaps old values";
    case HolderKind::cleanup:
      return "finalizers and cleanups of Go";
    case HolderKind::c_global:
      return symbol_text(holder.at);
    case HolderKind::c_stack:
      return "stacks of C";
    case HolderKind::thread_storage:
      return "thread-local storage";
    case HolderKind::register_word:
      return "registers";
    case HolderKind::c_block:
      return "other C blocks";
    case HolderKind::mapping:
      return "memory of no allocator that is known";
  }
  return {};
}

std::optional<HeapSnapshot::GoHolder> HeapSnapshot::go_object_at(Address address) {
  for (const auto& side : go_) {
    const auto object = side->memory.heap.object_at(address);
    if (!object) continue;
    const AddressRange element = side->memory.heap.element(*object);
    return GoHolder{element, side->reach->reached(*object),
                    side->paths->of_object(*object, (address.value - element.begin.value) & ~7ull)};
  }
  return std::nullopt;
}

AddressRange HeapSnapshot::element(const BlockHolder& holder) const {
  if (holder.runtime >= go_.size()) return {};
  return go_[holder.runtime]->memory.heap.element(holder.from);
}

}  // namespace cgo
