#include "lldb-plugin/crossing_breakpoint.h"

#include <fmt/format.h>

#include <algorithm>

#include "lldb-plugin/lldb_image.h"
#include "unwind/format.h"

namespace cgo {
namespace {

std::string build_id_of(lldb::SBModule module) {
  const char* id = module.GetUUIDString();
  return id == nullptr ? std::string() : id;
}

/// `crossing` of a file as it is loaded `bias` bytes higher.
CrossingPoint loaded(CrossingPoint crossing, std::uint64_t bias) {
  for (Address* address : {&crossing.entry, &crossing.word, &crossing.stub, &crossing.c.entry})
    if (*address) *address = wrapping_add(*address, bias);
  return crossing;
}

}  // namespace

CrossingBreakpoint::Module* CrossingBreakpoint::module_of(const std::string& path,
                                                          const std::string& build_id) {
  const auto [found, made] = modules_.try_emplace(std::pair(path, build_id));
  Module& module = found->second;
  if (!made) return module.crossings ? &module : nullptr;
  const auto crossings = files_.of(path, build_id);
  if (!crossings) {
    if (crossings.error().code != ErrorCode::not_found)
      problems_.push_back(crossings.error().message);
    return nullptr;
  }
  module.crossings = *crossings;
  for (const CrossingSite& site : (*crossings)->sites(request_.query, problems_))
    module.sites.emplace(site.at, site);
  return &module;
}

std::vector<std::uint64_t> CrossingBreakpoint::addresses(lldb::SBModule module) {
  if (!module.FindSection(".note.go.buildid").IsValid() &&
      !module.FindSection(".go.buildinfo").IsValid())
    return {};
  const std::lock_guard lock(mutex_);
  const Module* found = module_of(path_of(module), build_id_of(module));
  std::vector<std::uint64_t> out;
  if (found == nullptr) return out;
  for (const auto& [at, site] : found->sites) out.push_back(at.value);
  return out;
}

CrossingBreakpoint::Place* CrossingBreakpoint::place_of(lldb::SBBreakpointLocation location) {
  const lldb::break_id_t id = location.GetID();
  if (const auto known = places_.find(id); known != places_.end()) return &known->second;
  lldb::SBAddress address = location.GetAddress();
  lldb::SBModule module = address.GetModule();
  const Module* found = module_of(path_of(module), build_id_of(module));
  if (found == nullptr) return nullptr;
  const Address file_address{address.GetFileAddress()};
  const auto site = found->sites.find(file_address);
  if (site == found->sites.end()) return nullptr;
  const std::uint64_t bias = location.GetLoadAddress() - file_address.value;
  Place place{.site = site->second};
  if (site->second.role != CrossingSite::Role::back_in_go)
    place.crossing = loaded(found->crossings->crossings()[site->second.crossing], bias);
  return &places_.emplace(id, std::move(place)).first->second;
}

const CrossingPoint* CrossingBreakpoint::crossing_with_stub(Address stub) const {
  for (const auto& [id, place] : places_)
    if (place.site.role == CrossingSite::Role::entry && place.crossing.stub == stub)
      return &place.crossing;
  return nullptr;
}

void CrossingBreakpoint::begin_process() {
  places_.clear();
  tracker_ = {};
  entered_.clear();
  machines_.clear();
  last_threads_.clear();
  python_.reset();
  of_python_.reset();
  errno_offset_.reset();
  locale_offset_.reset();
  fitting_ = failed_ = counted_ = 0;
}

std::size_t CrossingBreakpoint::matching() const {
  const std::lock_guard lock(mutex_);
  std::size_t out = 0;
  for (const auto& [key, module] : modules_)
    for (const auto& [at, site] : module.sites) out += site.role == CrossingSite::Role::entry;
  return out;
}

std::vector<std::string> CrossingBreakpoint::problems() const {
  const std::lock_guard lock(mutex_);
  return problems_;
}

void CrossingBreakpoint::end_threads() {
  lldb::SBProcess debuggee = process();
  if (!debuggee.IsValid()) return;
  const lldb::StateType state = debuggee.GetState();
  if (state == lldb::eStateRunning) return;  // LLDB does not know its threads.
  for (const std::uint64_t tid : tracker_.threads())
    if (state == lldb::eStateExited || state == lldb::eStateDetached ||
        !debuggee.GetThreadByID(tid).IsValid())
      for (const OpenCrossing& one : tracker_.end_thread(tid)) entered_.erase(one.number);
}

std::map<std::string, std::uint64_t> CrossingBreakpoint::open() {
  const std::lock_guard lock(mutex_);
  end_threads();
  std::map<std::string, std::uint64_t> out;
  for (const OpenCrossing& one : tracker_.open())
    if (const CrossingPoint* known = crossing_with_stub({one.entered.crossing}))
      ++out[known->function];
  return out;
}

std::string CrossingBreakpoint::summary() {
  const std::lock_guard lock(mutex_);
  end_threads();
  std::string out = "cgo " + escaped(request_.words) + fmt::format(": {} arrivals", counted_);
  if (request_.condition || request_.slower_ns || request_.with_errno || request_.with_python ||
      request_.moved || request_.query.at)
    out += fmt::format(", {} fit", fitting_);
  if (failed_ != 0) out += fmt::format(", {} could not be decided", failed_);
  if (request_.query.when != CrossingQuery::When::enter)
    out +=
        fmt::format(", {} open, {} never returned", tracker_.open().size(), tracker_.abandoned());
  return out;
}

}  // namespace cgo
