#include "lldb-plugin/target_watch.h"

#include <sys/prctl.h>

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "lldb-plugin/newer_api.h"

namespace cgo {
namespace {

constexpr const char* kProviderClass = "lldb_cgo_frames.CgoFrames";
constexpr const char* kWakeName = "lldb-cgo";
constexpr const char* kEventThread = "dbg.evt-handler";
constexpr auto kPatienceAtEnd = std::chrono::seconds(2);
constexpr auto kPatienceWithEvents = std::chrono::seconds(3);

/// How long a provider waits for the target's lock. LLDB's own thread that handles stops may be
/// waited for by the holder itself (a step does that): then it is never had. Others have it as soon
/// as a command ends; frames that are given up for good are worse than a wait.
std::chrono::milliseconds provider_patience() {
  return on_thread_that_handles_stops() ? std::chrono::milliseconds(100) : std::chrono::seconds(3);
}

/// Commands that show frames. LLDB tells of a new target through an event, which a command that
/// follows at once may overtake: these look for new targets themselves.
constexpr const char* kCommandsThatShowFrames[] = {
    "thread backtrace", "thread list",    "thread select",  "thread info", "frame select",
    "frame info",       "frame variable", "process status", "target list",
};

/// Whether LLDB could list Go frames in this target: programs without Go keep LLDB's own frames. A
/// target that is to be attached to has no modules yet, and later is too late.
bool may_have_go_code(lldb::SBTarget target) {
  if (target.GetNumModules() == 0) return true;
  for (std::uint32_t i = 0; i < target.GetNumModules(); ++i)
    if (target.GetModuleAtIndex(i).FindSection(".go.buildinfo").IsValid()) return true;
  return false;
}

/// Whether the target has a process, or is getting one, with threads that LLDB could show.
bool has_threads(lldb::SBTarget target) {
  switch (target.GetProcess().GetState()) {
    case lldb::eStateInvalid:
    case lldb::eStateUnloaded:
    case lldb::eStateExited:
    case lldb::eStateDetached:
      return false;
    default:
      return true;
  }
}

/// Whether LLDB prints what happens on a thread of its own, as lldb does and lldb-dap does not.
bool prints_events() {
  std::error_code error;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task", error)) {
    std::string name;
    std::getline(std::ifstream(task.path() / "comm"), name);
    if (name == kEventThread) return true;
  }
  return false;
}

/// The providers registered with the targets of one debugger. Shared by the thread that waits for
/// events and by LLDB's commands.
class TargetWatch {
 public:
  TargetWatch(lldb::SBDebugger debugger, std::shared_ptr<Plugin> plugin)
      : debugger_(debugger), plugin_(std::move(plugin)), wake_(kWakeName), listener_(kWakeName) {
    listener_.StartListeningForEvents(wake_, 1);
    listener_.StartListeningForEventClass(
        debugger_, lldb::SBTarget::GetBroadcasterClassName(),
        lldb::SBTarget::eBroadcastBitModulesLoaded | lldb::SBTarget::eBroadcastBitModulesUnloaded);
  }

  /// Makes every target have a provider, or none, as the setting and its modules say. To be called
  /// on a thread that runs a command: a provider that comes when there are threads makes LLDB print
  /// all of them, on its own thread, and LLDB 22 crashes when frames change meanwhile. So this
  /// returns when that is done.
  void bring_up_to_date() {
    if (change_targets(true)) wait_for_lldb();
  }

  /// LLDB makes an empty target for a process where there is none, and finds out what it is while
  /// it attaches; made here instead, it has its provider before.
  void prepare_to_attach() {
    if (plugin_->settings.native_bt() && !debugger_.GetSelectedTarget().IsValid())
      debugger_.CreateTarget("");
    bring_up_to_date();
  }

  void wait_for_events() {
    while (true) {
      lldb::SBEvent event;
      if (!listener_.WaitForEvent(UINT32_MAX, event)) continue;
      if (ending()) break;
      change_targets(!prints_events());
    }
    const std::lock_guard lock(mutex_);
    ended_ = true;
    end_seen_.notify_all();
  }

  void end() {
    std::unique_lock lock(mutex_);
    ending_ = true;
    wake_.BroadcastEventByType(1, false);
    end_seen_.wait_for(lock, kPatienceAtEnd, [this] { return ended_; });
  }

  /// The target of this number, if it is one of this debugger's.
  lldb::SBTarget target(std::uint64_t number) {
    for (std::uint32_t i = 0; i < debugger_.GetNumTargets(); ++i) {
      lldb::SBTarget target = debugger_.GetTargetAtIndex(i);
      if (NewerApi::target_number(target) == number) return target;
    }
    return {};
  }

 private:
  /// Leaves targets with threads as they are, unless `with_threads`. True when one of them changed.
  bool change_targets(bool with_threads) {
    const bool wanted = plugin_->settings.native_bt();
    bool changed = false;
    for (std::uint32_t i = 0; i < debugger_.GetNumTargets(); ++i) {
      lldb::SBTarget target = debugger_.GetTargetAtIndex(i);
      const std::uint64_t number = NewerApi::target_number(target);
      if (is_known(number) == wanted || (wanted && !may_have_go_code(target))) continue;
      const bool threads = has_threads(target);
      if (threads && !with_threads) continue;
      changed |= threads;
      if (wanted)
        add(target, number);
      else
        remove(target, number);
    }
    return changed;
  }

  /// Until LLDB's thread for events has handled those that there are now.
  void wait_for_lldb() {
    if (!prints_events()) return;
    lldb::SBListener listener = debugger_.GetListener();
    lldb::SBBroadcaster mark(kWakeName);
    listener.StartListeningForEvents(mark, 1);
    mark.BroadcastEventByType(1, false);
    const auto until = std::chrono::steady_clock::now() + kPatienceWithEvents;
    lldb::SBEvent event;
    while (listener.PeekAtNextEventForBroadcaster(mark, event) &&
           std::chrono::steady_clock::now() < until)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    listener.StopListeningForEvents(mark, 1);
  }

  bool ending() {
    const std::lock_guard lock(mutex_);
    return ending_;
  }

  bool is_known(std::uint64_t number) {
    const std::lock_guard lock(mutex_);
    return providers_.contains(number);
  }

  void add(lldb::SBTarget target, std::uint64_t number) {
    {
      const std::lock_guard lock(mutex_);
      if (ending_ || !providers_.try_emplace(number, 0).second) return;  // Somebody else is at it.
    }
    lldb::SBError error;
    lldb::SBStructuredData arguments;
    arguments.SetFromJSON(("{\"target\":" + std::to_string(number) + "}").c_str());
    const std::uint32_t provider =
        NewerApi::register_frame_provider(target, kProviderClass, arguments, error);
    const std::lock_guard lock(mutex_);
    providers_[number] = provider;
  }

  /// Only when the user asks for it: LLDB may be using the provider on another thread.
  void remove(lldb::SBTarget target, std::uint64_t number) {
    std::uint32_t provider = 0;
    {
      const std::lock_guard lock(mutex_);
      const auto found = providers_.find(number);
      if (ending_ || found == providers_.end()) return;
      provider = found->second;
      providers_.erase(found);
    }
    NewerApi::remove_frame_provider(target, provider);
  }

  lldb::SBDebugger debugger_;
  std::shared_ptr<Plugin> plugin_;
  lldb::SBBroadcaster wake_;
  lldb::SBListener listener_;
  std::mutex mutex_;
  std::condition_variable end_seen_;
  std::map<std::uint64_t, std::uint32_t> providers_;  // By target.
  bool ending_ = false, ended_ = false;
};

/// The watches of this process: a provider is called with nothing that leads to its own.
class Watches {
 public:
  void add(std::shared_ptr<TargetWatch> watch) {
    const std::lock_guard lock(mutex_);
    all_.push_back(std::move(watch));
  }
  std::vector<std::shared_ptr<TargetWatch>> all() {
    const std::lock_guard lock(mutex_);
    return all_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::shared_ptr<TargetWatch>> all_;
};

/// Never destroyed: LLDB may call a provider until the process ends.
Watches& watches() {
  static auto& watches = *new Watches;
  return watches;
}

/// LLDB's callbacks carry a plain pointer and are never taken back: it has to stay valid.
using Kept = std::shared_ptr<TargetWatch>;

bool before_command(void* baton, const char**) {
  (*static_cast<Kept*>(baton))->bring_up_to_date();
  return false;  // LLDB goes on with its own command.
}

bool before_attach(void* baton, const char**) {
  (*static_cast<Kept*>(baton))->prepare_to_attach();
  return false;
}

void before_destruction(lldb::user_id_t, void* baton) { (*static_cast<Kept*>(baton))->end(); }

}  // namespace

void watch_targets(lldb::SBDebugger debugger, std::shared_ptr<Plugin> plugin) {
  if (!NewerApi::has_frame_providers()) return;
  auto* kept = new Kept(std::make_shared<TargetWatch>(debugger, plugin));
  watches().add(*kept);
  lldb::SBCommandInterpreter interpreter = debugger.GetCommandInterpreter();
  for (const char* command : kCommandsThatShowFrames)
    interpreter.SetCommandOverrideCallback(command, before_command, kept);
  for (const char* command : {"process attach", "process connect"})
    interpreter.SetCommandOverrideCallback(command, before_attach, kept);
  debugger.AddDestroyCallback(before_destruction, kept);
  plugin->settings.on_change([watch = *kept](std::string_view name) {
    if (name == "native-bt") watch->bring_up_to_date();
  });
  std::thread([watch = *kept] { watch->wait_for_events(); }).detach();
  (*kept)->bring_up_to_date();
}

bool on_thread_that_handles_stops() {
  char name[16] = {};  // PR_GET_NAME's size.
  prctl(PR_GET_NAME, name);
  return std::string_view(name) == "intern-state";
}

std::unique_ptr<TargetLock> lock_for_provider(std::uint64_t target_number) {
  for (const std::shared_ptr<TargetWatch>& watch : watches().all()) {
    lldb::SBTarget target = watch->target(target_number);
    if (!target.IsValid()) continue;
    auto lock = std::make_unique<TargetLock>(target, provider_patience());
    return lock->held() ? std::move(lock) : nullptr;
  }
  return nullptr;
}

}  // namespace cgo
