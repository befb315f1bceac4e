#include "lldb-plugin/memory_access.h"

#include <time.h>

#include <array>
#include <mutex>

#include "lldb-plugin/lldb_debuggee.h"
#include "lldb-plugin/sb_memory.h"
#include "target/cached_reader.h"
#include "target/mapping.h"
#include "target/minidump.h"
#include "target/process_memory.h"

namespace cgo {
namespace {

using Readers = std::vector<std::shared_ptr<const MemoryReader>>;

/// Whether the process of this number on this machine is the one LLDB has, which may run elsewhere
/// or in another pid namespace: the top of the main stack holds random bytes of the kernel's.
bool is_process_of_this_machine(const MemoryReader& through_lldb, pid_t pid) {
  const auto mappings = process_mappings(pid);
  if (!mappings) return false;
  for (const Mapping& mapping : *mappings) {
    constexpr std::size_t kBytes = 4096;
    if (mapping.path != "[stack]" || mapping.range.bytes() < kBytes) continue;
    const Address from{mapping.range.end.value - kBytes};
    std::array<std::byte, kBytes> here{}, there{};
    return ProcessMemory(pid).read(from, here) && through_lldb.read(from, there) && here == there;
  }
  return false;
}

/// Mappings of a live process, read when they are first asked for at a stop.
std::function<const MappingList*()> mappings_of(pid_t pid) {
  struct Lazy {
    std::once_flag once;
    MappingList list;
  };
  auto lazy = std::make_shared<Lazy>();
  return [lazy, pid]() -> const MappingList* {
    std::call_once(lazy->once, [&] {
      if (auto mappings = process_mappings(pid)) lazy->list = MappingList(*std::move(mappings));
    });
    return lazy->list.all().empty() ? nullptr : &lazy->list;
  };
}

std::function<const MappingList*()> mappings_of(std::span<const Mapping> mappings) {
  auto list = std::make_shared<const MappingList>(std::vector(mappings.begin(), mappings.end()));
  return [list]() { return list->all().empty() ? nullptr : list.get(); };
}

std::string lldb_version() {
  const char* text = lldb::SBDebugger::GetVersionString();
  const std::string version = text == nullptr ? "LLDB" : text;
  return version.substr(0, version.find('\n'));
}

std::string path_of_core(lldb::SBProcess process) {
  std::array<char, 4096> path{};
  lldb::SBFileSpec file = process.GetCoreFile();
  if (!file.IsValid() || file.GetPath(path.data(), path.size()) == 0) return "";
  return path.data();
}

std::int64_t monotonic_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

}  // namespace

MemoryAccess::MemoryAccess(lldb::SBProcess process) : process_(process) {
  const char* plugin = process.GetPluginName();
  const std::string through = plugin == nullptr ? "" : " (" + std::string(plugin) + ")";
  provenance_.reader = lldb_version() + through;
  raw_ = std::make_shared<SbMemory>(process);
  provenance_.memory = "LLDB, then files";
  const bool core = is_core_process(process);
  provenance_.kind =
      core ? "core " + path_of_core(process) : "process " + std::to_string(process.GetProcessID());
  parallel_ = core ? open_core() : open_local();
}

bool MemoryAccess::open_core() {
  const std::string path = path_of_core(process_);
  if (path.empty()) return false;
  const auto use = [&](const auto& core) {
    mappings_of_core_ = mappings_of(core->mappings());
    core_threads_.assign(core->threads().begin(), core->threads().end());
    if (const auto cut = core->cut()) provenance_.lacks.push_back(cut->text());
    provenance_.memory = "the core file, then files of its images";
    raw_ = core;
    core_ = true;
    return true;
  };
  if (auto core = CoreFile::open(path)) return use(*core);
  if (auto dump = Minidump::open(path)) return use(*dump);
  return false;
}

bool MemoryAccess::open_local() {
  const auto pid = static_cast<pid_t>(process_.GetProcessID());
  if (pid <= 0 || !is_process_of_this_machine(*raw_, pid)) return false;
  raw_ = std::make_shared<ProcessMemory>(pid);
  provenance_.memory = "files for code, then the process (process_vm_readv)";
  local_ = true;
  return true;
}

StopMemory MemoryAccess::of_stop(std::shared_ptr<const ImageMap> images) const {
  StopMemory memory;
  auto files = image_file_reader(std::move(images));
  // A core is in this process's memory already; what is asked of a live process is kept.
  auto source = core_ ? raw_ : std::make_shared<const CachedReader>(raw_);
  memory.reader =
      std::make_shared<SplicedReader>(local_ ? Readers{files, source} : Readers{source, files});
  memory.parallel = parallel_;
  memory.provenance = provenance_;
  memory.mappings = mappings_of_core_;
  memory.core_threads = core_threads_;
  if (local_) {
    memory.mappings = mappings_of(static_cast<pid_t>(process_.GetProcessID()));
    memory.now_ns = monotonic_ns();
    memory.local_pid = static_cast<std::int32_t>(process_.GetProcessID());
  }
  return memory;
}

}  // namespace cgo
