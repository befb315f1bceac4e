#include "lldb-plugin/command_table.h"

namespace cgo {
namespace {

constexpr Flag kJson{"--json", ValueKind::none, "", "Answer as one line of JSON."};

constexpr Flag kBtFlags[] = {
    {"--all", ValueKind::none, "", "Every thread and every goroutine; equal stacks are folded."},
    {"--goroutine", ValueKind::number, "N", "The goroutine with this number."},
    {"--thread", ValueKind::number, "N", "The thread with this index (LLDB's \"thread #N\")."},
    {"--limit", ValueKind::number, "N",
     "The N innermost frames of a stack; those that --raw alone shows are not counted."},
    {"--raw", ValueKind::none, "", "Show plumbing frames, pc, sp and the rule of each frame."},
    kJson,
};
constexpr Flag kGoroutinesFlags[] = {
    {"--group", ValueKind::none, "", "Fold goroutines with equal stacks, with counts."},
    {"--where", ValueKind::text, "TEXT",
     "Only those with TEXT in state, reason, function or file."},
    {"--limit", ValueKind::number, "N", "Show at most N (groups with --group)."},
    kJson,
};
constexpr Flag kOfGoroutine{"--goroutine", ValueKind::number, "N", "In a frame of this goroutine."};
constexpr Flag kOfThread{"--thread", ValueKind::number, "N",
                         "In a frame of this thread (its index)."};
constexpr Flag kOfFrame{"--frame", ValueKind::number, "N",
                        "The frame with this number, as cgo bt shows it; else the selected one."};
constexpr Flag kDepth{"--depth", ValueKind::number, "N", "Open at most N levels of a value (3)."};
constexpr Flag kElements{"--elements", ValueKind::number, "N",
                         "At most N elements of a slice, array, map or channel (64)."};
constexpr Flag kString{"--string", ValueKind::number, "N", "At most N bytes of a string (256)."};
constexpr Flag kRawValues{"--raw", ValueKind::none, "",
                          "Fields of well-known types instead of what they mean."};
constexpr Flag kValueFlags[] = {kOfGoroutine, kOfThread, kOfFrame,   kDepth,
                                kElements,    kString,   kRawValues, kJson};
constexpr Flag kPrintFlags[] = {
    kOfGoroutine,
    kOfThread,
    kOfFrame,
    {"--context", ValueKind::none, "",
     "Each layer of a context.Context: key and value, deadline, why it is cancelled."},
    {"--lldb", ValueKind::text, "NAME",
     "Also name it $NAME in LLDB's own p, expr and watchpoints, as a pointer to a C structure."},
    kDepth,
    kElements,
    kString,
    kRawValues,
    kJson};
constexpr Flag kLocalsFlags[] = {
    kOfGoroutine, kOfThread,
    kOfFrame,     kDepth,
    kElements,    kString,
    kRawValues,   {"--no-args", ValueKind::none, "", "Without the parameters."},
    kJson};
constexpr Flag kTypesFlags[] = {{"--limit", ValueKind::number, "N", "At most N types (20)."},
                                kJson};
constexpr Flag kCrossingsFlags[] = {
    {"--limit", ValueKind::number, "N", "Show at most N crossings (100; JSON has all)."}, kJson};
constexpr Flag kSchedFlags[] = {kJson};
constexpr Flag kSignalsFlags[] = {
    {"--call", ValueKind::none, "",
     "Ask the kernel, by system calls that stopped threads of the process make."},
    kJson};
constexpr Positional kHeapQuestion[] = {
    {"QUESTION", ValueKind::text, true, false,
     "owners: blocks by who holds them; blocks: the largest; leaks: what nothing holds any more; "
     "hazards: what one side holds and the other does not know of; find: what is at ADDRESS, and "
     "who holds it; track: record who allocates; export: "
     "all of it into a file."},
    {"WHAT", ValueKind::text, false, false, "find: an address; track: on, off or status."}};
constexpr Flag kHeapFlags[] = {
    {"--group", ValueKind::none, "",
     "blocks, leaks: by where they were allocated, as the agent "
     "recorded it; else by size."},
    {"--limit", ValueKind::number, "N", "At most N rows; of dot at most N nodes (200)."},
    {"--format", ValueKind::text, "FORMAT",
     "export: pprof (for go tool pprof), folded (stacks, a line each), "
     "dot (for Graphviz), svg (a flame graph for a browser)."},
    {"--out", ValueKind::file, "FILE", "export: the file; \"-\" is standard output of lldb-cgo."},
    {"--holders", ValueKind::none, "",
     "export: by what holds the blocks, where the agent recorded who "
     "allocated them too; dot always is."},
    {"--verdict", ValueKind::text, "VERDICT",
     "export: held, leaked, leaked_go_owner_dead, leaked_unreachable "
     "or unknown blocks alone."},
    {"--by", ValueKind::text, "WHAT",
     "export: bytes or blocks are what folded and svg count (bytes)."},
    {"--raw", ValueKind::none, "", "export: with the frames that only carry a crossing."},
    {"--sample", ValueKind::text, "BYTES",
     "track on: record one sample in so many bytes (512k), instead of "
     "every allocation.",
     Host::lldb},
    {"--quarantine", ValueKind::text, "BYTES",
     "track on: each thread holds so many bytes of freed blocks back.", Host::lldb},
    kJson};
constexpr Flag kDoctorFlags[] = {kJson};
constexpr Flag kHelpFlags[] = {
    {"--man", ValueKind::none, "", "The manual page, as roff.", Host::headless},
    {"--completion", ValueKind::text, "SHELL", "Completion for bash or zsh.", Host::headless},
};

constexpr Flag kBreakFlags[] = {
    {"--if", ValueKind::text, "EXPR",
     "Only where EXPR holds: over args.NAME, result, errno, goroutine, thread, duration_ns, "
     "depth."},
    {"--at", ValueKind::text, "FILE:LINE", "Only calls from this line of Go."},
    {"--hits", ValueKind::number, "N", "Stop at the Nth that fits only."},
    {"--every", ValueKind::number, "N",
     "Stop at every Nth that fits; leak and its like: look at every Nth collection only."},
    {"--slower", ValueKind::text, "TIME", "return: only what took TIME (10ms) or longer."},
    {"--errno", ValueKind::none, "", "return: only where C set errno, or Go gets one."},
    {"--python", ValueKind::none, "",
     "return: only where an exception of Python is pending, which Go will not see."},
    {"--moved", ValueKind::none, "",
     "Only where the goroutine's call before was on another thread."},
    {"--log", ValueKind::none, "", "Print a line and go on."},
    {"--uncaught", ValueKind::none, "",
     "exception: only where no handler takes it before Go; panic: only what nothing recovers."},
    {"--all", ValueKind::none, "",
     "longjmp, signal-handler: also what breaks nothing; panic: also where no C is below."},
    {"--stack", ValueKind::none, "", "Print the stack too."},
    {"--min-bytes", ValueKind::number, "N",
     "leak, gc-visibility, dangling: only findings about N bytes or more."},
    {"--site", ValueKind::text, "REGEX",
     "The same: only where REGEX is in a function that allocated or freed."},
    {"--type", ValueKind::text, "REGEX", "The same: only where REGEX is in the Go object's type."}};
constexpr Positional kBreakAt[] = {
    {"KIND", ValueKind::text, false, false,
     "enter: Go calls C; return: back to the caller; callback: C calls Go; exception, panic, "
     "longjmp, signal-handler: what breaks at the boundary; leak, gc-visibility, dangling: at the "
     "end of a garbage collection. Without it: what there is."},
    {"REGEX", ValueKind::text, false, false, "Part of C's or Go's name of the function."}};
constexpr Flag kTraceLibraries{
    "--dl", ValueKind::none, "",
    "Also log dlopen, dlsym and Go's plugins; without REGEX they always are."};
constexpr Flag kTraceFlags[] = {
    kTraceLibraries,
    {"--limit", ValueKind::number, "N", "show: the last N records (100)."},
    {"--callers", ValueKind::none, "", "stats: by the line of Go that called, too."},
    {"--json", ValueKind::none, "", "stats: as JSON on one line."}};
constexpr Positional kTraceVerb[] = {
    {"VERB", ValueKind::text, true, false, "start, stop, show or stats."},
    {"REGEX", ValueKind::text, false, false,
     "start: only crossings with it in C's or Go's name of the function."}};
constexpr Flag kLiveTraceFlags[] = {
    {"--for", ValueKind::text, "TIME",
     "How long: 500ms, 10s, 5m. Without it until Ctrl-C, or the end of the process."},
    {"--out", ValueKind::file, "FILE", "Write the records to FILE."},
    kTraceLibraries,
    {"--stats", ValueKind::none, "",
     "Print statistics at the end; records are written with --out only."},
    {"--callers", ValueKind::none, "", "Statistics by the line of Go that called, too."},
    {"--json", ValueKind::none, "", "Statistics as JSON on one line; records always are JSON."}};
constexpr Positional kTraced[] = {{"REGEX", ValueKind::text, false, false,
                                   "Only crossings with it in C's or Go's name of the function."}};
constexpr Positional kFrameNumber[] = {
    {"N", ValueKind::number, true, false, "Number of the frame, as cgo bt shows it."}};
constexpr Positional kExpression[] = {{"EXPR", ValueKind::text, true, true,
                                       "What to show: names, fields, indices, operators of Go."}};
constexpr Positional kTypeText[] = {
    {"TEXT", ValueKind::text, true, false, "A part of the type's name."}};
constexpr Positional kCrossingText[] = {
    {"TEXT", ValueKind::text, false, false,
     "Only those with TEXT in a name, package, module or call site (file:line)."}};
constexpr Positional kSetting[] = {{"NAME", ValueKind::text, false, false, "Name of the setting."},
                                   {"VALUE", ValueKind::text, false, false, "Its new value."}};
constexpr Positional kHelpOf[] = {{"COMMAND", ValueKind::text, false, false, "Name of a command."}};
constexpr Positional kScript[] = {
    {"FILE", ValueKind::file, true, false, "Python script to run."},
    {"ARGS", ValueKind::text, false, true,
     "Its arguments (sys.argv[1:]); behind the first one, flags that are not ours are its too."}};

constexpr Command kCommands[] = {
    {.name = "bt",
     .summary = "Show the stack of a thread or goroutine over Go and C.",
     .flags = kBtFlags,
     .example = "--goroutine 18",
     .cost =
         "Reads memory only; the process is not changed. One stack takes milliseconds, all stacks "
         "about a second for 100,000 goroutines."},
    {.name = "goroutines",
     .summary = "List goroutines with state, wait reason and time, thread and user frame.",
     .flags = kGoroutinesFlags,
     .example = "--group --where main.",
     .cost =
         "Reads memory only; the process is not changed. About a second for 100,000 goroutines."},
    {.name = "frame",
     .summary = "Select a frame of the stack that cgo bt shows.",
     .positionals = kFrameNumber,
     .example = "3",
     .cost = "Changes what LLDB has selected, nothing in the process.",
     .host = Host::lldb},
    {.name = "up",
     .summary = "Select the next outer frame that is not plumbing.",
     .example = "",
     .cost = "Changes what LLDB has selected, nothing in the process.",
     .host = Host::lldb},
    {.name = "down",
     .summary = "Select the next inner frame that is not plumbing.",
     .example = "",
     .cost = "Changes what LLDB has selected, nothing in the process.",
     .host = Host::lldb},
    {.name = "locals",
     .summary = "Show the variables of a frame of Go, C or C++.",
     .flags = kLocalsFlags,
     .example = "--goroutine 18 --frame 2",
     .cost = "Reads memory only; the process is not changed. Milliseconds."},
    {.name = "args",
     .summary = "Show the parameters and results of a frame's function.",
     .flags = kValueFlags,
     .example = "--frame 3",
     .cost = "Reads memory only; the process is not changed. Milliseconds."},
    {.name = "print",
     .summary = "Show what an expression of Go (with -> of C) is worth in a frame; calls nothing.",
     .positionals = kExpression,
     .flags = kPrintFlags,
     .example = "'m[\"key\"].items[2:4]'",
     .cost = "Reads memory only; the process is not changed. Milliseconds; a look-up by key reads "
             "the whole map."},
    {.name = "types",
     .summary = "List types by a part of their name, with size, fields and the C name.",
     .positionals = kTypeText,
     .flags = kTypesFlags,
     .example = "main.",
     .cost = "Reads debug information. The first time for a program about a second.",
     .needs = Needs::program},
    {.name = "break",
     .summary = "Stop where Go calls C, C calls Go, either returns, before something breaks there, "
                "or when "
                "a garbage collection loses memory of C.",
     .positionals = kBreakAt,
     .flags = kBreakFlags,
     .example = "return '^read_block$' --if 'result < 0' --stack",
     .cost =
         "Sets breakpoints of LLDB: each arrival stops the process for about a millisecond, also "
         "where it goes on.",
     .host = Host::lldb},
    {.name = "trace",
     .summary = "Log every crossing without stopping: values, errno, time; and statistics of them.",
     .positionals = kTraceVerb,
     .flags = kTraceFlags,
     .example = "start '^sqlite3_'",
     .cost = "While it runs each crossing stops the process twice, for about a millisecond each.",
     .host = Host::lldb},
    {.name = "trace",
     .summary = "Log every crossing of a process that goes on, or of a program from its start.",
     .positionals = kTraced,
     .flags = kLiveTraceFlags,
     .example = "'^sqlite3_' --for 10s --out trace.json --pid 4711",
     .cost = "Each crossing stops the process twice, for about a millisecond each. A process that "
             "was attached to is left running, as it was.",
     .host = Host::headless,
     .needs = Needs::running},
    {.name = "crossings",
     .summary = "List every way between Go and C: C functions Go calls, Go functions C calls.",
     .positionals = kCrossingText,
     .flags = kCrossingsFlags,
     .example = "sqlite3_step",
     .cost = "Reads the code of the Go modules; the process is not changed. Milliseconds.",
     .needs = Needs::program},
    {.name = "heap",
     .summary = "Show every block of C memory, which Go type and field holds it, and what is lost.",
     .positionals = kHeapQuestion,
     .flags = kHeapFlags,
     .example = "export --format svg --out heap.svg",
     .cost = "Reads memory only; the process is not changed. Reads all of the heaps and stacks: "
             "about a second for a gigabyte. 'export' writes its file. 'track on' and 'off' change "
             "the next launch, and have a stopped process load the agent, or call it no more."},
    {.name = "sched",
     .summary = "Show Go's scheduler (Ms, Ps, run queues), who is in C, and who holds which mutex.",
     .flags = kSchedFlags,
     .example = "",
     .cost = "Reads memory only; the process is not changed. Walks every thread once."},
    {.name = "signals",
     .summary = "Show what handles each signal, Go or other code, and what threads block.",
     .flags = kSignalsFlags,
     .example = "--call",
     .cost = "Reads memory only; the process is not changed. With --call stopped threads of the "
             "process make about 65 system calls that change nothing, and are left as they were."},
    {.name = "doctor",
     .summary =
         "Say what was found in this target, what is missing for good answers, and what to do.",
     .flags = kDoctorFlags,
     .example = "",
     .cost = "Reads memory only; the process is not changed. Milliseconds."},
    {.name = "script",
     .summary = "Run a Python script with the target opened; `import lldb_cgo` gives its stacks.",
     .positionals = kScript,
     .example = "report.py",
     .cost = "What the script does.",
     .host = Host::headless},
    {.name = "set",
     .summary = "Show or change settings of lldb-cgo.",
     .positionals = kSetting,
     .example = "native-bt off",
     .cost = "Nothing in the process changes.",
     .host = Host::lldb,
     .needs = Needs::nothing},
    {.name = "help",
     .summary = "Explain all commands, or one with an example.",
     .positionals = kHelpOf,
     .flags = kHelpFlags,
     .example = "bt",
     .cost = "Nothing.",
     .needs = Needs::nothing},
    {.name = "version",
     .summary = "Print the version of lldb-cgo.",
     .example = "",
     .cost = "Nothing.",
     .needs = Needs::nothing},
};

constexpr Flag kTargetFlags[] = {
    {"--core", ValueKind::file, "FILE", "The core to look at.", Host::headless},
    {"--exe", ValueKind::file, "FILE",
     "The program the core is of, where it is not found by itself; alone, a program that does not "
     "run.",
     Host::headless},
    {"--pid", ValueKind::number, "N", "The process to look at; it is stopped meanwhile.",
     Host::headless},
};

}  // namespace

std::span<const Command> command_table() { return kCommands; }
std::span<const Flag> target_flags() { return kTargetFlags; }

const Command* find_command(std::string_view name, Host host) {
  for (const Command& command : kCommands)
    if (command.name == name && exists_in(command.host, host)) return &command;
  return nullptr;
}

}  // namespace cgo
