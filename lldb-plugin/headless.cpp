// The lldb-cgo program: the commands of the plugin for scripts and crash triage. Cores are read
// without LLDB; a live process, a script, or a core of a kind that is not known here goes through
// the plugin, which brings LLDB with it.
#include <malloc.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "lldb-plugin/command_context.h"
#include "lldb-plugin/command_help.h"
#include "lldb-plugin/core_subject.h"
#include "lldb-plugin/headless_answer.h"
#include "lldb-plugin/headless_lldb.h"
#include "lldb-plugin/headless_trace.h"
#include "lldb-plugin/program_subject.h"
#include "unwind/format.h"

namespace cgo {
namespace {

/// What to try, as it is said outside of LLDB.
std::string headless_hint(std::string hint) {
  for (std::size_t at = 0; (at = hint.find("'cgo ", at)) != std::string::npos; at += 10)
    hint.replace(at, 5, "'lldb-cgo ");
  return hint;
}

int print(StandardOutput& out, Answer answer, std::string_view command) {
  if (answer.failure) answer.failure->hint = headless_hint(answer.failure->hint);
  return print_answer(out, answer, command);
}

int bad_arguments(const std::string& message, const std::string& hint) {
  std::fprintf(stderr, "lldb-cgo: %s\n  try: %s\n", escaped(message).c_str(), hint.c_str());
  return static_cast<int>(ExitStatus::bad_arguments);
}

int about(const CommandLine& line) {
  Answer answer;
  if (line.command->name == "version") {
    answer.out = "lldb-cgo " + std::string(version_text()) + "\n";
  } else {
    HelpAnswer help = help_answer(line, Host::headless);
    if (!help.wrong.empty()) return bad_arguments(help.wrong, "lldb-cgo help");
    answer.out = std::move(help.text);
  }
  StandardOutput out;
  return print(out, answer, line.command->name);
}

bool use_colour(const CommandLine& line) {
  return !line.has("--json") && isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr;
}

int read_core(const CommandLine& line, const std::string& core, Interrupts& interrupts) {
  StandardOutput out;
  const auto fail = [&](Failure failure) {
    return print(out, Answer::failed(std::move(failure)), line.command->name);
  };
  if (const auto exe = line.text("--exe"))
    if (const auto file = ElfFile::open(*exe); !file)
      return fail({"cannot open the program", file.error().message,
                   "give the ELF file that the core was written by"});
  auto subject = open_core_subject(core, line.text("--exe").value_or(""));
  if (!subject && subject.error().code == ErrorCode::io_failure)
    return fail({"cannot open the core", subject.error().message, "give a file that can be read"});
  if (!subject && subject.error().code == ErrorCode::malformed_data)
    return fail({"cannot read the core", subject.error().message,
                 "give an ELF core (of the kernel or gcore) or a minidump of LLDB"});
  if (!subject) return run_through_lldb(line, interrupts);
  if (interrupts > 0) return fail(interrupted_early());
  const std::unique_ptr<Activity> activity = terminal_activity(interrupts);
  CommandContext context{**subject, *activity, Host::headless, use_colour(line),
                         [&](std::string_view text) { out.write(text); }};
  return print(out, run_reading_command(context, line), line.command->name);
}

int read_program(const CommandLine& line, const std::string& exe, Interrupts& interrupts) {
  StandardOutput out;
  auto subject = open_program_subject(exe);
  if (!subject)
    return print(out,
                 Answer::failed({"cannot open the program", subject.error().message,
                                 "give an ELF program or library"}),
                 line.command->name);
  const std::unique_ptr<Activity> activity = terminal_activity(interrupts);
  CommandContext context{**subject, *activity, Host::headless, use_colour(line),
                         [&](std::string_view text) { out.write(text); }};
  return print(out, run_reading_command(context, line), line.command->name);
}

int run(const std::vector<std::string>& words, Interrupts& interrupts) {
  if (words.empty()) {
    std::fputs(help_overview(Host::headless).c_str(), stderr);
    return static_cast<int>(ExitStatus::bad_arguments);
  }
  std::string name = words[0];
  if (name == "--help" || name == "-h") name = "help";
  if (name == "--version" || name == "-V") name = "version";
  const Command* command = find_command(name, Host::headless);
  if (command == nullptr)
    return bad_arguments(unknown_command(name, Host::headless).message, "lldb-cgo help");
  const auto line = parse_command_line(*command, std::span(words).subspan(1), Host::headless);
  const std::string more = "lldb-cgo help " + name;
  if (!line) return bad_arguments(name + ": " + line.error().message, more);
  if (line->help) {
    StandardOutput out;
    return print(out, Answer{.out = help_for(*command, Host::headless)}, name);
  }
  if (command->needs == Needs::nothing) return about(*line);
  if (command->needs == Needs::running) return trace_headless(*line, interrupts);
  const auto core = line->text("--core");
  if (!core && !line->has("--pid") && line->has("--exe") && command->needs == Needs::program)
    return read_program(*line, *line->text("--exe"), interrupts);
  if (core.has_value() == line->has("--pid"))
    return bad_arguments(name + ": one of --core FILE and --pid N says what to look at", more);
  if (line->has("--exe") && !core) return bad_arguments(name + ": --exe goes with --core", more);
  if (name == "script" && access(line->positionals.at(0).c_str(), R_OK) != 0)
    return bad_arguments("script: cannot read " + line->positionals[0], more);
  if (core && name != "script") return read_core(*line, *core, interrupts);
  return run_through_lldb(*line, interrupts);
}

}  // namespace
}  // namespace cgo

int main(int argc, char** argv) try {
  cgo::Interrupts& interrupts = cgo::count_interrupts();
  cgo::survive_broken_pipes();
  // Answers are made in pieces of hundreds of kilobytes: not a system call and fresh pages for
  // each.
  mallopt(M_MMAP_THRESHOLD, 64 << 20);
  mallopt(M_TRIM_THRESHOLD, 256 << 20);
  return cgo::run(std::vector<std::string>(argv + 1, argv + argc), interrupts);
} catch (const std::exception& error) {
  std::fprintf(stderr, "lldb-cgo: an internal error: %s\n  try: please report it\n", error.what());
  return static_cast<int>(cgo::ExitStatus::no_target);
}
