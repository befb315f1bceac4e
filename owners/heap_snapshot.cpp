#include "owners/heap_snapshot.h"

#include <fmt/format.h>

#include <algorithm>

#include "goruntime/block_reader.h"
#include "owners/c_words.h"
#include "owners/go_roots.h"

namespace cgo {
namespace {

/// Source: src/runtime/malloc.go, heapArenaBytes; linux on 64-bit CPUs.
constexpr std::uint64_t kGoArenaBytes = 64ull << 20;
constexpr std::uint64_t kLargeBlock = 32 * 1024;

/// Where the variables of Go's packages lie, with pointers and without. The fields of
/// runtime.moduledata follow each other: noptrdata, enoptrdata, data, edata, bss, ebss, noptrbss,
/// enoptrbss. Source: src/runtime/symtab.go.
std::vector<AddressRange> variables_of(const GoMemory& go) {
  std::vector<AddressRange> out;
  for (const auto& module : go.runtime.parts().modules) {
    const Address first = wrapping_add(module->tables().moduledata, go.layout.data.bytes - 16);
    for (std::uint64_t i = 0; i < 4; ++i) {
      const auto begin = read_pointer(go.memory(), wrapping_add(first, i * 16));
      const auto end = read_pointer(go.memory(), wrapping_add(first, i * 16 + 8));
      if (begin && end && *begin < *end) out.push_back({*begin, *end});
    }
  }
  return out;
}

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

bool is_in(std::span<const AddressRange> ranges, Address address) {
  return std::ranges::any_of(ranges, [&](AddressRange range) { return range.contains(address); });
}

/// Named where one is loaded: glibc's heap is not in use then.
std::string other_allocator(const ImageMap& images) {
  for (const Image& image : images.all())
    for (const std::string_view name : {"libjemalloc", "libtcmalloc", "libmimalloc", "ld-musl"})
      if (image.name().starts_with(name))
        return fmt::format("; blocks of {} are known through the agent only ('cgo heap track on')",
                           image.name());
  return "";
}

}  // namespace

void HeapSnapshot::read_go() {
  for (const Error& problem : sources_.runtimes.problems) gap(problem.message);
  for (const auto& runtime : sources_.runtimes.all) {
    const bool marked =
        options_.alive == Alive::marked && runtime->function_at(options_.collecting).has_value();
    auto memory = read_go_memory(sources_.debuggee, *runtime, sources_.unwinder, sources_.dwarf,
                                 marked ? GcHeap::Marks::all : GcHeap::Marks::where_needed);
    if (!memory) {
      gap("the Go heap cannot be read: " + memory.error().message);
      continue;
    }
    auto side = std::make_unique<GoSide>(GoSide{.memory = *std::move(memory)});
    side->reach = std::make_unique<Reachability>(marked ? Reachability::of_marks(side->memory)
                                                        : Reachability::trace(side->memory));
    for (const Error& problem : side->reach->problems()) gap(problem.message);
    side->types = std::make_unique<ProgramContext>(
        ProgramContext::Parts{.memory = &sources_.debuggee.memory(),
                              .images = &sources_.images,
                              .runtimes = &sources_.runtimes,
                              .dwarf = sources_.dwarf},
        runtime.get());
    side->paths = std::make_unique<TypedPaths>(side->memory, *side->reach, *side->types);
    side->globals = variables_of(side->memory);
    side->code_types = std::make_unique<CodeTypes>(*runtime, *side->types);
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
  std::vector<CBlockTable::Block> live, freed;
  std::unordered_set<Address> uncertain;
  std::unordered_set<Address> held_back;
  if (records_)
    for (const AgentBlock& block : records_->freed())
      if (block.state == agent::BlockState::held_back) held_back.insert(block.address);
  // What is no block of malloc's need not be searched for one.
  std::vector<AddressRange> of_others = elsewhere_;
  for (const ThreadArea& area : c_.threads().areas)
    if (!area.stack.empty()) of_others.push_back(area.stack);
  for (const auto& heap : c_.heaps()) {
    const auto census = heap->for_each_block(of_others, [&](const CHeapPlace& place) {
      if (place.kind == CHeapPlace::Kind::freed || held_back.contains(place.block.begin)) {
        ++freed_blocks_;
        freed_bytes_ += place.block.bytes();
        if (options_.hazards) freed.push_back({place.block.begin, place.block.bytes()});
        return;
      }
      live.push_back({place.block.begin, place.block.bytes()});
      if (place.kind == CHeapPlace::Kind::unknown) uncertain.insert(place.block.begin);
    });
    for (const std::string& one : census.gaps) gap(one);
    elsewhere_.insert(elsewhere_.end(), census.ranges.begin(), census.ranges.end());
    c_ranges_.insert(c_ranges_.end(), census.ranges.begin(), census.ranges.end());
  }
  if (records_) {
    const CBlockTable by_malloc(live);
    // Those of other allocators.
    for (const AgentBlock& block : records_->live()) {
      if (by_malloc.find(block.address)) continue;
      // An agent that does not see all frees may take for live what malloc knows to be freed.
      const auto known = [&](const auto& heap) { return heap->find(block.address).has_value(); };
      if (!records_->exact() && std::ranges::any_of(c_.heaps(), known)) continue;
      live.push_back({block.address, block.bytes});
    }
  }
  if (c_.heaps().empty() && (!records_ || !records_->exact()))
    gap("no C library whose heap is known was found" + other_allocator(sources_.images));
  std::ranges::sort(elsewhere_, {}, &AddressRange::begin);
  blocks_ = CBlockTable(std::move(live));
  if (options_.hazards) hazards_ = HazardWords(freed_table(std::move(freed)));
  uncertain_.resize(blocks_.size());
  for (const Address block : uncertain)
    if (const auto number = blocks_.find(block)) uncertain_[*number] = true;
}

/// What malloc has of freed blocks, and what the agent remembers of others: those that malloc put
/// together or gave back to the system.
CBlockTable HeapSnapshot::freed_table(std::vector<CBlockTable::Block> of_malloc) {
  const CBlockTable known(of_malloc);
  const MappingList* mappings = sources_.debuggee.mappings();
  // The pages of a large block were given back with it: what is there now is something else.
  const auto is_something_else = [&](Address address) {
    if (c_.heaps().empty() || is_in(c_ranges_, address)) return false;
    return mappings == nullptr || mappings->find(address) != nullptr;
  };
  if (records_)
    for (const AgentBlock& block : records_->freed())
      if (block.bytes != 0 && !blocks_.find(block.address) && !known.find(block.address) &&
          !is_something_else(block.address))
        of_malloc.push_back({block.address, block.bytes});
  return CBlockTable(std::move(of_malloc));
}

/// Blocks that refer to blocks.
void HeapSnapshot::add_blocks() {
  BlockReader reader(sources_.debuggee.memory());
  std::vector<std::byte> bytes;
  std::uint64_t missing = 0;
  for (std::uint32_t number = 0; number < blocks_.size(); ++number) {
    const CBlockTable::Block& block = blocks_[number];
    const auto look_at = [&](Address at, std::uint64_t value) {
      const BlockHolder holder{.kind = HolderKind::c_block, .at = at, .from = number};
      const auto target = blocks_.find({value});
      if (!target) return note_go_object(holder, value);
      if (*target != number) graph_->note(holder, value);
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

void HeapSnapshot::note_go_object(const BlockHolder& holder, std::uint64_t value) {
  if (!options_.hazards) return;
  for (std::size_t i = 0; i < go_.size(); ++i) {
    const GoSide& side = *go_[i];
    const auto object = side.memory.heap.object_at({value});
    if (!object) continue;
    BlockHolder from = holder;
    if (holder.kind == HolderKind::c_global && is_in(side.globals, holder.at)) {
      // What keeps an object alive is a pointer of Go's.
      if (side.reach->reached(*object)) continue;
      from.kind = HolderKind::go_global;
      from.runtime = static_cast<std::uint8_t>(i);
    }
    hazards_.note_object({from, static_cast<std::uint8_t>(i), *object, {value}});
  }
}

HeapSnapshot::ObjectState HeapSnapshot::state_of(const HazardWords::OfObject& word) {
  GoSide& side = *go_[word.runtime];
  if (!side.pinned) {
    side.pinned.emplace();
    const auto pins = read_pins(sources_.debuggee.memory(), side.memory.layout, side.memory.heap,
                                side.memory.specials);
    if (pins)
      for (const PinnedObject& one : *pins) side.pinned->insert(one.object);
    side.internal.emplace();
    const auto add = [&](Address address) {
      if (const auto object = side.memory.heap.element_at(address)) side.internal->insert(*object);
    };
    const MemoryReader& memory = sources_.debuggee.memory();
    for (const Goroutine& g : side.memory.runtime.goroutines(memory).found) add(g.address);
    // A thread that is made is told of them in memory of C.
    for (const Machine& m : side.memory.runtime.machines(memory).found)
      for (const Address own : {m.address, m.g0, m.gsignal}) add(own);
    // Finalizers and cleanups have what they need.
    for (const GcSpecial& special : side.memory.specials.found)
      if (special.kind == SpecialKind::finalizer) side.internal->insert(special.object);
  }
  return {.element = side.memory.heap.element(word.object),
          .reached = side.reach->reached(word.object),
          .pinned = side.pinned->contains(word.object) || side.given.contains(word.object),
          .internal = side.internal->contains(word.object)};
}

/// A counter of Go's runtime that has the value of an address: low addresses are such numbers.
bool HeapSnapshot::is_number_of_runtime(const CWord& word) const {
  if (!blocks_.find({word.value})) return false;
  const ElfSymbol* symbol = data_symbol(sources_.images, word.at);
  return symbol != nullptr &&
         (symbol->name.starts_with("runtime.") || symbol->name.starts_with("internal/runtime/"));
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
    if (word.kind == HolderKind::c_global && is_number_of_runtime(word)) return;
    const BlockHolder holder{.kind = word.kind, .at = word.at, .from = word.thread};
    if (!graph_->note(holder, word.value)) note_go_object(holder, word.value);
  });
  for (const std::string& reason : seen.reasons) gap(reason);
  for (const KernelWord& word : sources_.debuggee.kernel_words())
    graph_->note({.kind = HolderKind::kernel, .from = word.file}, word.value);
}

std::unique_ptr<HeapSnapshot> HeapSnapshot::take(const Sources& sources, Options options) {
  std::unique_ptr<HeapSnapshot> out(new HeapSnapshot(sources, options));
  out->read_go();
  out->read_records();
  out->count_blocks();
  out->graph_ = std::make_unique<BlockGraph>(out->blocks_);
  for (std::size_t i = 0; i < out->go_.size(); ++i) {
    GoSide& side = *out->go_[i];
    GoHolders found = add_go_holders(
        side.memory, *side.reach, *out->graph_, options.hazards ? &out->hazards_ : nullptr,
        {.runtime = static_cast<std::uint8_t>(i),
         .threads = sources.threads,
         .all_pointers = options.alive == Alive::traced || options.hazards});
    side.given = std::move(found.given);
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

std::optional<CodeTypes::Found> HeapSnapshot::type_by_code(std::uint32_t block,
                                                           const BlockHolder& holder) {
  const AgentBlock* record = record_of(block);
  if (record == nullptr || holder.runtime >= go_.size()) return std::nullopt;
  const auto stack = records_->stack(record->stack);
  if (!stack) return std::nullopt;
  const AddressRange object = element(holder);
  return go_[holder.runtime]->code_types->find(*stack, object.bytes(),
                                               holder.at.value - object.begin.value);
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
    case HolderKind::kernel:
      return "epoll instances of the kernel";
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
