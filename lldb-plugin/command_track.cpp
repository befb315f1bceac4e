#include <dlfcn.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "lldb-plugin/agent_injection.h"
#include "lldb-plugin/launch_environment.h"
#include "lldb-plugin/lldb_activity.h"
#include "lldb-plugin/lldb_commands.h"
#include "lldb-plugin/newer_api.h"
#include "lldb-plugin/preload_words.h"
#include "lldb-plugin/track_status.h"
#include "unwind/format.h"

namespace cgo {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPreload = "LD_PRELOAD";
constexpr const char* kOptions = "LLDB_CGO_AGENT";
constexpr const char* kAgentFile = "liblldb-cgo-agent.so";

Failure wrong(std::string what, std::string why, std::string hint) {
  return {std::move(what), std::move(why), std::move(hint), ExitStatus::bad_arguments};
}

/// The agent lies beside the plugin, as built and as installed.
Result<std::string> agent_file() {
  Dl_info own{};
  std::error_code error;
  if (dladdr(reinterpret_cast<void*>(&agent_file), &own) == 0)
    return Error{ErrorCode::not_found, "where this plugin lies is not known"};
  const fs::path plugin = fs::canonical(own.dli_fname, error);
  const fs::path agent = plugin.parent_path() / kAgentFile;
  if (access(agent.c_str(), R_OK) != 0)
    return Error{ErrorCode::not_found, "there is no " + agent.string()};
  if (agent.string().find_first_of(": $'`\\") != std::string::npos)
    return Error{ErrorCode::unsupported, "LD_PRELOAD cannot name " + agent.string()};
  return agent.string();
}

/// "sample=512k,quarantine=1m"
Result<std::string> options_of(const CommandLine& line) {
  std::string out;
  for (const char* name : {"sample", "quarantine"}) {
    const auto value = line.text(std::string("--") + name);
    if (!value) continue;
    if (!is_byte_count(*value))
      return Error{ErrorCode::unsupported,
                   fmt::format("--{} takes bytes (512k, 1m), not '{}'", name, *value)};
    out += fmt::format("{}{}={}", out.empty() ? "" : ",", name, *value);
  }
  return out;
}

std::string path_of(lldb::SBTarget target) {
  char path[4096] = "";
  target.GetExecutable().GetPath(path, sizeof(path));
  return path;
}

/// Why the program's next run will not have the agent, where its file tells.
std::optional<std::string> will_be_ignored(lldb::SBTarget target) {
  const std::string path = path_of(target);
  struct stat file{};
  if (path.empty() || stat(path.c_str(), &file) != 0) return std::nullopt;
  if (const auto program = ElfFile::open(path))
    if (auto why = preload_ignored(**program)) return why;
  const bool other_user = (file.st_mode & S_ISUID) != 0 && file.st_uid != geteuid();
  const bool other_group =
      (file.st_mode & S_ISGID) != 0 && (file.st_mode & S_IXGRP) != 0 && file.st_gid != getegid();
  if (other_user || other_group)
    return "the program's file has the set-user-id or set-group-id bit: the loader ignores "
           "LD_PRELOAD";
  return std::nullopt;
}

class Tracking {
 public:
  Tracking(lldb::SBDebugger debugger, lldb::SBTarget target)
      : environment_(debugger, target), target_(target) {}

  Result<std::string> on(const std::string& options) {
    auto agent = agent_file();
    if (!agent) return std::move(agent).error();
    const std::string before = without_agent(environment_.effective(kPreload));
    if (auto done = environment_.set(kPreload, with_agent(before, *agent)); !done)
      return std::move(done).error();
    const std::string value = with_options(environment_.effective(kOptions), options);
    if (value != environment_.effective(kOptions))
      if (auto done = restore(kOptions, value); !done) return std::move(done).error();
    return launch_text();
  }

  /// Takes out what `on` put there.
  Result<std::string> off() {
    const std::string preload = environment_.own(kPreload).value_or("");
    if (agent_in(preload).empty()) return launch_text();
    if (auto done = restore(kPreload, without_agent(preload)); !done)
      return std::move(done).error();
    const std::string options = environment_.own(kOptions).value_or("");
    if (without_options(options) != options)
      if (auto done = restore(kOptions, without_options(options)); !done)
        return std::move(done).error();
    return launch_text();
  }

  std::string launch_text() const {
    const std::string preload = environment_.effective(kPreload);
    const std::string agent = agent_in(preload);
    if (agent.empty()) return "next launch: without the agent\n";
    const std::string others = without_agent(preload), options = environment_.effective(kOptions);
    std::string out = "next launch: loads " + escaped(agent);
    if (!others.empty()) out += ", in front of " + escaped(others);
    if (!options.empty()) out += fmt::format(" ({}={})", kOptions, escaped(options));
    out += "\n";
    return out;
  }

  std::string launch_json() const {
    const std::string agent = agent_in(environment_.effective(kPreload));
    return fmt::format(R"("next_launch":{{"agent":{},"options":{}}})",
                       agent.empty() ? "null" : json_string(agent),
                       json_string(environment_.effective(kOptions)));
  }

  bool will_load() const { return !agent_in(environment_.effective(kPreload)).empty(); }

 private:
  /// What LLDB's own environment has anyway is no setting.
  Result<void> restore(const char* name, const std::string& value) {
    auto done = environment_.remove(name);
    if (!done || environment_.effective(name) == value) return done;
    return environment_.set(name, value);
  }

  LaunchEnvironment environment_;
  lldb::SBTarget target_;
};

bool is_alive(lldb::SBProcess process) {
  const lldb::StateType state = process.IsValid() ? process.GetState() : lldb::eStateInvalid;
  return state == lldb::eStateStopped || state == lldb::eStateCrashed ||
         state == lldb::eStateSuspended;
}

/// What the process of the target has, in text or JSON.
Answer status_of_process(Plugin& plugin, lldb::SBDebugger debugger, lldb::SBProcess process,
                         const CommandLine& line, const Tracking& tracking) {
  const TargetLock lldb_lock(process.GetTarget());
  const auto session = plugin.sessions.use(process);
  session->read_again();
  LldbSubject subject(session.get(), process.GetSelectedThread());
  const std::unique_ptr<Activity> activity = lldb_activity(debugger);
  CommandContext context{subject, *activity, Host::lldb};
  Answer answer = track_status(context, line);
  if (answer.failure) return answer;
  if (line.has("--json"))
    answer.out.insert(answer.out.find("\"process\""), tracking.launch_json() + ",");
  else
    answer.out = tracking.launch_text() + answer.out;
  return answer;
}

/// A process that can make calls: a core cannot.
bool can_call(lldb::SBProcess process) { return is_alive(process) && !is_core_process(process); }

/// The agent goes into the process or out of the way, and what it does then is told.
Answer change_process(Plugin& plugin, lldb::SBDebugger debugger, lldb::SBProcess process,
                      const CommandLine& line, const Tracking& tracking,
                      const std::string& options) {
  AgentInjection injection(plugin.sessions, process);
  const bool on = line.positionals[1] == "on";
  const auto file = agent_file();
  auto slots = on && !file ? Result<std::uint64_t>(file.error())
               : on        ? injection.put_in(*file, options)
                           : injection.take_out();
  if (!slots)
    return Answer::failed(
        {on ? "the agent was not put into the process" : "the agent stays in the process",
         slots.error().message,
         "let the process go on and stop it elsewhere, in a call of C say: 'cgo break enter .' and "
         "'continue'; the launch environment was changed already"});
  Answer answer = status_of_process(plugin, debugger, process, line, tracking);
  if (!line.has("--json") && *slots != 0)
    answer.out += fmt::format("  {} slots of the loader lead to {}\n", *slots,
                              on ? "it" : "malloc again; the file of the agent stays loaded");
  return answer;
}

Answer status(Plugin& plugin, lldb::SBDebugger debugger, lldb::SBProcess process,
              const CommandLine& line, const Tracking& tracking) {
  if (is_alive(process)) return status_of_process(plugin, debugger, process, line, tracking);
  Answer answer;
  answer.out = line.has("--json") ? track_json(tracking.launch_json() + R"(,"process":null)")
                                  : tracking.launch_text();
  return answer;
}

}  // namespace

Answer run_track(Plugin& plugin, lldb::SBDebugger debugger, lldb::SBProcess process,
                 const CommandLine& line) {
  const std::string verb = line.positionals.size() == 2 ? line.positionals[1] : "";
  if (verb != "on" && verb != "off" && verb != "status")
    return Answer::failed(wrong("'track' needs one of on, off and status", "", "cgo help heap"));
  const auto options = options_of(line);
  if (!options) return Answer::failed(wrong("nothing was changed", options.error().message, ""));
  if (verb != "on" && !options->empty())
    return Answer::failed(wrong("--sample and --quarantine go with 'track on'", "", ""));
  lldb::SBTarget target = debugger.GetSelectedTarget();
  if (!target.IsValid())
    return Answer::failed({"nothing to track", "no target is selected", "'target create PROGRAM'"});
  Tracking tracking(debugger, target);
  if (verb == "status") return status(plugin, debugger, process, line, tracking);
  auto done = verb == "on" ? tracking.on(*options) : tracking.off();
  if (!done)
    return Answer::failed({"the launch environment was not changed", done.error().message, ""});
  Answer answer;
  answer.out = *std::move(done);
  if (can_call(process))
    answer = change_process(plugin, debugger, process, line, tracking, *options);
  if (const auto why = will_be_ignored(target); why && tracking.will_load())
    answer.warnings.push_back(*why);
  return answer;
}

}  // namespace cgo
