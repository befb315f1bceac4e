#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>

#include "lldb-plugin/command_context.h"
#include "lldb-plugin/goroutine_rows.h"
#include "lldb-plugin/stack_folding.h"
#include "unwind/format.h"

namespace cgo {
namespace {

struct Listing {
  std::vector<GoroutineRow> rows;
  std::size_t total = 0;      ///< Before --where and --limit.
  std::size_t matching = 0;   ///< After --where.
  std::size_t looked_at = 0;  ///< Threads and goroutines, of those there are.
  std::size_t there_are = 0;
  bool whole = true;
};

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

bool row_matches(const GoroutineRow& row, std::string_view text) {
  if (contains(row.state, text) || contains(row.wait_reason.value_or(""), text)) return true;
  for (const StackElement& element : row.stack.elements)
    if (const Frame* frame = std::get_if<Frame>(&element))
      if (contains(frame->function, text) || contains(frame->file, text)) return true;
  return contains(row.created_by ? row.created_by->function : std::string_view{}, text);
}

Listing list_goroutines(CommandContext& context, const CommandLine& line, const Stop& stop,
                        const Inventory& inventory) {
  Listing listing;
  std::vector<StackOwner> owners = inventory.threads;
  owners.insert(owners.end(), inventory.parked.begin(), inventory.parked.end());
  const auto where = line.text("--where");
  const bool keep_stacks = line.has("--group");
  std::map<std::size_t, std::vector<GoroutineRow>> pieces;  // By first index.
  std::mutex mutex;
  listing.there_are = owners.size();
  context.activity.begin("reading goroutines", owners.size());
  listing.whole = for_each_piece(stop, owners.size(), context.activity,
                                 [&](std::size_t begin, std::size_t end) {
                                   std::vector<GoroutineRow> rows;
                                   std::size_t seen = 0;
                                   for (std::size_t i = begin; i < end; ++i) {
                                     auto row = goroutine_row(stop, owners[i]);
                                     if (!row) continue;
                                     ++seen;
                                     if (where && !row_matches(*row, *where)) continue;
                                     if (!keep_stacks) row->stack.elements.clear();
                                     rows.push_back(*std::move(row));
                                   }
                                   const std::lock_guard lock(mutex);
                                   listing.total += seen;
                                   listing.looked_at += end - begin;
                                   pieces.emplace(begin, std::move(rows));
                                 });
  context.activity.end();
  for (auto& [begin, rows] : pieces)
    std::move(rows.begin(), rows.end(), std::back_inserter(listing.rows));
  std::stable_sort(listing.rows.begin(), listing.rows.end(),
                   [](const GoroutineRow& a, const GoroutineRow& b) { return a.id < b.id; });
  listing.matching = listing.rows.size();
  return listing;
}

std::size_t limit_of(const CommandLine& line) {
  return static_cast<std::size_t>(line.number("--limit").value_or(SIZE_MAX));
}

struct Group {
  const GoroutineRow* example = nullptr;
  std::vector<std::uint64_t> members;
};

/// Largest first; equal sizes by the lowest number.
std::vector<Group> groups_of(const std::vector<GoroutineRow>& rows) {
  std::map<std::string, Group> by_key;
  for (const GoroutineRow& row : rows) {
    Group& group = by_key[folding_key(row.stack)];
    if (group.example == nullptr) group.example = &row;
    group.members.push_back(row.id);
  }
  std::vector<Group> groups;
  for (auto& [key, group] : by_key) groups.push_back(std::move(group));
  std::sort(groups.begin(), groups.end(), [](const Group& a, const Group& b) {
    return a.members.size() != b.members.size() ? a.members.size() > b.members.size()
                                                : a.members.front() < b.members.front();
  });
  return groups;
}

std::string grouped_text(const Listing& listing, std::size_t limit, const FormatOptions& options) {
  const std::vector<Group> groups = groups_of(listing.rows);
  std::string out;
  for (std::size_t i = 0; i < groups.size() && i < limit; ++i) {
    out += fmt::format("{} goroutine{}: {}\n", groups[i].members.size(),
                       groups[i].members.size() == 1 ? "" : "s", format_members(groups[i].members));
    Stack stack = groups[i].example->stack;
    stack.thread.reset();
    out += format_stack(stack, options);
    if (!out.ends_with('\n')) out += '\n';
    out += '\n';
  }
  out += fmt::format("{} goroutines in {} groups", listing.matching, groups.size());
  if (groups.size() > limit) out += fmt::format(", {} groups shown", limit);
  return out + '\n';
}

std::string grouped_json(const Listing& listing, std::size_t limit, const Answer& answer) {
  const std::vector<Group> groups = groups_of(listing.rows);
  std::string out =
      fmt::format(R"({{"schema":"lldb-cgo/goroutines/1","total":{},"matching":{},"groups":[)",
                  listing.total, listing.matching);
  for (std::size_t i = 0; i < groups.size() && i < limit; ++i) {
    if (i > 0) out += ',';
    out += fmt::format(R"({{"count":{},"goroutines":[{}],"stack":)", groups[i].members.size(),
                       fmt::join(groups[i].members, ","));
    append_stack_json(out, groups[i].example->stack);
    out += '}';
  }
  return out + "]" + partial_json(answer) + "}\n";
}

std::string listed_json(const Listing& listing, std::size_t limit, const Answer& answer) {
  std::string out = R"({"schema":"lldb-cgo/goroutines/1","goroutines":[)";
  for (std::size_t i = 0; i < listing.rows.size() && i < limit; ++i) {
    if (i > 0) out += ',';
    append_row_json(out, listing.rows[i]);
  }
  return out +
         fmt::format(R"(],"total":{},"matching":{}{}}})", listing.total, listing.matching,
                     partial_json(answer)) +
         "\n";
}

std::string listed_text(const Listing& listing, std::size_t limit, bool colour) {
  std::string out;
  for (std::size_t i = 0; i < listing.rows.size() && i < limit; ++i)
    out += format_row(listing.rows[i], colour);
  if (listing.rows.empty()) return out;
  out += fmt::format("{} goroutine{}", listing.matching, listing.matching == 1 ? "" : "s");
  if (listing.matching != listing.total) out += fmt::format(" of {}", listing.total);
  if (listing.rows.size() > limit) out += fmt::format(", {} shown", limit);
  return out + '\n';
}

}  // namespace

Answer run_goroutines(CommandContext& context, const CommandLine& line) {
  const auto found = context.subject.stop();
  if (!found) return no_stop(found.error());
  const Stop& stop = **found;
  if (stop.program->runtimes.all.empty()) return no_go(stop);
  const Inventory inventory = take_inventory(stop);
  const Listing listing = list_goroutines(context, line, stop, inventory);
  const std::size_t limit = limit_of(line);
  Answer answer;
  if (!listing.whole)
    answer.warnings.push_back(cut_short(context.activity, listing.looked_at, listing.there_are,
                                        "threads and goroutines"));
  for (const Error& problem : inventory.problems) answer.warnings.push_back(problem.message);
  finish(answer, stop);
  const bool grouped = line.has("--group");
  if (line.has("--json"))
    answer.out =
        grouped ? grouped_json(listing, limit, answer) : listed_json(listing, limit, answer);
  else if (listing.rows.empty() && listing.whole)
    answer.out = fmt::format("0 goroutines found (looked at {})\n", listing.total);
  else
    answer.out = grouped ? grouped_text(listing, limit, {.colour = context.colour})
                         : listed_text(listing, limit, context.colour);
  return answer;
}

}  // namespace cgo
