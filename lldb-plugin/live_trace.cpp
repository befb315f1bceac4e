#include "lldb-plugin/live_trace.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <utility>

#include "lldb-plugin/headless_answer.h"
#include "lldb-plugin/headless_target.h"
#include "lldb-plugin/lldb_commands.h"
#include "lldb-plugin/local_process.h"
#include "lldb-plugin/python_module.h"
#include "lldb-plugin/record_output.h"
#include "lldb-plugin/set_breakpoint.h"
#include "lldb-plugin/trace_alarm.h"
#include "unwind/format.h"

namespace cgo {
namespace {

using Clock = std::chrono::steady_clock;

void note(const std::string& text) {
  std::fprintf(stderr, "lldb-cgo trace: %s\n", escaped(text).c_str());
}

/// All signals come to the process as if nobody watched. Without SIGTRAP, which breakpoints are,
/// and SIGSTOP, by which LLDB stops it.
void pass_all_signals(lldb::SBProcess process) {
  lldb::SBUnixSignals signals = process.GetUnixSignals();
  for (std::int32_t i = 0; i < signals.GetNumSignals(); ++i) {
    const std::int32_t number = signals.GetSignalAtIndex(i);
    if (number == SIGTRAP || number == SIGSTOP) continue;
    signals.SetShouldSuppress(number, false);
    signals.SetShouldStop(number, false);
    signals.SetShouldNotify(number, false);
  }
}

/// Whether it is time to take leave.
enum class How : std::uint8_t { asked, ended, lost };

/// One trace, from when LLDB has the process.
class LiveTrace {
 public:
  LiveTrace(const CommandLine& line, lldb::SBDebugger debugger, lldb::SBProcess process,
            TraceAlarm& alarm, RecordOutput& output)
      : line_(line),
        debugger_(debugger),
        process_(process),
        pid_(static_cast<pid_t>(process.GetProcessID())),
        alarm_(alarm),
        output_(output),
        log_(std::make_shared<TraceLog>([this](std::string_view record) { return keep(record); })) {
  }

  /// Places the breakpoints.
  Result<void> begin(Plugin& plugin);
  How run();
  /// Takes the breakpoints out and lets the process go.
  void leave();
  /// Waits for the end of a process that goes on untraced, unless a signal asks for more.
  void wait_for_end();
  Answer answer(How how);

 private:
  bool keep(std::string_view record);
  std::optional<How> take(const lldb::SBEvent& event);
  void resume();
  void say_how_it_ended(How how, Answer& answer);

  const CommandLine& line_;
  lldb::SBDebugger debugger_;
  lldb::SBProcess process_;
  const pid_t pid_;
  TraceAlarm& alarm_;
  RecordOutput& output_;
  std::shared_ptr<TraceLog> log_;
  SetBreakpoint set_;
  std::optional<lldb::SBBreakpoint> libraries_;
  std::map<std::string, std::uint64_t> open_;
  Clock::time_point began_;
  double seconds_ = 0;
};

bool LiveTrace::keep(std::string_view record) {
  const bool kept = output_.write(record);
  if (output_.reader_left()) alarm_.ring();
  return kept;
}

Result<void> LiveTrace::begin(Plugin& plugin) {
  CrossingRequest request;
  request.query.when = CrossingQuery::When::returns;
  request.words = "trace";
  if (!line_.positionals.empty()) {
    auto name = NamePattern::compile(line_.positionals[0]);
    if (!name) return name.error();
    request.query.name = *std::move(name);
  }
  request.trace = log_;
  auto set = set_crossing_breakpoint(plugin, process_.GetTarget(), std::move(request));
  if (!set) return set.error();
  set_ = *set;
  if (traces_libraries(line_, line_.positionals.empty())) {
    const auto libraries = set_library_breakpoint(plugin, process_.GetTarget(), log_);
    if (!libraries) return libraries.error();
    libraries_ = libraries->lldb;
  }
  pass_all_signals(process_);
  const std::size_t count = set_.crossings->matching();
  note(fmt::format("tracing {} crossing{} of process {}", count, count == 1 ? "" : "s", pid_));
  began_ = Clock::now();
  if (const auto time = line_.text("--for"))
    if (const auto ns = parse_duration_ns(*time))
      alarm_.set(began_ + std::chrono::nanoseconds(*ns));
  return {};
}

void LiveTrace::resume() {
  if (!alarm_.rung()) process_.Continue();
}

/// What an event means; nothing where it goes on.
std::optional<How> LiveTrace::take(const lldb::SBEvent& event) {
  if (!lldb::SBProcess::EventIsProcessEvent(event) || lldb::SBProcess::GetRestartedFromEvent(event))
    return std::nullopt;
  switch (lldb::SBProcess::GetStateFromEvent(event)) {
    case lldb::eStateExited:
      return process_has_ended(pid_) ? How::ended : How::lost;
    case lldb::eStateDetached:
    case lldb::eStateUnloaded:
      return How::lost;
    case lldb::eStateStopped:
    case lldb::eStateCrashed:
    case lldb::eStateSuspended:
      resume();  // Another program took its place (exec), or a stop that is nobody's.
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

How LiveTrace::run() {
  constexpr std::uint32_t kSeconds = 1;
  lldb::SBListener listener = debugger_.GetListener();
  alarm_.wake(listener);
  debugger_.SetAsync(true);
  How how = How::asked;
  for (resume(); !alarm_.rung();) {
    lldb::SBEvent event;
    if (!listener.WaitForEvent(kSeconds, event)) continue;
    if (const auto end = take(event)) {
      how = *end;
      break;
    }
  }
  seconds_ = std::chrono::duration<double>(Clock::now() - began_).count();
  return how;
}

void LiveTrace::leave() {
  debugger_.SetAsync(false);
  set_.crossings->end();
  if (process_.GetState() == lldb::eStateRunning) process_.Stop();
  open_ = set_.crossings->open();
  process_.GetTarget().BreakpointDelete(set_.lldb.GetID());
  if (libraries_) process_.GetTarget().BreakpointDelete(libraries_->GetID());
  detach(process_, false);
}

void LiveTrace::wait_for_end() {
  constexpr int kPauseMs = 20;
  const pid_t parent = getppid();
  const auto file = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
  pollfd wanted{.fd = file, .events = POLLIN, .revents = 0};
  // One signal is for the program, the next one for this.
  for (int sent = 0; !process_has_ended(pid_) && getppid() == parent;) {
    const int came = alarm_.signals();
    if (came > 1) break;
    if (came > std::exchange(sent, came)) kill(pid_, alarm_.last_signal());
    if (file < 0 || poll(&wanted, 1, kPauseMs) < 0) usleep(kPauseMs * 1000);
  }
  if (file >= 0) close(file);
}

/// How the process ended, in the words of LLDB's server: LLDB itself does not tell a signal from a
/// status. Source: GDB's remote protocol, stop reply packets: "W" status, "X" signal.
struct ProcessEnd {
  bool by_signal = false;
  unsigned number = 0;
};
std::optional<ProcessEnd> end_told_by_server(lldb::SBDebugger debugger) {
  constexpr std::string_view kRead = "read packet: $";
  lldb::SBCommandReturnObject result;
  debugger.GetCommandInterpreter().HandleCommand("process plugin packet history", result, false);
  const std::string_view all = result.GetOutput() == nullptr ? "" : result.GetOutput();
  for (std::size_t at = all.rfind(kRead); at != all.npos && at != 0;
       at = all.rfind(kRead, at - 1)) {
    const std::string_view packet = all.substr(at + kRead.size());
    if (!packet.starts_with('W') && !packet.starts_with('X')) continue;
    unsigned number = 0;
    const char* digits = packet.data() + 1;
    if (std::from_chars(digits, digits + std::min<std::size_t>(2, packet.size() - 1), number, 16)
            .ec == std::errc())
      return ProcessEnd{packet.starts_with('X'), number};
  }
  return std::nullopt;
}

void LiveTrace::say_how_it_ended(How how, Answer& answer) {
  if (how == How::lost) {
    const char* why = process_.GetExitDescription();
    answer.warnings.push_back(fmt::format("LLDB has lost the process after {:.1f} s{}{}", seconds_,
                                          why == nullptr ? "" : ": ", why == nullptr ? "" : why));
    answer.status = ExitStatus::partial;
    return;
  }
  if (how != How::ended || !line_.program.empty()) return;
  const auto end = end_told_by_server(debugger_);
  if (!end) return note("the process has ended");
  if (!end->by_signal) return note(fmt::format("the process exited with status {}", end->number));
  answer.warnings.push_back(fmt::format("the process was ended by a signal: {}",
                                        strsignal(static_cast<int>(end->number))));
  answer.status = ExitStatus::partial;
}

Answer LiveTrace::answer(How how) {
  Answer answer;
  if (line_.has("--stats"))
    answer.out = line_.has("--json")
                     ? statistics_json(log_->rows(), open_, log_->dropped())
                     : format_statistics(log_->rows(), line_.has("--callers"), open_);
  say_how_it_ended(how, answer);
  for (const std::string& problem : set_.crossings->problems()) {
    answer.warnings.push_back(problem);
    answer.status = ExitStatus::partial;
  }
  if (set_.crossings->matching() == 0)
    answer.warnings.push_back("no crossing fits in the modules of the process: nothing was traced");
  if (log_->dropped() != 0 && !output_.reader_left()) {
    answer.warnings.push_back(
        fmt::format("{} records could not be written: {}", log_->dropped(), output_.error_text()));
    answer.status = ExitStatus::partial;
  }
  if (const std::uint64_t events = log_->library_events(); events != 0)
    note(fmt::format("{} calls of dlopen, dlsym and their like came back", events));
  std::uint64_t open = 0;
  for (const auto& [name, count] : open_) open += count;
  note(fmt::format("{} crossing{} came back in {:.1f} s, {} had not come back at the end",
                   log_->count(), log_->count() == 1 ? "" : "s", seconds_, open));
  return answer;
}

Answer not_begun(std::string why, std::string hint) {
  return Answer::failed({"nothing was traced", std::move(why), std::move(hint)});
}

Answer trace_process(const CommandLine& line, lldb::SBDebugger debugger, lldb::SBProcess process,
                     TraceAlarm& alarm, RecordOutput& output) {
  auto plugin = std::make_shared<Plugin>();
  if (!add_python_modules(debugger, plugin)) {
    detach(process, false);
    return not_begun("this LLDB was built without Python", "install lldb-22");
  }
  LiveTrace trace(line, debugger, process, alarm, output);
  if (const auto begun = trace.begin(*plugin); !begun) {
    detach(process, false);
    return not_begun(begun.error().message, "'lldb-cgo doctor' says what LLDB has");
  }
  const How how = trace.run();
  if (how == How::asked) {
    trace.leave();
    if (!line.program.empty()) trace.wait_for_end();
  }
  return trace.answer(how);
}

/// A process that somebody has stopped does nothing, and would be woken by LLDB's server.
std::optional<Failure> is_frozen(const CommandLine& line) {
  const auto pid = line.number("--pid");
  const auto process = local_process(static_cast<pid_t>(pid.value_or(0)));
  if (!line.program.empty() || !process || !process->frozen()) return std::nullopt;
  return Failure{"nothing was traced", fmt::format("process {} is stopped by a signal", *pid),
                 fmt::format("'kill -CONT {}' before", *pid)};
}

}  // namespace

int trace_live(const CommandLine& line, Interrupts& interrupts) {
  StandardOutput out;
  const auto say = [&](const Answer& answer) { return print_answer(out, answer, "trace"); };
  auto output = RecordOutput::open(line.text("--out"), line.has("--stats"), !line.program.empty());
  if (!output)
    return say(Answer::failed({"nothing was traced", output.error().message,
                               "give a file that can be written", ExitStatus::bad_arguments}));
  if (const auto frozen = is_frozen(line)) return say(Answer::failed(*frozen));
  QuietDebugger debugger;
  TraceAlarm& alarm = TraceAlarm::start(!line.program.empty());
  const auto process = attach(debugger.get(), line.number("--pid").value_or(0));
  if (!process) return say(Answer::failed(not_opened(process.error())));
  if (interrupts > 0) alarm.ring();
  Answer answer = trace_process(line, debugger.get(), *process, alarm, *output);
  if (const auto copied = output->finish(); !copied) {
    answer.warnings.push_back(copied.error().message);
    answer.status = ExitStatus::partial;
  }
  return say(answer);
}

}  // namespace cgo
