#include "lldb-plugin/agent_injection.h"

#include <fmt/format.h>

#include <array>

#include "heap/agent_status.h"
#include "lldb-plugin/call_place.h"
#include "lldb-plugin/newer_api.h"

namespace cgo {
namespace {

constexpr const char* kInject = "lldb_cgo_agent_inject";
constexpr const char* kRemove = "lldb_cgo_agent_remove";

// What the agent's functions give besides numbers of slots; agent/injection.h.
constexpr std::int64_t kPreloaded = -1, kOwnMalloc = -3, kNoMalloc = -4;

std::uint64_t address_in_libc(const ImageMap& images, const char* name) {
  for (const Image& image : images.all()) {
    if (!image.file || image.mismatch) continue;
    if (!image.name().starts_with("libc.so") && !image.name().starts_with("libc-") &&
        !image.name().starts_with("libdl"))
      continue;
    if (const ElfSymbol* symbol = image.file->find_symbol(name))
      return image.to_load(symbol->file_address).value;
  }
  return 0;
}

Error why_not(std::int64_t code) {
  if (code == kOwnMalloc)
    return {ErrorCode::unsupported,
            "the program has its own malloc in its executable, which it calls directly"};
  if (code == kNoMalloc)
    return {ErrorCode::unsupported, "which malloc the program calls could not be found out"};
  return {ErrorCode::unsupported, "the agent could not get memory for its tables"};
}

}  // namespace

Result<AgentInjection::Place> AgentInjection::find_place() {
  const TargetLock lldb_lock(process_.GetTarget());
  const auto session = sessions_.use(process_);
  session->read_again();
  auto found = session->stop();
  if (!found) return std::move(found).error();
  const Stop& stop = **found;
  if (stop.debuggee->arch().name != "amd64")
    return Error{ErrorCode::unsupported, "the agent is for amd64 only"};
  if (!session->debuggee().local_pid())
    return Error{ErrorCode::unsupported, "the process does not run on this machine"};
  auto tid = thread_for_calls(stop);
  if (!tid) return std::move(tid).error();
  const ImageMap& images = *stop.program->images;
  const AgentStatus status = read_agent_status(stop.debuggee->memory(), images);
  using Kind = AgentStatus::Kind;
  if (status.kind == Kind::other_build || status.kind == Kind::unreadable)
    return Error{ErrorCode::unsupported, status.why};
  Place place{.thread = process_.GetThreadByID(*tid),
              .dlopen = address_in_libc(images, "dlopen"),
              .dlsym = address_in_libc(images, "dlsym"),
              .errno_location = address_in_libc(images, "__errno_location"),
              .has_agent = status.kind != Kind::absent};
  if (place.dlopen == 0 || place.dlsym == 0 || place.errno_location == 0)
    return Error{ErrorCode::unsupported,
                 "the process has no C library with dlopen: is it linked statically?"};
  return place;
}

Result<std::int64_t> AgentInjection::call(Place& place, const std::string& expression) {
  constexpr std::uint32_t kAlone = 2'000'000, kAll = 20'000'000;
  lldb::SBExpressionOptions options;
  options.SetLanguage(lldb::eLanguageTypeC);
  options.SetIgnoreBreakpoints(true);
  options.SetUnwindOnError(true);
  options.SetStopOthers(true);
  options.SetTryAllThreads(true);
  options.SetOneThreadTimeoutInMicroSeconds(kAlone);
  options.SetTimeoutInMicroSeconds(kAll);
  options.SetTrapExceptions(false);
  options.SetSuppressPersistentResult(true);
  options.SetFetchDynamicValue(lldb::eNoDynamicValues);
  lldb::SBValue value =
      place.thread.GetFrameAtIndex(0).EvaluateExpression(expression.c_str(), options);
  lldb::SBError error = value.GetError();
  const std::int64_t result = value.GetValueAsSigned(error, 0);
  if (error.Fail())
    return Error{ErrorCode::io_failure,
                 fmt::format("the call on thread {} failed: {}", place.thread.GetIndexID(),
                             error.GetCString() == nullptr ? "" : error.GetCString())};
  return result;
}

Result<std::uint64_t> AgentInjection::function_of_agent(const std::string& name) {
  lldb::SBTarget target = process_.GetTarget();
  lldb::SBSymbolContextList found = target.FindSymbols(name.c_str());
  for (std::uint32_t i = 0; i < found.GetSize(); ++i) {
    const std::uint64_t at =
        found.GetContextAtIndex(i).GetSymbol().GetStartAddress().GetLoadAddress(target);
    if (at != LLDB_INVALID_ADDRESS) return at;
  }
  return Error{ErrorCode::unsupported,
               "the agent in the process is of another build, which has no " + name};
}

Result<std::int64_t> AgentInjection::with_errno_kept(Place& place, const std::string& agent_file,
                                                     const std::string& function,
                                                     const std::string& arguments) {
  auto errno_at = call(place, fmt::format("((long(*)()){:#x})()", place.errno_location));
  if (!errno_at) return errno_at;
  std::array<char, 4> kept{};
  lldb::SBError error;
  const auto at = static_cast<std::uint64_t>(*errno_at);
  const bool has_errno = process_.ReadMemory(at, kept.data(), kept.size(), error) == kept.size();
  const auto finish = [&]() -> Result<std::int64_t> {
    if (!place.has_agent) {
      auto handle = call(place, fmt::format("((long(*)(const char*,int)){:#x})(\"{}\",2)",
                                            place.dlopen, agent_file));
      if (!handle) return handle;
      if (*handle == 0)
        return Error{ErrorCode::unsupported, "the loader could not load " + agent_file};
    }
    auto address = function_of_agent(function);
    if (!address) return std::move(address).error();
    return call(place, fmt::format("((long(*)(const char*)){:#x})({})", *address, arguments));
  };
  auto result = finish();
  if (has_errno) process_.WriteMemory(at, kept.data(), kept.size(), error);
  return result;
}

Result<std::uint64_t> AgentInjection::put_in(const std::string& agent_file,
                                             const std::string& options) {
  auto place = find_place();
  if (!place) return std::move(place).error();
  auto slots = with_errno_kept(*place, agent_file, kInject, "\"" + options + "\"");
  if (!slots) return std::move(slots).error();
  if (*slots == kPreloaded) return 0;
  if (*slots < 0) return why_not(*slots);
  return static_cast<std::uint64_t>(*slots);
}

Result<std::uint64_t> AgentInjection::take_out() {
  auto place = find_place();
  if (!place) return std::move(place).error();
  if (!place->has_agent) return 0;
  auto slots = with_errno_kept(*place, "", kRemove, "0");
  if (!slots) return std::move(slots).error();
  return *slots < 0 ? 0 : static_cast<std::uint64_t>(*slots);
}

}  // namespace cgo
