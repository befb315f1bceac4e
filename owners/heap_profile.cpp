#include "owners/heap_profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "owners/holder_ways.h"
#include "owners/owner_rows.h"

namespace cgo {
namespace {

/// What a frame is, for colours. Source: cmd/cgo/out.go: names of functions that it writes.
StepKind kind_of(const Frame& frame) {
  const auto has = [&](std::string_view part) {
    return frame.function.find(part) != std::string_view::npos;
  };
  if (has("_Cfunc_") || has("_C2func_") || has("_cgoexp_") || has("._cgo_"))
    return StepKind::crossing;
  if (frame.language == Language::go || frame.language == Language::assembly) return StepKind::go;
  if (frame.language == Language::c || frame.language == Language::cxx) return StepKind::c;
  return StepKind::note;
}

/// What is left out with the plumbing: all of it but the function that C's call of Go went through.
bool shown(const Frame& frame, bool plumbing) {
  return plumbing || !frame.plumbing || frame.function.starts_with("_cgoexp_");
}

/// Puts recorded stacks into a profile, each once.
class StackTranslator {
 public:
  StackTranslator(const AllocationRecords& records, const ImageMap& images, bool plumbing,
                  ProfileBuilder& out)
      : records_(records), images_(images), plumbing_(plumbing), out_(out) {
    if (!images.all().empty()) (void)mapping_of(images.all().front(), images.all().front().range);
  }

  std::uint32_t stack(std::uint32_t id) {
    const auto [found, fresh] = stacks_.try_emplace(id);
    if (fresh) found->second = out_.stack(places_of(id));
    return found->second;
  }

 private:
  std::vector<std::uint32_t> places_of(std::uint32_t id) {
    const auto stack = records_.stack(id);
    if (!stack)
      return {out_.step(fmt::format("[stack cannot be read: {}]", stack.error().message),
                        StepKind::note)};
    std::vector<std::uint32_t> out;
    const auto& elements = stack->elements;
    for (std::size_t i = 0; i < elements.size();) {
      if (const auto* gap = std::get_if<Gap>(&elements[i])) {
        out.push_back(out_.step("[" + gap->why + "]", StepKind::note));
        ++i;
        continue;
      }
      if (const auto place = place_at(elements, i)) out.push_back(*place);
    }
    if (!stack->complete())
      out.push_back(out_.step(
          fmt::format("[not whole: {}]", stack->error ? stack->error->message : "no reason"),
          StepKind::note));
    return out;
  }

  /// The functions that are inlined in the frame at `i`, and that one; moves `i` behind them.
  /// Nothing where all of them are left out.
  std::optional<std::uint32_t> place_at(const std::vector<StackElement>& elements, std::size_t& i) {
    const Frame& first = std::get<Frame>(elements[i]);
    Profile::Place place{.pc = first.pc.for_lookup()};
    for (bool more = true; more && i < elements.size(); ++i) {
      const auto* frame = std::get_if<Frame>(&elements[i]);
      if (frame == nullptr || frame->physical != first.physical ||
          frame->tail_call != first.tail_call)
        break;
      more = frame->inlined;
      if (shown(*frame, plumbing_))
        place.lines.push_back(
            {out_.function(name_of(*frame), frame->file, kind_of(*frame)), frame->line});
    }
    if (place.lines.empty()) return std::nullopt;
    place.mapping = mapping_at(place.pc);
    return out_.place(std::move(place));
  }

  std::string name_of(const Frame& frame) const {
    if (!frame.function.empty()) return std::string(frame.function);
    const Image* image = images_.find(frame.pc.for_lookup());
    if (image == nullptr) return hex(frame.pc.address);
    return fmt::format("{}+{}", image->name(), hex(image->to_file(frame.pc.address)));
  }

  /// The segment of an image's code that has `pc`; 0 for none.
  std::uint32_t mapping_at(Address pc) {
    const Image* image = images_.find(pc);
    return image == nullptr ? 0 : mapping_of(*image, {pc, {pc.value + 1}});
  }

  std::uint32_t mapping_of(const Image& image, AddressRange code) {
    Profile::Mapping out{.range = image.range, .file = image.path};
    if (image.file && !image.mismatch) {
      out.build_id = image.file->build_id().value_or("");
      for (const ElfSegment& segment : image.file->segments()) {
        const AddressRange loaded{
            image.to_load(segment.file_address),
            image.to_load({segment.file_address.value + segment.memory_bytes})};
        if (!segment.loaded() || !segment.executable() || loaded.empty()) continue;
        if (!loaded.contains(code.begin) && code != image.range) continue;
        out.range = loaded;
        out.file_offset = segment.file_offset;
        break;
      }
    }
    return out_.mapping(std::move(out));
  }

  const AllocationRecords& records_;
  const ImageMap& images_;
  bool plumbing_;
  ProfileBuilder& out_;
  std::unordered_map<std::uint32_t, std::uint32_t> stacks_;
};

/// Names of blocks that are counted together: by who allocated them where that is known.
class BlockNames {
 public:
  explicit BlockNames(const HeapSnapshot& heap) : heap_(heap) {}

  std::string operator()(std::uint32_t block) {
    const AgentBlock* record = heap_.record_of(block);
    if (record == nullptr || record->stack == 0)
      return fmt::format("C blocks of {} bytes", heap_.blocks()[block].bytes);
    const auto [found, fresh] = sites_.try_emplace(record->stack);
    if (fresh) found->second = site(record->stack);
    return found->second;
  }

 private:
  std::string site(std::uint32_t id) const {
    const auto stack = heap_.records()->stack(id);
    const Frame* frame = stack ? site_of(*stack) : nullptr;
    if (frame == nullptr) return "C blocks from a place that is not known";
    std::string out = "C blocks from " + std::string(frame->function);
    if (frame->line != 0)
      out += fmt::format(" at {}:{}", frame->file.substr(frame->file.rfind('/') + 1), frame->line);
    return out;
  }

  const HeapSnapshot& heap_;
  std::unordered_map<std::uint32_t, std::string> sites_;
};

/// Fills a profile with the blocks that are asked for.
class HeapProfiler {
 public:
  HeapProfiler(HeapSnapshot& heap, const HeapProfileOptions& options)
      : heap_(heap), options_(options) {}

  HeapProfile run(const ImageMap& images) {
    const bool recorded = heap_.records() != nullptr && !heap_.records()->live().empty();
    HeapProfile out;
    out.by_holders = options_.holders || !recorded;
    if (out.by_holders)
      add_by_holders();
    else
      out.not_recorded = add_by_stacks(images);
    say(out, recorded);
    out.profile = builder_.finish(
        out.by_holders ? "C memory by what holds it" : "C memory by who allocated it",
        out.by_holders ? holder_legend() : stack_legend());
    return out;
  }

 private:
  bool wanted(std::uint32_t block) const {
    return options_.verdicts.empty() ||
           std::ranges::find(options_.verdicts, heap_.verdict(block)) != options_.verdicts.end();
  }

  void add(std::uint32_t block, std::uint32_t stack) {
    const BlockHolder* holder = best_holder(heap_.graph(), block);
    const OwnerRow row = owner_row(heap_, holder);
    const std::string_view kind = holder == nullptr ? "none"
                                  : holder->kind == HolderKind::dead_go_object
                                      ? "dead_go_object"
                                      : cgo::name_of(holder->kind);
    const std::uint32_t labels =
        builder_.labels({{"go_type", row.go_type},
                         {"field", row.field},
                         {"verdict", std::string(cgo::name_of(heap_.verdict(block)))},
                         {"holder", std::string(kind)}});
    const BlockGraph& graph = heap_.graph();
    builder_.add({.stack = stack,
                  .labels = labels,
                  .blocks = 1,
                  .bytes = heap_.blocks()[block].bytes,
                  .retained_bytes = graph.retained(block) ? 0 : graph.retained_bytes(block)});
  }

  void add_by_holders() {
    const std::function<std::string(std::uint32_t)> names = BlockNames(heap_);
    const HolderWays ways(heap_, names);
    std::unordered_map<std::uint32_t, std::uint32_t> stacks;
    for (std::uint32_t block = 0; block < heap_.blocks().size(); ++block) {
      if (!wanted(block)) continue;
      const auto [found, fresh] = stacks.try_emplace(ways.to(block));
      if (fresh) {
        std::vector<std::uint32_t> places;
        for (std::uint32_t at = ways.to(block); at != 0; at = ways.step(at).above)
          places.push_back(builder_.step(ways.step(at).name, ways.step(at).kind));
        found->second = builder_.stack(std::move(places));
      }
      add(block, found->second);
    }
  }

  std::uint64_t add_by_stacks(const ImageMap& images) {
    StackTranslator stacks(*heap_.records(), images, options_.plumbing, builder_);
    std::uint64_t not_recorded = 0;
    for (std::uint32_t block = 0; block < heap_.blocks().size(); ++block) {
      if (!wanted(block)) continue;
      const AgentBlock* record = heap_.record_of(block);
      if (record != nullptr && record->stack != 0) {
        add(block, stacks.stack(record->stack));
        continue;
      }
      ++not_recorded;
      add(block, builder_.stack({builder_.step("[allocation not recorded]", StepKind::note)}));
    }
    return not_recorded;
  }

  void say(const HeapProfile& made, bool recorded) {
    if (made.by_holders && !recorded)
      builder_.note(
          "No allocation was recorded (the agent was not in the program): the stacks are what "
          "holds "
          "each block, from its root on, not who allocated it.");
    else if (made.by_holders)
      builder_.note(
          "The stacks are what holds each block, from its root on, not who allocated it.");
    if (made.not_recorded != 0)
      builder_.note(
          fmt::format("Of {} blocks the allocation was not recorded.", made.not_recorded));
    for (const std::string& gap : heap_.gaps()) builder_.note("Missing: " + gap);
    if (heap_.records() == nullptr) return;
    for (const std::string& note : heap_.records()->notes()) builder_.note("Recorded: " + note);
  }

  static std::vector<std::pair<StepKind, std::string>> stack_legend() {
    return {
        {StepKind::go, "Go"}, {StepKind::crossing, "between Go and C"}, {StepKind::c, "C and C++"}};
  }

  static std::vector<std::pair<StepKind, std::string>> holder_legend() {
    return {{StepKind::go, "Go holds it"},
            {StepKind::c, "C holds it"},
            {StepKind::lost, "leaked"},
            {StepKind::unclear, "not known"}};
  }

  HeapSnapshot& heap_;
  const HeapProfileOptions& options_;
  ProfileBuilder builder_;
};

}  // namespace

HeapProfile heap_profile(HeapSnapshot& heap, const ImageMap& images,
                         const HeapProfileOptions& options) {
  return HeapProfiler(heap, options).run(images);
}

}  // namespace cgo
