#include "unwind/code_info.h"

#include <mutex>
#include <unordered_map>

#include "unwind/call_check.h"

namespace cgo {
namespace {

constexpr std::size_t kShards = 32;
/// A corrupt stack must not make the cache grow without end.
constexpr std::size_t kMostPerShard = 1u << 16;

CodeInfo look_up(const Debuggee& debuggee, const GoRuntimes& runtimes, Address pc) {
  CodeInfo info;
  info.executable = debuggee.executable(pc);
  if (!info.executable) return info;
  const MemoryReader& memory = debuggee.memory();
  if (auto after = follows_call(memory, pc)) info.after_call = *after;
  if (const GoRuntime* runtime = runtimes.at(pc)) {
    if (auto function = runtime->function_at(pc)) {
      info.runtime = runtime;
      info.go = *function;
      if (auto bytes = function->module->frame_bytes(*function, pc)) info.frame_bytes = *bytes;
    }
  }
  info.signal_return = is_signal_return(memory, pc);
  return info;
}

}  // namespace

struct CodeInfoCache::Shard {
  std::mutex mutex;
  std::unordered_map<Address, CodeInfo> known;
};

CodeInfoCache::CodeInfoCache() : shards_(std::make_unique<Shard[]>(kShards)) {}
CodeInfoCache::~CodeInfoCache() = default;

CodeInfo CodeInfoCache::at(const Debuggee& debuggee, const GoRuntimes& runtimes, Address pc) {
  Shard& shard = shards_[(pc.value ^ pc.value >> 8) % kShards];
  {
    const std::lock_guard lock(shard.mutex);
    const auto found = shard.known.find(pc);
    if (found != shard.known.end()) return found->second;
  }
  const CodeInfo info = look_up(debuggee, runtimes, pc);
  const std::lock_guard lock(shard.mutex);
  if (shard.known.size() < kMostPerShard) shard.known.emplace(pc, info);
  return info;
}

}  // namespace cgo
