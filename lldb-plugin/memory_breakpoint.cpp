#include "lldb-plugin/memory_breakpoint.h"

#include <fmt/format.h>

#include <algorithm>

#include "lldb-plugin/go_function_sites.h"
#include "lldb-plugin/heap_sources.h"
#include "lldb-plugin/lldb_image.h"
#include "owners/hazard_findings.h"
#include "owners/leak_findings.h"
#include "unwind/format.h"

namespace cgo {
namespace {

constexpr std::size_t kMostShown = 10;
/// Types of living owners are learned as long as it takes at most this part of the time.
constexpr int kLearningShare = 10;

}  // namespace

std::vector<std::uint64_t> MemoryBreakpoint::addresses(lldb::SBModule module) {
  if (!has_go(module)) return {};
  auto found = go_function_sites(path_of(module), "runtime.gcSweep");
  if (!found) return {};
  const std::lock_guard lock(mutex_);
  return sites_.set(module, *std::move(found));
}

std::string MemoryBreakpoint::summary() {
  const std::lock_guard lock(mutex_);
  std::string out = fmt::format("cgo {}: {}, {} looked at, {}", escaped(request_.words),
                                counted(counts_.collections, "collection"), counts_.looked_at,
                                counted(counts_.findings, "finding"));
  if (counts_.untold != 0) out += fmt::format("; in {} it could not be told", counts_.untold);
  return out;
}

void MemoryBreakpoint::begin_process() {
  counts_ = {};
  sites_.forget_arrivals();
  types_ = {};
  learned_at_ = {};
  learning_took_ = {};
  reported_.clear();
  gaps_.clear();
}

bool MemoryBreakpoint::may_learn() const {
  return Clock::now() - learned_at_ >= kLearningShare * learning_took_;
}

std::vector<Finding> MemoryBreakpoint::find(HeapSnapshot& heap) const {
  switch (request_.kind) {
    case MemoryRequest::Kind::leak:
      return leaks_of_dead_owners(heap, types_);
    case MemoryRequest::Kind::gc_visibility:
      return hidden_objects(heap);
    case MemoryRequest::Kind::dangling:
      return dangling_pointers(heap);
  }
  return {};
}

bool MemoryBreakpoint::wanted(const Finding& finding, const HeapSnapshot& heap) const {
  if (finding.bytes < request_.min_bytes) return false;
  if (request_.go_type && !request_.go_type->found_in(finding.go_type)) return false;
  if (!request_.site) return true;
  for (const Finding::StackOf& one : finding.stacks) {
    const auto stack = heap.records() == nullptr ? Result<Stack>(Error{ErrorCode::not_found, ""})
                                                 : heap.records()->stack(one.stack);
    if (!stack) continue;
    for (const StackElement& element : stack->elements)
      if (const auto* frame = std::get_if<Frame>(&element))
        if (request_.site->found_in(std::string(frame->function))) return true;
  }
  return false;
}

/// What was told at an earlier collection, and is still so, is not told again.
void MemoryBreakpoint::forget_reported(std::vector<Finding>& findings) {
  std::set<Finding::Subject> now;
  std::erase_if(findings, [&](const Finding& finding) {
    bool fresh = false;
    for (const Finding::Subject& subject : finding.subjects) {
      fresh |= !reported_.contains(subject);
      now.insert(subject);
    }
    return !fresh;
  });
  reported_ = std::move(now);
}

std::string MemoryBreakpoint::text(const HeapSnapshot& heap,
                                   const std::vector<Finding>& findings) const {
  std::string out = fmt::format("cgo {}: collection {}: {}\n", escaped(request_.words),
                                counts_.collections, counted(findings.size(), "finding"));
  for (std::size_t i = 0; i < findings.size() && i < kMostShown; ++i)
    out += format_finding(findings[i], heap.records(), !request_.log || request_.stack);
  if (findings.size() > kMostShown)
    out += fmt::format("{} more: 'cgo heap leaks' and 'cgo heap hazards' have them\n",
                       findings.size() - kMostShown);
  return out;
}

TargetBreakpoint::Outcome MemoryBreakpoint::decide(const Visited& at) {
  if (!sites_.is_new(at.frame, at.thread().GetThreadID())) return {};
  if (counts_.collections++ % request_.every != 0) return {};
  ++counts_.looked_at;
  const HeapSnapshot::Sources sources = heap_sources(*at.stop);
  const bool leaks = request_.kind == MemoryRequest::Kind::leak;
  auto heap = HeapSnapshot::take(sources, {.alive = HeapSnapshot::Alive::marked,
                                           .hazards = !leaks,
                                           .collecting = {lldb::SBFrame(at.frame).GetPC()}});
  // Types of what lives are known from the way to it.
  if (!leaks && !heap->hazards().empty()) heap = HeapSnapshot::take(sources, {.hazards = true});
  if (leaks && !types_.knows_all(*heap) && may_learn()) {
    const auto begin = Clock::now();
    const auto traced = HeapSnapshot::take(sources);
    types_.learn(*traced);
    learned_at_ = Clock::now();
    learning_took_ = learned_at_ - begin;
  }
  std::string out;
  for (const std::string& gap : heap->gaps())
    if (gaps_.insert(gap).second)
      out += fmt::format("cgo {}: what is lost in collection {} cannot be told: {}\n",
                         escaped(request_.words), counts_.collections, escaped(gap));
  counts_.untold += !heap->gaps().empty();
  std::vector<Finding> findings = find(*heap);
  forget_reported(findings);
  std::erase_if(findings, [&](const Finding& finding) { return !wanted(finding, *heap); });
  counts_.findings += findings.size();
  if (findings.empty()) return {.stops = false, .text = std::move(out), .event = {}};
  return {.stops = !request_.log, .text = out + text(*heap, findings), .event = {}};
}

}  // namespace cgo
