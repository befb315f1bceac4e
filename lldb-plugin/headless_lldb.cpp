#include "lldb-plugin/headless_lldb.h"

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <vector>

#include "lldb-plugin/command_context.h"
#include "lldb-plugin/local_process.h"
#include "lldb-plugin/supervised_run.h"

namespace cgo {
namespace {

namespace fs = std::filesystem;

constexpr int kNewestLldb = 30, kOldestLldb = 19;

/// liblldb as asked for, else the newest there is.
void* open_liblldb() {
  if (const char* asked = std::getenv("LLDB_CGO_LIBLLDB"); asked != nullptr && *asked != '\0')
    return dlopen(asked, RTLD_NOW | RTLD_GLOBAL);
  for (int version = kNewestLldb; version >= kOldestLldb; --version) {
    const std::string number = std::to_string(version);
    for (const std::string& name : {"liblldb-" + number + ".so.1", "liblldb.so." + number,
                                    "/usr/lib/llvm-" + number + "/lib/liblldb.so.1"})
      if (void* library = dlopen(name.c_str(), RTLD_NOW | RTLD_GLOBAL)) return library;
  }
  return dlopen("liblldb.so", RTLD_NOW | RTLD_GLOBAL);
}

/// LLDB looks for its server beside its own program, which this is not.
void tell_where_the_server_is(void* liblldb) {
  if (std::getenv("LLDB_DEBUGSERVER_PATH") != nullptr) return;
  void* symbol = dlsym(liblldb, "_ZN4lldb10SBDebugger10InitializeEv");
  Dl_info where{};
  if (symbol == nullptr || dladdr(symbol, &where) == 0) return;
  std::error_code error;
  const fs::path library = fs::canonical(where.dli_fname, error);
  std::string number;
  const std::string name = library.filename();
  if (const auto at = name.find("lldb-"); at != std::string::npos)
    number = std::to_string(std::atoi(name.c_str() + at + 5));
  const fs::path root = library.parent_path().parent_path().parent_path();  // …/usr
  for (const fs::path& server :
       {root / "lib" / ("llvm-" + number) / "bin" / "lldb-server",
        library.parent_path().parent_path() / "bin" / "lldb-server",
        root.parent_path() / "usr/lib" / ("llvm-" + number) / "bin" / "lldb-server",
        root / "bin" / ("lldb-server-" + number)})
    if (fs::exists(server, error)) {
      setenv("LLDB_DEBUGSERVER_PATH", server.c_str(), 1);
      return;
    }
}

std::vector<fs::path> plugin_candidates() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  return {program.parent_path() / "lldb-cgo.so",
          program.parent_path().parent_path() / CGO_PLUGIN_FOLDER / "lldb-cgo.so"};
}

int failed(const std::string& what, const std::string& why, const std::string& hint) {
  std::fprintf(stderr, "lldb-cgo: %s\n  why: %s\n  try: %s\n", what.c_str(), why.c_str(),
               hint.c_str());
  return static_cast<int>(ExitStatus::no_target);
}

/// The words of a command line that is parsed once more behind the plugin's door.
std::vector<std::string> words_of(const CommandLine& line) {
  std::vector<std::string> words{std::string(line.command->name)};
  for (const auto& [flag, value] : line.flags)
    words.push_back(value.empty() ? flag : flag + "=" + value);
  const bool starts_one = line.command->needs == Needs::running;
  if (!starts_one) words.push_back("--");
  words.insert(words.end(), line.positionals.begin(), line.positionals.end());
  if (starts_one) words.push_back("--");
  words.insert(words.end(), line.program.begin(), line.program.end());
  return words;
}

/// What is known of a crash that happened in LLDB's code as a rule, and not in the debuggee.
int crashed(const CommandLine& line, int signal) {
  const auto pid = line.number("--pid");
  const bool ended = pid && process_has_ended(static_cast<pid_t>(*pid));
  return failed(
      "LLDB crashed",
      std::string(strsignal(signal)) + (ended ? "; the process had ended while it was read" : ""),
      ended ? "read a core of it" : "try again; 'lldb-cgo doctor' says which LLDB is used");
}

}  // namespace

int run_in_lldb(const CommandLine& line, Interrupts& interrupts) {
  void* liblldb = open_liblldb();
  if (liblldb == nullptr)
    return failed("cannot load LLDB", dlerror(),
                  "install lldb-22, or set LLDB_CGO_LIBLLDB to a liblldb");
  tell_where_the_server_is(liblldb);
  void* plugin = nullptr;
  std::string why = "no lldb-cgo.so beside this program";
  for (const fs::path& candidate : plugin_candidates()) {
    std::error_code error;
    if (!fs::exists(candidate, error)) continue;
    plugin = dlopen(candidate.c_str(), RTLD_LAZY | RTLD_LOCAL);
    if (plugin != nullptr) break;
    why = dlerror();
  }
  using Entry = int(int, const char* const*, Interrupts*);
  auto* entry =
      plugin == nullptr ? nullptr : reinterpret_cast<Entry*>(dlsym(plugin, "lldb_cgo_headless"));
  if (entry == nullptr) return failed("cannot load the plugin", why, "install lldb-cgo again");
  const std::vector<std::string> words = words_of(line);
  std::vector<const char*> pointers;
  for (const std::string& word : words) pointers.push_back(word.c_str());
  return entry(static_cast<int>(pointers.size()), pointers.data(), &interrupts);
}

int run_through_lldb(const CommandLine& line, Interrupts& interrupts) {
  const WorkEnd end = run_supervised([&] { return run_in_lldb(line, interrupts); });
  return end.signal == 0 ? end.status : crashed(line, end.signal);
}

}  // namespace cgo
