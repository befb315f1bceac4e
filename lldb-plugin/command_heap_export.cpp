#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "lldb-plugin/heap_command.h"
#include "lldb-plugin/whole_file.h"
#include "owners/heap_profile.h"
#include "profiles/dot_graph.h"
#include "profiles/flame_graph.h"
#include "profiles/folded_stacks.h"
#include "profiles/pprof.h"
#include "unwind/format.h"

namespace cgo {
namespace {

constexpr std::array<std::string_view, 4> kFormats = {"pprof", "folded", "dot", "svg"};

/// What the words of the command ask for.
struct Export {
  std::string format, file;
  Weight weight = Weight::bytes;
  std::size_t most_nodes = kMostDotNodes;
  HeapProfileOptions options;

  bool to_stdout() const { return file == "-"; }
};

Error bad(std::string what) { return Error{ErrorCode::not_found, std::move(what)}; }

Result<std::vector<BlockVerdict>> verdicts_in(const std::optional<std::string>& word) {
  if (!word) return std::vector<BlockVerdict>{};
  std::vector<BlockVerdict> out;
  for (const BlockVerdict verdict : {BlockVerdict::held, BlockVerdict::leaked_go_owner_dead,
                                     BlockVerdict::leaked_unreachable, BlockVerdict::unknown})
    if (name_of(verdict) == *word || (*word == "leaked" && name_of(verdict).starts_with("leaked_")))
      out.push_back(verdict);
  if (out.empty()) return bad(fmt::format("'{}' is no verdict", *word));
  return out;
}

Result<Export> read_words(const CommandLine& line, Host host) {
  Export out;
  if (line.positionals.size() > 1)
    return bad(fmt::format("'{}' says too much", line.positionals[1]));
  out.format = line.text("--format").value_or("");
  if (std::ranges::find(kFormats, out.format) == kFormats.end())
    return bad(out.format.empty() ? "'export' needs --format"
                                  : fmt::format("'{}' is no format", out.format));
  if (line.has("--group")) return bad("'export' has no --group: its samples are groups");
  out.file = line.text("--out").value_or("");
  if (out.file.empty()) return bad("'export' needs --out FILE");
  if (out.to_stdout() && host == Host::lldb)
    return bad("inside LLDB there is no standard output to write to");
  if (out.to_stdout() && line.has("--json"))
    return bad("--json and --out - would both write to standard output");
  out.most_nodes = line.number("--limit").value_or(kMostDotNodes);
  const std::string by = line.text("--by").value_or("bytes");
  if (by != "bytes" && by != "blocks") return bad(fmt::format("'{}' is nothing to count by", by));
  out.weight = by == "bytes" ? Weight::bytes : Weight::blocks;
  auto verdicts = verdicts_in(line.text("--verdict"));
  if (!verdicts) return std::move(verdicts).error();
  out.options = {.holders = line.has("--holders") || out.format == "dot",
                 .plumbing = line.has("--raw"),
                 .verdicts = *std::move(verdicts)};
  return out;
}

Result<std::string> written(const Profile& profile, const Export& asked) {
  if (asked.format == "pprof") return pprof_file(profile);
  if (asked.format == "folded") return folded_stacks(profile, asked.weight);
  if (asked.format == "dot") return dot_graph(profile, asked.most_nodes);
  return flame_graph(profile, {.weight = asked.weight});
}

/// A note that is among the warnings of the answer by itself.
bool about_the_answer(std::string_view note) {
  return note.starts_with("Missing: ") || note.starts_with("Recorded: ");
}

std::string told(const HeapProfile& made, const Export& asked, std::size_t bytes) {
  const Profile& profile = made.profile;
  const std::uint64_t blocks = profile.blocks();
  std::string out =
      fmt::format("{}: {}, {} bytes: {} block{} of C memory, {} bytes, by {}\n",
                  escaped(asked.file), asked.format, bytes, blocks, blocks == 1 ? "" : "s",
                  profile.bytes(), made.by_holders ? "what holds them" : "who allocated them");
  for (const std::string& note : profile.notes)
    if (!about_the_answer(note)) out += note + "\n";
  return out;
}

std::string told_as_json(const HeapProfile& made, const Export& asked, std::size_t bytes,
                         const Answer& answer) {
  const Profile& profile = made.profile;
  return fmt::format(
             R"({{"schema":"lldb-cgo/heap/1","blocks":[],"export":{{"file":{},"format":"{}","by":"{}","file_bytes":{},"blocks":{},"bytes":{},"samples":{},"stacks":{},"not_recorded":{}}})",
             json_string(asked.file), asked.format, made.by_holders ? "holders" : "stacks", bytes,
             profile.blocks(), profile.bytes(), profile.samples.size(), profile.stacks.size(),
             made.not_recorded) +
         partial_json(answer) + "}\n";
}

}  // namespace

Answer run_heap_export(CommandContext& context, const CommandLine& line) {
  auto asked = read_words(line, context.host);
  if (!asked)
    return Answer::failed({asked.error().message, "",
                           "cgo heap export --format pprof|folded|dot|svg --out FILE",
                           ExitStatus::bad_arguments});
  if (context.host == Host::lldb) asked->file = with_home(asked->file);
  const auto found = context.subject.stop();
  if (!found) return no_stop(found.error());
  const Stop& stop = **found;
  Answer answer;
  const auto heap = heap_of(stop, answer, {});
  const HeapProfile made = heap_profile(*heap, *stop.program->images, asked->options);
  auto contents = written(made.profile, *asked);
  if (!contents) return Answer::failed({contents.error().message, "", "", ExitStatus::no_target});
  if (asked->to_stdout()) {
    for (const std::string& note : made.profile.notes)
      if (!about_the_answer(note)) answer.warnings.push_back(note);
    answer.out = *std::move(contents);
    return answer;
  }
  if (const auto done = write_whole_file(asked->file, *contents); !done)
    return Answer::failed({done.error().message, "", "another --out", ExitStatus::bad_arguments});
  answer.out = line.has("--json") ? told_as_json(made, *asked, contents->size(), answer)
                                  : told(made, *asked, contents->size());
  return answer;
}

}  // namespace cgo
