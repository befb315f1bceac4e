#include "lldb-plugin/session.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "lldb-plugin/goroutine_threads.h"
#include "lldb-plugin/lldb_image.h"

namespace cgo {
namespace {

constexpr auto kProviderPatience = std::chrono::milliseconds(500);

Error not_stopped(lldb::SBProcess process) {
  const char* state = lldb::SBDebugger::StateAsCString(process.GetState());
  return Error{ErrorCode::not_found, std::string("the process is ") +
                                         (state == nullptr ? "gone" : state) + ", not stopped"};
}

}  // namespace

/// Go's data is relocated while a program starts or loads a library, and a plugin is taken in later
/// still: what was not found at an early stop may be there now. Looked for again at stops further
/// and further apart.
bool Session::may_know_more(std::uint32_t stop_id) const {
  const GoRuntimes& runtimes = program_->runtimes;
  if (!runtimes.problems.empty() && stop_id >= look_again_at_) return true;
  return std::ranges::any_of(runtimes.all, [&](const auto& runtime) {
    return runtime->has_more_modules(*memory_->raw());
  });
}

Result<void> Session::refresh_program(std::uint32_t stop_id) {
  lldb::SBTarget target = process_.GetTarget();
  if (program_ && stop_id == checked_at_ && target.GetNumModules() == modules_then_) return {};
  checked_at_ = stop_id;
  modules_then_ = target.GetNumModules();
  const std::uint64_t generation = module_generation(target);
  if (program_ && generation_ == generation && !may_know_more(stop_id)) return {};
  const auto arch = arch_of(target);
  if (!arch) return arch.error();
  arch_ = *arch;
  if (!memory_) memory_.emplace(process_);
  auto images = std::make_shared<const ImageMap>(images_of(target, *memory_->raw()));
  const StopMemory memory = memory_->of_stop(images);
  program_ = make_program(std::move(images), *memory.reader);
  looks_ = generation_ == generation ? looks_ + 1 : 0;
  look_again_at_ = stop_id + (1u << std::min(looks_, 20u));
  generation_ = generation;
  return {};
}

Result<std::shared_ptr<const Stop>> Session::stop() {
  const lldb::StateType state = process_.GetState();
  if (state != lldb::eStateStopped && state != lldb::eStateCrashed &&
      state != lldb::eStateSuspended)
    return not_stopped(process_);
  const std::uint32_t id = process_.GetStopID(true);
  if (auto done = refresh_program(id); !done) return std::move(done).error();
  if (stop_ && stop_id_ == id && stop_->program == program_) return stop_;
  StopMemory memory = memory_->of_stop(program_->images);
  auto stop = std::make_shared<Stop>();
  stop->program = program_;
  stop->parallel = memory.parallel;
  stop->now_ns = memory.now_ns;
  stop->provenance = memory.provenance;
  stop->kept_panics = kept_panics_;
  auto debuggee = std::make_unique<const LldbDebuggee>(process_, program_->images,
                                                       std::move(memory), *arch_, taken_);
  debuggee_ = debuggee.get();
  stop->before_parallel = [threads = debuggee.get()] { threads->fetch_threads(); };
  stop->unwinder =
      std::make_unique<const Unwinder>(*debuggee, program_->runtimes, program_->unwind_cache);
  stop->addresses =
      std::make_unique<const StopAddresses>(*debuggee, program_->runtimes, program_->dwarf);
  stop->debuggee = std::move(debuggee);
  if (stop_id_ != id) {
    selected_.clear();
    native_.clear();
  }
  stop_id_ = id;
  stop_ = std::move(stop);
  return stop_;
}

std::optional<std::uint64_t> LldbSubject::selected_thread() {
  if (!thread_.IsValid() || selected_goroutine()) return std::nullopt;
  return thread_.GetThreadID();
}

std::optional<std::uint64_t> LldbSubject::selected_goroutine() {
  if (!thread_.IsValid()) return std::nullopt;
  return goroutine_of_tid(thread_.GetThreadID());
}

std::optional<CollectedStack> Session::take_walked(const Stop& stop, std::uint64_t tid) {
  auto walked = std::exchange(walked_, std::nullopt);
  if (!walked || walked->stop.get() != &stop || walked->tid != tid) return std::nullopt;
  return std::move(walked->stack);
}

std::optional<std::size_t> Session::selected_frame(std::uint64_t tid) const {
  const auto found = selected_.find(tid);
  if (found == selected_.end()) return std::nullopt;
  return found->second;
}

std::uint32_t Session::native_frame(std::uint64_t tid) const {
  const auto found = native_.find(tid);
  return found == native_.end() ? 0 : found->second;
}

void Session::select_frame(std::uint64_t tid, std::size_t number) { selected_[tid] = number; }

std::shared_ptr<Session> Sessions::session_of(lldb::SBProcess process) {
  std::erase_if(by_process_, [](const auto& entry) {
    lldb::SBProcess known = entry.second->process();
    return !known.IsValid() || known.GetState() == lldb::eStateExited ||
           known.GetState() == lldb::eStateDetached;
  });
  std::shared_ptr<Session>& session = by_process_[process.GetUniqueID()];
  if (!session) session = std::make_shared<Session>(process);
  return session;
}

Sessions::Use Sessions::use(lldb::SBProcess process) {
  std::unique_lock lock(mutex_);
  return Use(std::move(lock), session_of(process));
}

std::optional<Sessions::Use> Sessions::try_use(lldb::SBProcess process) {
  std::unique_lock lock(mutex_, kProviderPatience);
  if (!lock.owns_lock()) return std::nullopt;
  return Use(std::move(lock), session_of(process));
}

}  // namespace cgo
