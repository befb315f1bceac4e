#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "lldb-plugin/heap_command.h"
#include "lldb-plugin/heap_sources.h"
#include "lldb-plugin/track_status.h"
#include "owners/hazard_findings.h"
#include "owners/heap_report.h"
#include "unwind/format.h"

namespace cgo {
namespace {

constexpr std::size_t kUsualRows = 40, kUsualBlocks = 20, kUsualJsonBlocks = 1000;

Failure bad_word(std::string what, std::string hint) {
  return {std::move(what), "", std::move(hint), ExitStatus::bad_arguments};
}

std::optional<Address> address_in(std::string_view text) {
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    text.remove_prefix(2);
    base = 16;
  }
  std::uint64_t value = 0;
  const auto end = text.data() + text.size();
  const auto done = std::from_chars(text.data(), end, value, base);
  if (text.empty() || done.ec != std::errc() || done.ptr != end) return std::nullopt;
  return Address{value};
}

/// The largest first.
std::vector<std::uint32_t> blocks_of(const HeapSnapshot& heap, bool leaks_only) {
  std::vector<std::uint32_t> out;
  for (std::uint32_t number = 0; number < heap.blocks().size(); ++number)
    if (!leaks_only || is_leak(heap.verdict(number))) out.push_back(number);
  std::ranges::stable_sort(out, [&](std::uint32_t a, std::uint32_t b) {
    return heap.blocks()[a].bytes > heap.blocks()[b].bytes;
  });
  return out;
}

std::string json(const std::string& keys, const Answer& answer) {
  return R"({"schema":"lldb-cgo/heap/1",)" + keys + partial_json(answer) + "}\n";
}

struct Asked {
  HeapSnapshot& heap;
  const CommandLine& line;
  Answer& answer;

  std::size_t limit(std::size_t text, std::size_t as_json) const {
    return line.number("--limit").value_or(line.has("--json") ? as_json : text);
  }
};

void tell_owners(const Asked& asked) {
  const std::vector<OwnerRow> rows = owner_rows(asked.heap);
  if (asked.line.has("--json"))
    asked.answer.out = json(R"("blocks":[],)" + totals_json(asked.heap, rows), asked.answer);
  else
    asked.answer.out = owners_text(asked.heap, rows, asked.limit(kUsualRows, 0));
}

void tell_blocks(const Asked& asked, bool leaks_only) {
  const auto blocks = blocks_of(asked.heap, leaks_only);
  const std::size_t limit = asked.limit(kUsualBlocks, kUsualJsonBlocks);
  if (asked.line.has("--group")) {
    const auto groups = block_groups(asked.heap, blocks);
    asked.answer.out =
        asked.line.has("--json")
            ? json(R"("blocks":[],)" + groups_json(asked.heap, groups, limit), asked.answer)
            : groups_text(asked.heap, groups, limit) + totals_text(asked.heap);
    return;
  }
  if (asked.line.has("--json")) {
    asked.answer.out = json(blocks_json(asked.heap, blocks, limit) + "," +
                                totals_json(asked.heap, owner_rows(asked.heap)),
                            asked.answer);
    return;
  }
  asked.answer.out = blocks_text(asked.heap, blocks, limit);
  if (blocks.empty())
    asked.answer.out = fmt::format("0 {} found (looked at {} blocks of C)\n",
                                   leaks_only ? "leaks" : "blocks", asked.heap.blocks().size());
  asked.answer.out += totals_text(asked.heap);
}

void tell_address(const Asked& asked, const Stop& stop, Address address) {
  const AddressDescription what = stop.addresses->describe(address);
  const auto block = asked.heap.blocks().find(address);
  const auto object = asked.heap.go_object_at(address);
  if (asked.line.has("--json")) {
    std::vector<std::uint32_t> blocks;
    if (block) blocks.push_back(*block);
    std::string go = "null";
    if (object) {
      std::string path;
      for (const std::string& step : object->word.path)
        path += (path.empty() ? "" : ",") + json_string(step);
      go = fmt::format(R"({{"address":"{}","bytes":{},"reached":{},"go_type":{},"path":[{}]}})",
                       hex(object->element.begin), object->element.bytes(), object->reached,
                       object->word.go_type.empty() ? "null" : json_string(object->word.go_type),
                       path);
    }
    asked.answer.out = json(fmt::format(R"("address":"{}","what":{},"go_object":{},)", hex(address),
                                        json_string(what.text), go) +
                                blocks_json(asked.heap, blocks, 1),
                            asked.answer);
    return;
  }
  asked.answer.out = hex(address) + ": " + escaped(what.text) + "\n";
  if (block) asked.answer.out += blocks_text(asked.heap, {*block}, 1);
  if (!object) return;
  std::string path;
  for (const std::string& step : object->word.path) path += step;
  asked.answer.out += fmt::format(
      "    {}: {}\n", object->reached ? "held by" : "dead, the next collection frees it",
      escaped(path));
}

void tell_hazards(const Asked& asked) {
  HeapSnapshot& heap = asked.heap;
  std::vector<Finding> findings = hidden_objects(heap);
  for (Finding& one : dangling_pointers(heap)) findings.push_back(std::move(one));
  const std::size_t count = std::min(findings.size(), asked.limit(kUsualBlocks, kUsualJsonBlocks));
  if (asked.line.has("--json")) {
    std::string out;
    for (std::size_t i = 0; i < count; ++i)
      out += (i == 0 ? "" : ",") + finding_json(findings[i], heap.records());
    asked.answer.out =
        fmt::format(
            R"({{"schema":"lldb-cgo/findings/1","findings":[{}],"shown":{},"matching":{}{}}})", out,
            count, findings.size(), partial_json(asked.answer)) +
        "\n";
    return;
  }
  for (std::size_t i = 0; i < count; ++i)
    asked.answer.out += format_finding(findings[i], heap.records(), true);
  if (count < findings.size())
    asked.answer.out += fmt::format("{} more; --limit N shows them\n", findings.size() - count);
  if (findings.empty())
    asked.answer.out = fmt::format(
        "0 hazards found (looked at {} blocks of C, {} freed ones, and all of Go's memory)\n",
        heap.blocks().size(), heap.hazards().freed().size());
}

/// Outside of LLDB there is no next launch.
Answer run_track_status(CommandContext& context, const CommandLine& line) {
  if (line.positionals.size() == 2 && line.positionals[1] == "status")
    return track_status(context, line);
  return Answer::failed(
      bad_word("only 'track status' can be asked here", "in LLDB: cgo heap track on|off|status"));
}

}  // namespace

std::unique_ptr<HeapSnapshot> heap_of(const Stop& stop, Answer& answer,
                                      const HeapSnapshot::Options& options) {
  auto heap = HeapSnapshot::take(heap_sources(stop), options);
  for (const std::string& gap : heap->gaps()) answer.warnings.push_back(gap);
  if (heap->records() != nullptr)
    for (const std::string& note : heap->records()->notes()) answer.warnings.push_back(note);
  finish(answer, stop);
  return heap;
}

Answer run_heap(CommandContext& context, const CommandLine& line) {
  const std::string_view verb = line.positionals[0];
  if (verb == "track") return run_track_status(context, line);
  if (verb == "export") return run_heap_export(context, line);
  const bool find = verb == "find";
  const bool hazards = verb == "hazards";
  if (!find && !hazards && verb != "owners" && verb != "blocks" && verb != "leaks")
    return Answer::failed(
        bad_word(fmt::format("'{}' is no question about the heap", verb),
                 "owners, blocks, leaks, hazards, find ADDRESS, track, or export"));
  for (const std::string_view flag :
       {"--format", "--out", "--holders", "--verdict", "--by", "--raw"})
    if (line.has(flag))
      return Answer::failed(bad_word(fmt::format("'{}' has no {}", verb, flag), "'export' has it"));
  std::optional<Address> address;
  if (find) {
    if (line.positionals.size() > 1) address = address_in(line.positionals[1]);
    if (!address)
      return Answer::failed(bad_word("'find' needs an address", "cgo heap find 0x7f0000001000"));
  } else if (line.positionals.size() > 1) {
    return Answer::failed(bad_word(fmt::format("'{}' says too much", line.positionals[1]),
                                   "only 'find' takes an address"));
  }
  const auto found = context.subject.stop();
  if (!found) return no_stop(found.error());
  const Stop& stop = **found;
  Answer answer;
  const auto heap = heap_of(stop, answer, {.hazards = hazards});
  const Asked asked{*heap, line, answer};
  if (find)
    tell_address(asked, stop, *address);
  else if (hazards)
    tell_hazards(asked);
  else if (verb == "owners")
    tell_owners(asked);
  else
    tell_blocks(asked, verb == "leaks");
  return answer;
}

}  // namespace cgo
