#include "lldb-plugin/target_watch.h"

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "lldb-plugin/newer_api.h"

namespace cgo {
namespace {

constexpr const char* kProviderClass = "lldb_cgo_frames.CgoFrames";
constexpr const char* kWakeName = "lldb-cgo";
constexpr auto kPatienceAtEnd = std::chrono::seconds(2);

/// Commands that show frames. LLDB tells of a new target through an event, which a command that
/// follows at once may overtake: these look for new targets themselves.
constexpr const char* kCommandsThatShowFrames[] = {
    "thread backtrace", "thread list",    "thread select", "thread info", "frame select",
    "frame info",       "frame variable", "process status", "target list",
};

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

  /// Makes every target have a provider, or none, as the setting says.
  void bring_up_to_date() {
    const bool wanted = plugin_->settings.native_bt();
    for (std::uint32_t i = 0; i < debugger_.GetNumTargets(); ++i)
      bring_up_to_date(debugger_.GetTargetAtIndex(i), wanted);
  }

  void wait_for_events() {
    while (true) {
      lldb::SBEvent event;
      if (!listener_.WaitForEvent(UINT32_MAX, event)) continue;
      {
        const std::lock_guard lock(mutex_);
        if (ending_) break;
      }
      bring_up_to_date();
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

 private:
  void bring_up_to_date(lldb::SBTarget target, bool wanted) {
    const std::uint64_t number = NewerApi::target_number(target);
    std::uint32_t provider = 0;
    {
      const std::lock_guard lock(mutex_);
      const bool has = providers_.contains(number);
      if (ending_ || has == wanted) return;
      provider = wanted ? 0 : providers_[number];
      if (wanted)
        providers_[number] = 0;  // Taken: nobody else registers one meanwhile.
      else
        providers_.erase(number);
    }
    if (!wanted) {
      NewerApi::remove_frame_provider(target, provider);
      return;
    }
    lldb::SBError error;
    provider = NewerApi::register_frame_provider(target, kProviderClass, error);
    const std::lock_guard lock(mutex_);
    providers_[number] = provider;
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

/// LLDB's callbacks carry a plain pointer and are never taken back: it has to stay valid.
using Kept = std::shared_ptr<TargetWatch>;

bool before_command(void* baton, const char**) {
  (*static_cast<Kept*>(baton))->bring_up_to_date();
  return false;  // LLDB goes on with its own command.
}

void before_destruction(lldb::user_id_t, void* baton) { (*static_cast<Kept*>(baton))->end(); }

}  // namespace

void watch_targets(lldb::SBDebugger debugger, std::shared_ptr<Plugin> plugin) {
  if (!NewerApi::has_frame_providers()) return;
  auto* kept = new Kept(std::make_shared<TargetWatch>(debugger, plugin));
  lldb::SBCommandInterpreter interpreter = debugger.GetCommandInterpreter();
  for (const char* command : kCommandsThatShowFrames)
    interpreter.SetCommandOverrideCallback(command, before_command, kept);
  debugger.AddDestroyCallback(before_destruction, kept);
  plugin->settings.on_change([watch = *kept](std::string_view name) {
    if (name == "native-bt") watch->bring_up_to_date();
  });
  std::thread([watch = *kept] { watch->wait_for_events(); }).detach();
  (*kept)->bring_up_to_date();
}

}  // namespace cgo
