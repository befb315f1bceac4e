#include "lldb-plugin/goroutine_threads.h"

#include <stdlib.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "lldb-plugin/newer_api.h"

namespace cgo {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSetting = "target.process.python-os-plugin-path";
constexpr auto kPatience = std::chrono::milliseconds(100);
/// LLDB's own work grows faster than the number of threads: more than this hangs it.
constexpr std::uint64_t kMostThreads = 10'000;

/// LLDB takes the plugin from a file only: one that imports what is in memory. Removed at the end
/// of the process; empty when it could not be written.
const std::string& plugin_file() {
  static const std::string& path = *new std::string([]() -> std::string {
    std::error_code error;
    std::string folder = (fs::temp_directory_path(error) / "lldb-cgo-XXXXXX").string();
    if (error || mkdtemp(folder.data()) == nullptr) return "";
    const fs::path file = fs::path(folder) / "lldb_cgo_os.py";
    std::ofstream(file) << "from lldb_cgo_threads import OperatingSystemPlugIn\n";
    return file.string();
  }());
  static const bool removed_at_exit =
      std::atexit([] {
        std::error_code error;
        if (!plugin_file().empty()) fs::remove_all(fs::path(plugin_file()).parent_path(), error);
      }) == 0;
  (void)removed_at_exit;
  return path;
}

bool is_parked(const Goroutine& g) {
  return g.id != 0 && (g.status == GStatus::waiting || g.status == GStatus::runnable ||
                       g.status == GStatus::preempted);
}

std::string name_of(const GoRuntime& runtime, const MemoryReader& memory, const Goroutine& g) {
  std::string name = "goroutine " + std::to_string(g.id) + " [" + format_status(g.status);
  if (g.status == GStatus::waiting && g.wait_reason != 0)
    if (const auto reason = runtime.wait_reason(memory, g.wait_reason)) name += ": " + *reason;
  return name + "]";
}

void apply(lldb::SBDebugger debugger, const Settings& settings) {
  lldb::SBCommandReturnObject result;
  lldb::SBCommandInterpreter interpreter = debugger.GetCommandInterpreter();
  if (settings.goroutine_threads() == 0)
    interpreter.HandleCommand((std::string("settings clear ") + kSetting).c_str(), result, false);
  else if (!plugin_file().empty())
    interpreter.HandleCommand(
        (std::string("settings set ") + kSetting + " " + plugin_file()).c_str(), result, false);
}

}  // namespace

std::optional<std::uint64_t> goroutine_of_tid(std::uint64_t tid) {
  if (tid <= kFirstGoroutineTid) return std::nullopt;
  return tid - kFirstGoroutineTid;
}

std::vector<GoroutineThread> goroutine_threads(Plugin& plugin, lldb::SBProcess process) {
  std::vector<GoroutineThread> threads;
  const std::uint64_t most = std::min(plugin.settings.goroutine_threads(), kMostThreads);
  if (most == 0) return threads;
  const TargetLock lock(process.GetTarget(), kPatience);
  auto session = plugin.sessions.try_use(process);
  if (!lock.held() || !session) return threads;
  const auto stop = (*session)->stop();
  if (!stop) return threads;
  const MemoryReader& memory = (*stop)->debuggee->memory();
  // The first runtime only: numbers of goroutines are not unique across several.
  for (const auto& runtime : (*stop)->program->runtimes.all) {
    for (const Goroutine& g : runtime->goroutines(memory).found) {
      if (threads.size() >= most) break;
      if (is_parked(g))
        threads.push_back({kFirstGoroutineTid + g.id, name_of(*runtime, memory, g), g.sched.pc,
                           g.sched.sp, g.sched.bp});
    }
    break;
  }
  return threads;
}

void follow_goroutine_threads(lldb::SBDebugger debugger, std::shared_ptr<Plugin> plugin) {
  plugin->settings.on_change([debugger, settings = &plugin->settings](std::string_view name) {
    lldb::SBDebugger still = debugger;
    if (name == "goroutine-threads" && still.IsValid()) apply(still, *settings);
  });
}

}  // namespace cgo
