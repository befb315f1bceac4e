#include "unwind/crash_cause.h"

#include <algorithm>
#include <csignal>
#include <string_view>

namespace cgo {
namespace {

constexpr int kByTkill = -6;

struct FaultName {
  int number;
  const char* name;
};
constexpr FaultName kFaults[] = {
    {SIGSEGV, "SIGSEGV"}, {SIGBUS, "SIGBUS"}, {SIGFPE, "SIGFPE"}, {SIGILL, "SIGILL"}};

const char* fault_name(const HandledSignal& signal) {
  for (const FaultName& fault : kFaults)
    if (fault.number == signal.number && is_fault(signal.number, signal.code)) return fault.name;
  return nullptr;
}

bool is_one_of(std::string_view name, std::span<const std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

constexpr std::string_view kPanics[] = {"runtime.fatalpanic", "runtime.fatalthrow", "runtime.throw",
                                        "runtime.fatal"};
// A second thread that panics waits in startpanic_m, before these.
constexpr std::string_view kDies[] = {"runtime.crash", "runtime.dieFromSignal", "runtime.exit"};
constexpr std::string_view kRaises[] = {"runtime.raise", "runtime.raiseproc", "runtime.tgkill"};

std::string words_for(const HandledSignal& fault) {
  std::string text = fault_name(fault);
  if (fault.fault_address) text += " at " + hex(*fault.fault_address);
  return text;
}

template <class Predicate>
std::vector<std::size_t> those(std::span<const CrashEvidence> threads, Predicate holds) {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < threads.size(); ++i)
    if (holds(threads[i])) found.push_back(i);
  return found;
}

}  // namespace

CrashEvidence crash_evidence(const Walk& walk, const MemoryReader& memory) {
  CrashEvidence evidence;
  std::optional<HandledSignal> handled;  // By the frame before.
  for (const auto& element : walk.elements) {
    const auto* frame = std::get_if<PhysicalFrame>(&element);
    if (frame == nullptr) {
      handled.reset();
      continue;
    }
    const bool raised_by_go = frame->go && is_one_of(frame->go->name, kRaises);
    if (handled && handled->number == SIGABRT && handled->code == kByTkill && !raised_by_go)
      evidence.aborts = true;
    handled.reset();
    if (frame->crossing == Crossing::signal) handled = signal_behind(memory, frame->registers.sp());
    if (handled && fault_name(*handled) != nullptr) evidence.fault = handled;
    if (!frame->go) continue;
    evidence.panics |= is_one_of(frame->go->name, kPanics);
    evidence.dies |= is_one_of(frame->go->name, kDies);
  }
  return evidence;
}

std::optional<CrashCause> crash_cause(std::span<const CrashEvidence> threads) {
  const auto faulted = those(threads, [](const auto& thread) { return thread.fault.has_value(); });
  const auto aborted = those(threads, [](const auto& thread) { return thread.aborts; });
  auto panics = those(threads, [](const auto& thread) { return thread.panics; });
  if (panics.size() > 1)
    panics = those(threads, [](const auto& thread) { return thread.panics && thread.dies; });
  // A handler may be at work for a fault that the program expects, while another thread crashes.
  if (faulted.size() + aborted.size() + panics.size() != 1) return std::nullopt;
  if (!faulted.empty()) return CrashCause{faulted[0], words_for(*threads[faulted[0]].fault)};
  if (!aborted.empty()) return CrashCause{aborted[0], "SIGABRT"};
  return CrashCause{panics[0], "a panic or fatal error of Go"};
}

}  // namespace cgo
