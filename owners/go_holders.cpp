#include "owners/go_holders.h"

#include <fmt/format.h>

#include <algorithm>

#include "owners/c_words.h"
#include "owners/go_roots.h"
#include "owners/heap_sweep.h"
#include "owners/object_reader.h"

namespace cgo {
namespace {

/// Objects that come back from the dead for a call of their finalizer.
std::unordered_set<std::uint64_t> finalized_objects(const GcSpecials& specials) {
  std::unordered_set<std::uint64_t> out;
  for (const GcSpecial& special : specials.found)
    if (special.kind == SpecialKind::finalizer) out.insert(special.object);
  return out;
}

class Finder {
 public:
  Finder(const GoMemory& go, const Reachability& reach, BlockGraph& graph, HazardWords* hazards,
         const GoHolderOptions& options)
      : go_(go),
        options_(options),
        runtime_(options.runtime),
        reach_(reach),
        graph_(graph),
        hazards_(hazards),
        reader_(go),
        finalized_(finalized_objects(go.specials)) {}

  void look_at_objects() {
    std::vector<AddressRange> ranges = graph_.blocks().stretches();
    if (hazards_ != nullptr) {
      for (const AddressRange range : hazards_->freed().stretches()) ranges.push_back(range);
      const auto spans = go_.heap.spans();
      if (!spans.empty()) ranges.push_back({spans.front().base, spans.back().range().end});
    }
    const AddressFilter filter(std::move(ranges));
    const std::uint64_t missing = HeapSweep{go_.memory(), go_.heap, filter, options_.threads}.run(
        [this](std::uint64_t value) {
          return graph_.blocks().find({value}) || (hazards_ != nullptr && is_hazard(value));
        },
        [this](const SweptWord& word) { take(word); });
    look_at_object();
    if (missing != 0)
      out_.gaps.push_back(fmt::format("{} bytes of objects of the Go heap are missing", missing));
    if (unknown_words_ != 0)
      out_.gaps.push_back(
          fmt::format("of {} Go objects it is not known which words are pointers", unknown_words_));
  }

  void look_at_roots() {
    GoRoots roots(go_);
    roots.visit_all([this](const GoRoot& root) { note(root); });
    for (const Error& problem : roots.problems()) out_.gaps.push_back(problem.message);
  }

  /// Words that the compiler's maps do not name: numbers, and values that are not needed any more.
  void look_at_stacks() {
    for (const Goroutine& g : goroutines()) {
      if (!g.alive() || g.stack.empty()) continue;
      const Address from = stack_begin(g);
      (void)for_each_word(go_.memory(), {from, g.stack.end}, [&](Address at, std::uint64_t value) {
        if (!out_.places.contains(at))
          add({.kind = HolderKind::go_stack, .runtime = runtime_, .at = at, .from = g.id}, value);
      });
    }
  }

  GoHolders result() { return std::move(out_); }

 private:
  std::vector<Goroutine> goroutines() {
    auto all = go_.runtime.goroutines(go_.memory());
    for (const Error& problem : all.errors) out_.gaps.push_back(problem.message);
    return std::move(all.found);
  }

  /// From where on its stack is in use.
  Address stack_begin(const Goroutine& g) const {
    for (const Address sp : {g.syscall.sp, g.sched.sp})
      if (g.stack.contains(sp)) return {sp.value & ~std::uint64_t{7}};
    return g.stack.begin;
  }

  HolderKind kind_of(std::uint64_t object) const {
    if (reach_.reached(object)) return HolderKind::go_object;
    if (finalized_.contains(object)) return HolderKind::cleanup;
    return reach_.complete() ? HolderKind::dead_go_object : HolderKind::mapping;
  }

  /// Keeps the words of one object together.
  void take(const SweptWord& word) {
    const std::uint64_t index = word.offset / word.span->element_bytes;
    if (index >= word.span->elements || !go_.heap.allocated(word.span->first_object + index))
      return;
    if (word.span != span_ || index != index_) {
      look_at_object();
      span_ = word.span;
      index_ = index;
    }
    hits_.push_back({word.offset - index * word.span->element_bytes, word.value});
  }

  /// What take() has kept.
  void look_at_object() {
    if (hits_.empty()) return;
    const std::uint64_t object = span_->first_object + index_;
    const bool with_hazards = hazards_ != nullptr && reach_.reached(object);
    pointers_.clear();
    if (options_.all_pointers ||
        std::ranges::any_of(hits_, [&](const Hit& hit) { return leads_far(hit.value); }))
      find_pointers(*span_, index_);
    const Address begin = go_.heap.element(object).begin;
    for (const Hit& hit : hits_) {
      const BlockHolder holder{.kind = kind_of(object),
                               .pointer = std::ranges::binary_search(pointers_, hit.offset),
                               .runtime = runtime_,
                               .at = {begin.value + hit.offset},
                               .from = object};
      if (!add(holder, hit.value) && with_hazards) note_hazard(holder, hit.value);
    }
    hits_.clear();
  }

  bool is_hazard(std::uint64_t value) const {
    return hazards_->freed().find({value}) || dead_object_at(value);
  }

  std::optional<std::uint64_t> dead_object_at(std::uint64_t value) const {
    const auto object = go_.heap.object_at({value});
    if (!object || reach_.reached(*object) || finalized_.contains(*object)) return std::nullopt;
    return object;
  }

  void note_hazard(const BlockHolder& holder, std::uint64_t value) {
    if (hazards_->note_freed(holder, value) || holder.pointer) return;
    if (const auto object = dead_object_at(value))
      hazards_->note_object({holder, runtime_, *object, {value}});
  }

  /// A word that leads so far into a block holds it where it is a pointer alone.
  bool leads_far(std::uint64_t value) const {
    const auto block = graph_.blocks().find({value});
    return block && value - graph_.blocks()[*block].begin.value > kMostHeaderBytes;
  }

  void find_pointers(const GcSpan& span, std::uint64_t index) {
    if (span.without_pointers()) return;
    const auto done = reader_.each_pointer(
        span, index, [&](std::uint64_t offset, std::uint64_t) { pointers_.push_back(offset); });
    if (!done) ++unknown_words_;
  }

  void note(const GoRoot& root) {
    const auto kind = [&] {
      switch (root.kind) {
        case RootKind::global:
          return HolderKind::go_global;
        case RootKind::stack:
        case RootKind::guess:
          return HolderKind::go_stack;
        case RootKind::finalizer:
        case RootKind::special:
        case RootKind::queued_finalizer:
        case RootKind::queued_cleanup:
          return HolderKind::cleanup;
        case RootKind::tiny_block:
          break;
      }
      return HolderKind::mapping;
    }();
    const BlockHolder holder{.kind = kind,
                             .pointer = root.kind != RootKind::guess,
                             .runtime = runtime_,
                             .at = root.at,
                             .from = root.goroutine};
    if (hazards_ != nullptr && root.kind == RootKind::stack && !open_call(root).empty())
      if (const auto object = go_.heap.object_at({root.value})) out_.given.insert(*object);
    const bool held = add(holder, root.value);
    if (held || (hazards_ != nullptr && hazards_->freed().find({root.value}) &&
                 hazards_->note_freed(holder, root.value, open_call(root))))
      out_.places.insert(root.at);
  }

  /// cgo's function for a call of C that has this word among its arguments; empty for others.
  std::string_view open_call(const GoRoot& root) const {
    if (root.kind != RootKind::stack || !root.pc) return {};
    const auto function = go_.runtime.function_at({root.pc.value - 1});
    const bool wraps = function && (function->name.find("._Cfunc_") != std::string_view::npos ||
                                    function->name.find("._C2func_") != std::string_view::npos);
    return wraps ? function->name : std::string_view();
  }

  bool add(const BlockHolder& holder, std::uint64_t value) { return graph_.note(holder, value); }

  struct Hit {
    std::uint64_t offset, value;
  };

  const GoMemory& go_;
  const GoHolderOptions options_;
  const std::uint8_t runtime_;
  const Reachability& reach_;
  BlockGraph& graph_;
  HazardWords* const hazards_;
  ObjectReader reader_;
  std::unordered_set<std::uint64_t> finalized_;
  const GcSpan* span_ = nullptr;  // Of the object that hits_ are of.
  std::uint64_t index_ = 0;
  std::vector<Hit> hits_;
  std::vector<std::uint64_t> pointers_;  // Of the same object, by offset.
  std::uint64_t unknown_words_ = 0;
  GoHolders out_;
};

}  // namespace

GoHolders add_go_holders(const GoMemory& go, const Reachability& reach, BlockGraph& graph,
                         HazardWords* hazards, const GoHolderOptions& options) {
  Finder finder(go, reach, graph, hazards, options);
  finder.look_at_roots();
  finder.look_at_objects();
  finder.look_at_stacks();
  return finder.result();
}

}  // namespace cgo
