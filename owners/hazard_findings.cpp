#include "owners/hazard_findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "owners/owner_rows.h"
#include "unwind/format.h"

namespace cgo {
namespace {

constexpr std::size_t kMostPlacesShown = 4;

std::string text_of(const TypedWord& word, const BlockHolder& holder) {
  if (holder.kind == HolderKind::go_global && !word.path.empty()) return joined(word.path);
  return word.go_type.empty() ? "a Go object whose type is not known"
                              : type_and_field(word.go_type, word.field);
}

/// What keeps several words together that are one thing to the user.
struct Group {
  Finding finding;
  std::vector<std::string> places;

  void add(std::string place, std::uint64_t bytes, Finding::Subject subject) {
    if (places.size() <= kMostPlacesShown) places.push_back(std::move(place));
    finding.bytes += bytes;
    finding.subjects.push_back(subject);
  }
  /// With `what` in the title as the things that were counted.
  Finding take(const std::string& title) {
    finding.title = title;
    std::string out;
    for (std::size_t i = 0; i < places.size() && i < kMostPlacesShown; ++i)
      out += (i == 0 ? "" : ", ") + places[i];
    if (finding.subjects.size() > kMostPlacesShown)
      out += fmt::format(" and {} more", finding.subjects.size() - kMostPlacesShown);
    finding.evidence.insert(finding.evidence.begin(), std::move(out));
    return std::move(finding);
  }
};

std::vector<Finding> by_level(std::vector<Finding> findings) {
  std::ranges::stable_sort(findings, [](const Finding& a, const Finding& b) {
    return std::tuple(b.level, b.bytes) < std::tuple(a.level, a.bytes);
  });
  return findings;
}

/// Runtime, and what hides pointers on purpose: weak.Pointer, unique.
bool hides_on_purpose(std::string_view go_type) {
  for (const std::string_view package : {"runtime.", "internal/", "weak.", "unique.", "sync."})
    if (go_type.starts_with(package)) return true;
  return false;
}

class Hidden {
 public:
  explicit Hidden(HeapSnapshot& heap) : heap_(heap) {}

  void look_at(const HazardWords::OfObject& word) {
    const HeapSnapshot::ObjectState object = heap_.state_of(word);
    if (object.pinned || object.internal) return;
    switch (word.holder.kind) {
      case HolderKind::c_block:
        return in_block(word, object);
      case HolderKind::c_global:
        return in_c(word, object, heap_.symbol_text(word.holder.at), 0);
      case HolderKind::go_object:
      case HolderKind::go_global:
        return in_go(word, object);
      default:
        return;
    }
  }

  std::vector<Finding> take() {
    std::vector<Finding> out;
    for (auto& [key, group] : groups_) {
      const auto& [id, alive, place, stack] = key;
      const std::uint64_t count = group.finding.subjects.size();
      out.push_back(group.take(
          id == kNumber ? fmt::format("{} of Go {} held by a number in {} alone",
                                      counted(count, "object"), count == 1 ? "is" : "are", place)
          : alive ? fmt::format("{} of Go {} held by {} without a pin", counted(count, "object"),
                                count == 1 ? "is" : "are", place)
                  : fmt::format("{} of Go {} dead and still held by {}", counted(count, "object"),
                                count == 1 ? "is" : "are", place)));
    }
    return by_level(std::move(out));
  }

 private:
  static constexpr std::string_view kFromC = "gc-visibility.c-holds-go",
                                    kNumber = "gc-visibility.uintptr";

  void in_block(const HazardWords::OfObject& word, const HeapSnapshot::ObjectState& object) {
    const auto block = static_cast<std::uint32_t>(word.holder.from);
    // Nobody can follow it there.
    if (is_leak(heap_.verdict(block))) return;
    const AgentBlock* record = heap_.record_of(block);
    std::string place = fmt::format("C blocks of {} bytes, {} bytes into them",
                                    record == nullptr ? heap_.blocks()[block].bytes : record->bytes,
                                    word.holder.at.value - heap_.blocks()[block].begin.value);
    in_c(word, object, std::move(place), record == nullptr ? 0 : record->stack);
  }

  void in_c(const HazardWords::OfObject& word, const HeapSnapshot::ObjectState& object,
            std::string place, std::uint32_t stack) {
    Group& group = groups_[{kFromC, object.reached, std::move(place), stack}];
    Finding& finding = group.finding;
    if (finding.id.empty()) {
      finding.id = kFromC;
      finding.level = object.reached ? FindingLevel::note : FindingLevel::warning;
      finding.address = word.holder.at;
      finding.explanation =
          object.reached ? "it lives as long as something in Go holds it too; C may not keep a "
                           "pointer that is not pinned behind the call that it was given to"
                         : "the collector frees it, or has: C that still uses the pointer works on "
                           "what another object has there";
      finding.hint = "runtime.Pinner while C keeps it, or a cgo.Handle in its place";
      if (stack != 0) finding.stacks.push_back({"the block was allocated", stack});
    }
    const auto known = object.reached ? heap_.go_object_at(word.value) : std::nullopt;
    if (known && finding.go_type.empty()) finding.go_type = known->word.go_type;
    group.add(fmt::format("{} → {} ({} bytes{})", hex(word.holder.at), hex(word.value),
                          object.element.bytes(),
                          known && !known->word.go_type.empty() ? ", " + known->word.go_type : ""),
              object.element.bytes(), {word.holder.at, word.value.value});
  }

  void in_go(const HazardWords::OfObject& word, const HeapSnapshot::ObjectState& object) {
    if (object.reached) return;
    const TypedWord typed = heap_.typed_place(word.holder);
    if (typed.word_type != "uintptr" || hides_on_purpose(typed.go_type)) return;
    if (!typed.path.empty() && hides_on_purpose(typed.path.front())) return;
    Group& group = groups_[{kNumber, false, text_of(typed, word.holder), 0}];
    Finding& finding = group.finding;
    if (finding.id.empty()) {
      finding.id = kNumber;
      finding.level = FindingLevel::error;
      finding.address = word.holder.at;
      finding.go_type = typed.go_type;
      finding.explanation = "a uintptr keeps nothing alive: the collector frees the object, or has";
      finding.hint = "keep an unsafe.Pointer, or the object itself, beside the number";
    }
    group.add(fmt::format("{} → {} ({} bytes)", hex(word.holder.at), hex(word.value),
                          object.element.bytes()),
              object.element.bytes(), {word.holder.at, word.value.value});
  }

  HeapSnapshot& heap_;
  std::map<std::tuple<std::string_view, bool, std::string, std::uint32_t>, Group> groups_;
};

/// Whether the word is a pointer: by the collector's map or, to types that C does not define, by
/// its own type.
bool is_pointer(const BlockHolder& holder, const TypedWord& word) {
  return holder.pointer || (!holder.inside && word.word_type.starts_with('*'));
}

}  // namespace

std::vector<Finding> hidden_objects(HeapSnapshot& heap) {
  Hidden hidden(heap);
  for (const HazardWords::OfObject& word : heap.hazards().of_objects()) hidden.look_at(word);
  return hidden.take();
}

namespace {

/// The functions that run finalizers and cleanups. Source: src/runtime/mfinal.go, mcleanup.go.
bool is_run_by_collector(const AllocationRecords& records, std::uint32_t id) {
  const auto stack = records.stack(id);
  if (!stack) return false;
  for (const StackElement& element : stack->elements) {
    const auto* frame = std::get_if<Frame>(&element);
    if (frame == nullptr) continue;
    for (const std::string_view name :
         {"runtime.runfinq", "runtime.runFinalizers", "runtime.runCleanups", "runtime.runCleanup"})
      if (frame->function == name) return true;
  }
  return false;
}

/// Pointers to freed blocks, by who has them and who freed them.
class Dangling {
 public:
  explicit Dangling(HeapSnapshot& heap) : heap_(heap) {}

  void look_at(const HazardWords::OfFreed& word) {
    const BlockHolder& holder = word.holder;
    const CBlockTable::Block& block = heap_.hazards().freed()[word.block];
    const AgentBlock* record =
        heap_.records() == nullptr ? nullptr : heap_.records()->last_free_of(block.begin);
    if (!word.call.empty()) return in_call(word, block, record);
    if (holder.kind != HolderKind::go_object && holder.kind != HolderKind::go_global) return;
    const TypedWord typed = heap_.typed_place(holder);
    if (!is_pointer(holder, typed)) return;
    Group& group = group_of("dangling.go-holds-freed", text_of(typed, holder), record);
    Finding& finding = group.finding;
    if (finding.explanation.empty()) {
      finding.level = FindingLevel::warning;
      finding.go_type = typed.go_type;
      finding.explanation =
          "a living object or variable of Go still points there: what uses it reads or frees what "
          "belongs to others";
      finding.hint = freed_by(record) == 0 ? "the agent (LD_PRELOAD) records who frees"
                                           : "set it to nil where the block is freed";
    }
    add(group, holder, block, record);
  }

  std::vector<Finding> take() {
    std::vector<Finding> out;
    for (auto& [key, group] : groups_) {
      const auto& [id, place, allocated, freed] = key;
      const std::string count = counted(group.finding.subjects.size(), "pointer");
      out.push_back(group.take(
          id == kInUse
              ? fmt::format("{} to C memory that a finalizer freed while {} uses it", count, place)
              : fmt::format("{} to C memory that was freed: {}", count, place)));
    }
    return by_level(std::move(out));
  }

 private:
  static constexpr std::string_view kInUse = "dangling.finalizer-in-use";

  static std::uint32_t freed_by(const AgentBlock* record) {
    return record == nullptr || !record->freed ? 0 : record->freed->stack;
  }

  Group& group_of(std::string_view id, std::string place, const AgentBlock* record) {
    const std::uint32_t allocated = record == nullptr ? 0 : record->stack;
    Group& group = groups_[{id, std::move(place), allocated, freed_by(record)}];
    if (!group.finding.id.empty()) return group;
    group.finding.id = id;
    if (freed_by(record) != 0) group.finding.stacks.push_back({"freed", freed_by(record)});
    if (allocated != 0) group.finding.stacks.push_back({"allocated", allocated});
    return group;
  }

  static void add(Group& group, const BlockHolder& holder, const CBlockTable::Block& block,
                  const AgentBlock* record) {
    if (!group.finding.address) group.finding.address = holder.at;
    group.add(fmt::format("{} → {} ({} bytes)", hex(holder.at), hex(block.begin),
                          record == nullptr ? block.bytes : record->bytes),
              block.bytes, {holder.at, block.begin.value});
  }

  /// A call may free what it was given, and so may C on another thread. A finalizer may not.
  void in_call(const HazardWords::OfFreed& word, const CBlockTable::Block& block,
               const AgentBlock* record) {
    if (freed_by(record) == 0 || record->freed->goroutine == word.holder.from) return;
    if (!is_run_by_collector(*heap_.records(), freed_by(record))) return;
    Group& group =
        group_of(kInUse, fmt::format("{} on goroutine {}", word.call, word.holder.from), record);
    Finding& finding = group.finding;
    finding.level = FindingLevel::error;
    finding.explanation =
        "the object that the finalizer or cleanup belongs to died while the call was open: C works "
        "on memory that is freed";
    finding.hint = "runtime.KeepAlive of the object behind the call";
    add(group, word.holder, block, record);
  }

  HeapSnapshot& heap_;
  std::map<std::tuple<std::string_view, std::string, std::uint32_t, std::uint32_t>, Group> groups_;
};

}  // namespace

std::vector<Finding> dangling_pointers(HeapSnapshot& heap) {
  Dangling dangling(heap);
  for (const HazardWords::OfFreed& word : heap.hazards().of_freed()) dangling.look_at(word);
  return dangling.take();
}

}  // namespace cgo
