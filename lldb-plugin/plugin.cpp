#include <dlfcn.h>
#include <lldb/API/LLDB.h>

#include <cstdio>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

#include "lldb-plugin/command_help.h"
#include "lldb-plugin/debugger_hooks.h"
#include "lldb-plugin/liblldb_binding.h"
#include "lldb-plugin/lldb_commands.h"

namespace {

/// One for the whole debugger process, which LLDB's interface leaves no other place for. Never
/// destroyed: LLDB may already be gone when a process ends.
const std::shared_ptr<cgo::Plugin>& plugin_of_this_process() {
  static const auto& plugin = *new std::shared_ptr<cgo::Plugin>(std::make_shared<cgo::Plugin>());
  return plugin;
}

/// The debuggers that have the plugin, by number. LLDB may make and use them on several threads.
class LoadedDebuggers {
 public:
  /// False when the debugger has it already.
  bool add(lldb::user_id_t number) {
    const std::lock_guard lock(mutex_);
    return numbers_.insert(number).second;
  }

 private:
  std::mutex mutex_;
  std::set<lldb::user_id_t> numbers_;
};

void say(lldb::SBDebugger debugger, std::string line) {
  line += "\n";
  std::size_t written = 0;
  debugger.GetErrorFile().Write(reinterpret_cast<const std::uint8_t*>(line.data()), line.size(),
                                &written);
}

bool load(lldb::SBDebugger debugger) {
  static auto& loaded = *new LoadedDebuggers;
  if (!loaded.add(debugger.GetID())) {
    say(debugger,
        "lldb-cgo " + std::string(cgo::version_text()) + " is already loaded; nothing was changed");
    return true;
  }
  return cgo::add_commands(debugger, plugin_of_this_process()) &&
         cgo::hook_into(debugger, plugin_of_this_process());
}

/// What of this file another copy of it may call.
using Load = bool(lldb::SBDebugger*);
constexpr const char* kNameOfLoad = "lldb_cgo_load";

Dl_info file_of(void* function) {
  Dl_info info{};
  dladdr(function, &info);
  return info;
}

/// The copy of this plugin that was loaded first, if that is not this one. LLDB makes the symbols
/// of plugins global, so the first one's are found.
Load* first_copy() {
  void* first = dlsym(RTLD_DEFAULT, kNameOfLoad);
  const Dl_info own = file_of(reinterpret_cast<void*>(&load));
  if (first == nullptr || file_of(first).dli_fbase == own.dli_fbase) return nullptr;
  return reinterpret_cast<Load*>(first);
}

}  // namespace

/// Two copies in one debugger process would each provide frames on top of the other's: all
/// debuggers are served by the copy that came first, whose name this keeps for ever.
extern "C" __attribute__((visibility("default"))) bool lldb_cgo_load(
    lldb::SBDebugger* debugger) try {
  return load(*debugger);
} catch (...) {
  return false;
}

namespace lldb {

/// Called by `plugin load`, once for each debugger.
__attribute__((visibility("default"))) bool PluginInitialize(SBDebugger debugger);

bool PluginInitialize(SBDebugger debugger) try {
  if (const auto missing = cgo::missing_lldb_functions(); !missing.empty()) {
    std::fprintf(stderr,
                 "lldb-cgo: this LLDB is too old (it lacks %s); LLDB 19 or newer is needed\n",
                 missing.front().c_str());
    return false;
  }
  if (Load* const first = first_copy()) {
    say(debugger, std::string("lldb-cgo: another copy is loaded already and is used: ") +
                      file_of(reinterpret_cast<void*>(first)).dli_fname);
    return first(&debugger);
  }
  return load(debugger);
} catch (...) {
  return false;
}

}  // namespace lldb
