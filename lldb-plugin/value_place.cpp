#include "lldb-plugin/value_place.h"

#include <fmt/format.h>

#include "values/describe_address.h"
#include "values/type_parameters.h"

namespace cgo {
namespace {

Failure no_such(std::string what, std::string why, std::string hint) {
  return {std::move(what), std::move(why), std::move(hint), ExitStatus::no_target};
}

struct FoundOwner {
  std::optional<StackOwner> owner;
  std::optional<Failure> failure;
};

FoundOwner goroutine_owner(const Stop& stop, std::uint64_t id) {
  Inventory inventory = take_inventory(stop);
  for (StackOwner& owner : inventory.parked)
    if (owner.goroutine->id == id) return {std::move(owner), std::nullopt};
  for (StackOwner& owner : inventory.threads) {
    const CollectedStack collected = collect_stack(stop, owner, {1, 0});
    if (collected.goroutine && collected.goroutine->id == id)
      return {std::move(owner), std::nullopt};
  }
  return {std::nullopt, no_such(fmt::format("no goroutine {}", id),
                                fmt::format("looked through {} threads and {} goroutines",
                                            inventory.threads.size(), inventory.parked.size()),
                                "'cgo goroutines' lists them")};
}

FoundOwner find_owner(CommandContext& context, const CommandLine& line, const Stop& stop) {
  auto id = line.number("--goroutine");
  if (!id && !line.has("--thread")) id = context.subject.selected_goroutine();
  if (id) return goroutine_owner(stop, *id);
  const auto index = line.number("--thread");
  const auto tid = context.subject.selected_thread();
  for (StackOwner& owner : threads_of(stop))
    if (index ? owner.thread->index == *index : owner.thread->tid == tid)
      return {std::move(owner), std::nullopt};
  if (index)
    return {std::nullopt,
            no_such(fmt::format("no thread {}", *index), "the process has no thread of this index",
                    "'cgo bt --all' shows the threads")};
  return {std::nullopt, no_such("no thread is selected", "the process has no threads",
                                "run it, or open a core that has threads")};
}

std::size_t usual_frame(CommandContext& context, const ValuePlace& place) {
  const auto& thread = place.collected.stack.thread;
  if (thread)
    if (const auto selected = context.subject.selected_frame(thread->tid)) return *selected;
  for (std::size_t i = 0; i < place.elements.size(); ++i) {
    const auto& element = place.collected.stack.elements[place.elements[i]];
    if (!std::get<Frame>(element).plumbing) return i;
  }
  return 0;
}

}  // namespace

Result<std::vector<FrameVariable>> ValuePlace::variables() const {
  if (!has_frame()) return Error{ErrorCode::not_found, "the stack has no frames"};
  auto position = position_of(collected.stack.elements, elements[number]);
  if (!position) return std::move(position).error();
  const FrameSource source{.memory = &stop->debuggee->memory(),
                           .images = stop->program->images.get(),
                           .dwarf = stop->program->dwarf,
                           .walk = &collected.walk};
  auto found = frame_variables(source, *position);
  if (found) resolve_type_parameters(*context, *found);
  return found;
}

FoundPlace find_value_place(CommandContext& context, const CommandLine& line) {
  if (line.has("--goroutine") && line.has("--thread"))
    return {std::nullopt,
            Failure{"more than one stack selector", "--goroutine and --thread exclude each other",
                    "give one of them", ExitStatus::bad_arguments}};
  const auto stop = context.subject.stop();
  if (!stop) return {std::nullopt, no_stop(stop.error()).failure};
  FoundOwner found = find_owner(context, line, **stop);
  if (!found.owner) return {std::nullopt, std::move(found.failure)};
  ValuePlace place{.stop = *stop};
  place.collected = collect_stack(**stop, *found.owner);
  const auto& elements = place.collected.stack.elements;
  for (std::size_t i = 0; i < elements.size(); ++i)
    if (std::holds_alternative<Frame>(elements[i])) place.elements.push_back(i);
  const auto wanted = line.number("--frame");
  place.number = wanted ? static_cast<std::size_t>(*wanted) : usual_frame(context, place);
  if (wanted && !place.has_frame())
    return {std::nullopt,
            no_such(fmt::format("no frame {}", *wanted),
                    place.elements.empty()
                        ? "the stack has no frames"
                        : fmt::format("the stack has frames 0 to {}", place.elements.size() - 1),
                    "'cgo bt --raw' shows all frames")};
  place.context = std::make_unique<const ProgramContext>(
      ProgramContext::Parts{.memory = &(*stop)->debuggee->memory(),
                            .images = (*stop)->program->images.get(),
                            .runtimes = &(*stop)->program->runtimes,
                            .dwarf = (*stop)->program->dwarf,
                            .describer = (*stop)->addresses.get()},
      place.collected.runtime);
  return {std::move(place), std::nullopt};
}

}  // namespace cgo
