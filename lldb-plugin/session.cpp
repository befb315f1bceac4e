#include "lldb-plugin/session.h"

#include <chrono>

#include "lldb-plugin/lldb_image.h"

namespace cgo {
namespace {

constexpr auto kProviderPatience = std::chrono::milliseconds(500);

/// Go's data is relocated while a program starts, so what was not found at an early stop may be
/// there later: looked for again at stops further and further apart.
bool worth_another_look(const Program& program, std::uint32_t stop_id) {
  return program.runtimes.all.empty() && !program.runtimes.problems.empty() &&
         stop_id >= 2 * program.found_at_stop;
}

Error not_stopped(lldb::SBProcess process) {
  const char* state = lldb::SBDebugger::StateAsCString(process.GetState());
  return Error{ErrorCode::not_found,
               std::string("the process is ") + (state == nullptr ? "gone" : state) +
                   ", not stopped"};
}

}  // namespace

Result<std::shared_ptr<const Program>> Session::program(std::uint32_t stop_id) {
  lldb::SBTarget target = process_.GetTarget();
  const std::uint64_t generation = module_generation(target);
  if (program_ && program_->generation == generation && !worth_another_look(*program_, stop_id))
    return program_;
  const auto arch = arch_of(target);
  if (!arch) return arch.error();
  auto program = std::make_shared<Program>();
  program->generation = generation;
  program->found_at_stop = stop_id;
  program->arch = *arch;
  program->images =
      std::make_shared<const ImageMap>(images_of(target, *raw_process_memory(process_)));
  program->dwarf = make_dwarf_source();
  const ProcessMemory memory = process_memory(process_, program->images);
  program->runtimes = find_go_runtimes(*memory.reader, *program->images, program->dwarf);
  program->symbolizer = std::make_unique<const Symbolizer>(program->images, program->dwarf);
  program->unwind_cache = std::make_shared<UnwindCache>();
  program_ = std::move(program);
  return program_;
}

Result<std::shared_ptr<const Stop>> Session::stop() {
  const lldb::StateType state = process_.GetState();
  if (state != lldb::eStateStopped && state != lldb::eStateCrashed &&
      state != lldb::eStateSuspended)
    return not_stopped(process_);
  const std::uint32_t id = process_.GetStopID(true);
  auto found = program(id);
  if (!found) return std::move(found).error();
  if (stop_ && stop_->id == id && stop_->program == *found) return stop_;
  auto stop = std::make_shared<Stop>();
  stop->id = id;
  stop->program = *found;
  stop->debuggee = std::make_unique<const LldbDebuggee>(
      process_, (*found)->images, process_memory(process_, (*found)->images), *(*found)->arch);
  stop->unwinder = std::make_unique<const Unwinder>(*stop->debuggee, (*found)->runtimes, (*found)->unwind_cache);
  if (!stop_ || stop_->id != id) selected_.clear();
  stop_ = std::move(stop);
  return stop_;
}

std::optional<std::size_t> Session::selected_frame(std::uint64_t tid) const {
  const auto found = selected_.find(tid);
  if (found == selected_.end()) return std::nullopt;
  return found->second;
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
