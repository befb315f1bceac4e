#include "owners/hazard_findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "owners/heap_report.h"
#include "unwind/format.h"

namespace cgo {
namespace {

constexpr std::size_t kMostPlacesShown = 4;

std::string counted(std::uint64_t number, std::string_view what) {
  return fmt::format("{} {}{}", number, what, number == 1 ? "" : "s");
}

/// "main.Owner.Blob".
std::string field_text(const TypedWord& word) {
  if (word.go_type.empty()) return {};
  return word.go_type + (word.field.empty()            ? ""
                         : word.field.starts_with('[') ? word.field
                                                       : "." + word.field);
}

std::string text_of(const TypedWord& word, const BlockHolder& holder) {
  std::string path;
  for (const std::string& step : word.path) path += (path.empty() ? "" : " ") + step;
  if (holder.kind == HolderKind::go_global && !path.empty()) return path;
  const std::string field = field_text(word);
  return field.empty() ? "a Go object whose type is not known" : field;
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

bool is_leak(BlockVerdict verdict) {
  return verdict == BlockVerdict::leaked_go_owner_dead ||
         verdict == BlockVerdict::leaked_unreachable;
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
      finding.level = object.reached ? FindingLevel::warning : FindingLevel::error;
      finding.address = word.holder.at;
      finding.explanation = object.reached ? "it lives as long as something in Go holds it too; C "
                                             "may not keep a pointer that is "
                                             "not pinned"
                                           : "the collector frees it, or has: what C reads or "
                                             "writes there is another object then";
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

std::vector<Finding> dangling_pointers(HeapSnapshot& heap) {
  std::map<std::tuple<std::string, std::uint32_t, std::uint32_t>, Group> groups;
  for (const HazardWords::OfFreed& word : heap.hazards().of_freed()) {
    const BlockHolder& holder = word.holder;
    if (holder.kind != HolderKind::go_object && holder.kind != HolderKind::go_global) continue;
    const TypedWord typed = heap.typed_place(holder);
    if (!is_pointer(holder, typed)) continue;
    const CBlockTable::Block& block = heap.hazards().freed()[word.block];
    const AgentBlock* freed =
        heap.records() == nullptr ? nullptr : heap.records()->last_free_of(block.begin);
    const std::uint32_t allocated = freed == nullptr ? 0 : freed->stack;
    const std::uint32_t freed_by = freed == nullptr || !freed->freed ? 0 : freed->freed->stack;
    Group& group = groups[{text_of(typed, holder), allocated, freed_by}];
    Finding& finding = group.finding;
    if (finding.id.empty()) {
      finding.id = "dangling.go-holds-freed";
      finding.level = FindingLevel::warning;
      finding.address = holder.at;
      finding.go_type = typed.go_type;
      finding.explanation =
          "a living object or variable of Go still points there: what uses it reads or frees what "
          "belongs to others";
      if (freed_by != 0) finding.stacks.push_back({"freed", freed_by});
      if (allocated != 0) finding.stacks.push_back({"allocated", allocated});
      finding.hint = freed_by == 0 ? "the agent (LD_PRELOAD) records who frees"
                                   : "set it to nil where the block is freed";
    }
    group.add(fmt::format("{} → {} ({} bytes)", hex(holder.at), hex(block.begin),
                          freed == nullptr ? block.bytes : freed->bytes),
              block.bytes, {holder.at, block.begin.value});
  }
  std::vector<Finding> out;
  for (auto& [key, group] : groups) {
    const std::uint64_t count = group.finding.subjects.size();
    out.push_back(group.take(fmt::format("{} to C memory that was freed: {}",
                                         counted(count, "pointer"), std::get<0>(key))));
  }
  return by_level(std::move(out));
}

}  // namespace cgo
