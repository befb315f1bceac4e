#include "lldb-plugin/local_process.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string_view>
#include <utility>

namespace cgo {
namespace {

template <class Number>
Number number(std::string_view text, int base = 10) {
  Number value{};
  std::from_chars(text.data(), text.data() + text.size(), value, base);
  return value;
}

void take(LocalProcess& process, std::string_view key, std::string_view value) {
  constexpr std::uint64_t kContinue = std::uint64_t{1} << (SIGCONT - 1);
  if (key == "Name") process.name = value;
  if (key == "State" && !value.empty()) process.state = value.front();
  if (key == "TracerPid") process.tracer = number<pid_t>(value);
  if (key == "SigPnd" || key == "ShdPnd")
    process.to_continue |= (number<std::uint64_t>(value, 16) & kContinue) != 0;
}

}  // namespace

std::optional<LocalProcess> local_process(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/status");
  LocalProcess process;
  std::string line;
  bool any = false;
  while (std::getline(file, line)) {
    const auto colon = line.find(":\t");
    if (colon == std::string::npos) continue;
    any = true;
    take(process, std::string_view(line).substr(0, colon),
         std::string_view(line).substr(colon + 2));
  }
  if (!any) return std::nullopt;
  return process;
}

Result<ThreadSignals> local_thread_signals(pid_t pid, pid_t tid) {
  const std::string path =
      "/proc/" + std::to_string(pid) + "/task/" + std::to_string(tid) + "/status";
  std::ifstream file(path);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  if (text.empty()) return Error{ErrorCode::io_failure, "cannot read " + path};
  return parse_status_signals(text);
}

std::optional<std::uint64_t> local_stack_limit(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/limits");
  constexpr std::string_view kLine = "Max stack size";
  std::string line;
  while (std::getline(file, line)) {
    if (!line.starts_with(kLine)) continue;
    std::istringstream rest(line.substr(kLine.size()));
    std::uint64_t bytes = 0;
    if (rest >> bytes) return bytes;
  }
  return std::nullopt;
}

std::optional<bool> local_started_secure(pid_t pid) {
  constexpr std::uint64_t kEnd = 0, kSecure = 23;  // Source: Linux include/uapi/linux/auxvec.h.
  std::ifstream file("/proc/" + std::to_string(pid) + "/auxv", std::ios::binary);
  std::uint64_t entry[2];
  while (file.read(reinterpret_cast<char*>(entry), sizeof(entry)) && entry[0] != kEnd)
    if (entry[0] == kSecure) return entry[1] != 0;
  return std::nullopt;
}

/// Source: proc(5), /proc/PID/fdinfo: "tfd: 5 events: 19 data: 7f0000001000 …".
std::vector<KernelWord> local_kernel_words(pid_t pid) {
  namespace fs = std::filesystem;
  std::vector<KernelWord> out;
  const std::string process = "/proc/" + std::to_string(pid);
  std::error_code error;
  for (fs::directory_iterator file(process + "/fd", error), end; !error && file != end;
       file.increment(error)) {
    std::error_code gone;
    if (fs::read_symlink(file->path(), gone) != "anon_inode:[eventpoll]") continue;
    const std::string name = file->path().filename();
    std::ifstream info(process + "/fdinfo/" + name);
    for (std::string line; std::getline(info, line);) {
      const auto data = line.find("data:");
      if (!line.starts_with("tfd:") || data == std::string::npos) continue;
      KernelWord word{.file = std::strtoull(name.c_str(), nullptr, 10)};
      word.value = std::strtoull(line.c_str() + data + 5, nullptr, 16);
      if (word.value != 0) out.push_back(word);
    }
  }
  return out;
}

namespace {

/// Whether a thread waits in a system call that replaced its mask. Source: Linux
/// arch/x86/entry/syscalls/syscall_64.tbl; proc(5), /proc/PID/syscall.
bool has_borrowed_mask(const std::string& syscall) {
  constexpr std::uint64_t kSigsuspend = 130;
  // pselect6, ppoll, epoll_pwait, io_pgetevents, io_uring_enter, epoll_pwait2: the argument that is
  // the mask, or says where it is.
  constexpr std::pair<std::uint64_t, std::size_t> kWithMask[] = {{270, 5}, {271, 3}, {281, 4},
                                                                 {333, 5}, {426, 4}, {441, 4}};
  std::istringstream words(syscall);
  std::string word;
  words >> word;
  const auto called = number<std::uint64_t>(word);
  std::array<std::uint64_t, 6> arguments{};
  for (std::uint64_t& argument : arguments) {
    words >> word;
    argument = word.starts_with("0x") ? number<std::uint64_t>(word.substr(2), 16) : 1;
  }
  return called == kSigsuspend || std::ranges::any_of(kWithMask, [&](const auto& one) {
           return called == one.first && arguments[one.second] != 0;
         });
}

}  // namespace

Result<void> thread_may_call(pid_t pid, pid_t tid) {
  const std::string task = "/proc/" + std::to_string(pid) + "/task/" + std::to_string(tid);
  std::ifstream call(task + "/syscall");
  std::string in;
  std::getline(call, in);
  if (in.empty()) return Error{ErrorCode::io_failure, "cannot read " + task + "/syscall"};
  if (has_borrowed_mask(in))
    return Error{ErrorCode::unsupported, "thread " + std::to_string(tid) +
                                             " waits with a mask of signals that is not its own"};
  // A container's filters are this program's too, and let it make the same calls.
  const auto filters = [](const std::string& path) {
    std::ifstream file(path);
    std::string line;
    std::pair<int, int> mode_and_count{-1, 0};
    while (std::getline(file, line)) {
      const std::string_view text = line;
      constexpr std::string_view kMode = "Seccomp:\t", kCount = "Seccomp_filters:\t";
      if (text.starts_with(kMode)) mode_and_count.first = number<int>(text.substr(kMode.size()));
      if (text.starts_with(kCount)) mode_and_count.second = number<int>(text.substr(kCount.size()));
    }
    return mode_and_count;
  };
  const auto its = filters(task + "/status");
  const auto ours = filters("/proc/self/status");
  if (its.first < 0 || its == ours || its.first == 0) return {};
  return Error{ErrorCode::unsupported,
               "thread " + std::to_string(tid) +
                   " has a filter of system calls (seccomp), which may end the process for one"};
}

bool process_has_ended(pid_t pid) {
  const auto process = local_process(pid);
  return !process || process->ended();
}

}  // namespace cgo
