#include "lldb-plugin/leftover_breakpoints.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <string>
#include <system_error>
#include <thread>

#include "lldb-plugin/local_process.h"
#include "target/mapped_file.h"
#include "target/process_memory.h"

namespace cgo {
namespace {

constexpr std::byte kBreakpoint{0xcc};
constexpr auto kPatience = std::chrono::seconds(5);
constexpr auto kPause = std::chrono::milliseconds(5);
constexpr std::size_t kPiece = 1 << 16;

/// The server of a debugger lets go of a process some time after the debugger has died.
bool wait_until_nobody_traces(pid_t pid) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (std::chrono::steady_clock::now() < deadline) {
    const auto process = local_process(pid);
    if (!process || process->ended()) return false;
    if (process->tracer == 0) return true;
    std::this_thread::sleep_for(kPause);
  }
  return false;
}

class WritableMemory {
 public:
  explicit WritableMemory(pid_t pid)
      : file_(open(("/proc/" + std::to_string(pid) + "/mem").c_str(), O_RDWR | O_CLOEXEC)) {}
  ~WritableMemory() {
    if (file_ >= 0) close(file_);
  }
  WritableMemory(const WritableMemory&) = delete;
  WritableMemory& operator=(const WritableMemory&) = delete;

  bool is_open() const { return file_ >= 0; }
  bool write(Address at, std::byte value) const {
    return pwrite(file_, &value, 1, static_cast<off_t>(at.value)) == 1;
  }

 private:
  int file_;
};

Error system_error(const char* what) {
  return {ErrorCode::io_failure, std::string(what) + ": " + std::generic_category().message(errno)};
}

/// One piece of code as it is in memory, and as the file has it.
Result<void> mend_piece(const ProcessMemory& memory, const WritableMemory& out, Address at,
                        ByteView of_file) {
  std::vector<std::byte> now(of_file.size());
  if (const auto read = memory.read(at, now); !read) return read.error();
  for (std::size_t i = 0; i < now.size(); ++i)
    if (now[i] == kBreakpoint && of_file[i] != kBreakpoint &&
        !out.write({at.value + i}, of_file[i]))
      return system_error("cannot take a breakpoint back");
  return {};
}

Result<void> mend_mapping(pid_t pid, const Mapping& mapping, const ProcessMemory& memory,
                          const WritableMemory& out) {
  // As the process sees it: it may live in a container.
  const auto file = MappedFile::open("/proc/" + std::to_string(pid) + "/root" + mapping.path);
  if (!file) return file.error();
  const ByteView bytes = (*file)->bytes();
  if (mapping.file_offset >= bytes.size()) return {};
  const std::uint64_t size = std::min(mapping.range.bytes(), bytes.size() - mapping.file_offset);
  for (std::uint64_t done = 0; done < size; done += kPiece) {
    const auto piece = bytes.subspan(mapping.file_offset + done, std::min(kPiece, size - done));
    if (auto mended = mend_piece(memory, out, {mapping.range.begin.value + done}, piece); !mended)
      return mended;
  }
  return {};
}

}  // namespace

Result<void> mend_after_debugger(pid_t pid, bool stays_stopped) {
  if (!wait_until_nobody_traces(pid))
    return Error{ErrorCode::io_failure, "the process has ended, or is still traced"};
  const WritableMemory out(pid);
  if (!out.is_open()) return system_error("cannot write to the process");
  const auto mappings = process_mappings(pid);
  if (!mappings) return mappings.error();
  const ProcessMemory memory(pid);
  Result<void> all;
  for (const Mapping& mapping : *mappings) {
    const bool code = mapping.executable && mapping.path.starts_with('/') && !mapping.deleted;
    if (!code) continue;
    if (auto mended = mend_mapping(pid, mapping, memory, out); !mended) all = mended;
  }
  const auto now = local_process(pid);
  if (now && now->frozen() && !stays_stopped) kill(pid, SIGCONT);
  return all;
}

}  // namespace cgo
