#include "lldb-plugin/doctor_report.h"

#include <fmt/format.h>

#include <algorithm>

namespace cgo {
namespace {

using Findings = std::vector<DoctorFinding>;

void examine_target(Findings& findings, const Stop& stop) {
  const Provenance& from = stop.provenance;
  findings.push_back({Health::good, "reader", from.reader, ""});
  findings.push_back({Health::good, "target",
                      fmt::format("{}, {}, {} threads", from.kind, stop.debuggee->arch().name,
                                  stop.debuggee->threads().size()),
                      ""});
  findings.push_back({Health::good, "memory", from.memory, ""});
  for (const std::string& lack : from.lacks)
    findings.push_back(
        {Health::problem, "memory", lack, "write the core again, with room for all of it"});
}

void examine_threads(Findings& findings, const Stop& stop) {
  const auto threads = stop.debuggee->threads();
  if (threads.empty()) {
    findings.push_back({Health::problem, "threads", "the target has no threads",
                        "run the program, or open a core that holds its threads"});
    return;
  }
  const auto pointer = stop.debuggee->thread_pointer(threads.front().tid);
  if (!pointer)
    findings.push_back(
        {Health::note, "threads", pointer.error().message,
         "goroutines of threads are found through the runtime's list of ms instead"});
}

void examine_image(Findings& findings, const Stop& stop, const Image& image) {
  if (image.mismatch) {
    findings.push_back(
        {Health::problem, "image", image.mismatch->message,
         "give the file the process ran ('target create FILE --core …', --exe FILE)"});
    return;
  }
  if (!image.file) {
    findings.push_back({Health::problem, "image", image.path + ": the file is not on this machine",
                        "put it there, or set 'target.exec-search-paths' or a sysroot"});
    return;
  }
  const auto dwarf = stop.program->dwarf(image);
  const std::string id =
      image.file->build_id() ? "build id " + *image.file->build_id() : "no build id";
  const bool by_kernel = image.path.starts_with("[");  // The vDSO never has any.
  findings.push_back(
      {dwarf || by_kernel ? Health::good : Health::note, "image",
       fmt::format("{} at {}: {}, {}", image.path, hex(image.range.begin), id,
                   dwarf ? "debug information" : "no debug information"),
       dwarf || by_kernel
           ? ""
           : "without it C frames have symbol names only: no lines, no inlined calls"});
}

void examine_runtime(Findings& findings, const Stop& stop, const GoRuntime& runtime) {
  const GoRuntime::Parts& parts = runtime.parts();
  const bool measured = parts.layout.source == RuntimeLayout::Source::table;
  findings.push_back(
      {Health::good, "go runtime",
       fmt::format("{} in {}; layouts from {}", parts.version_text, parts.image_path,
                   measured ? "the measured table" : "the binary's debug information"),
       ""});
  for (const auto& module : parts.modules)
    findings.push_back(
        {Health::good, "go module",
         fmt::format("function table for {} to {}, {} functions", hex(module->tables().minpc),
                     hex(module->tables().maxpc), module->tables().ftab_entries),
         ""});
  if (parts.g_tls_offset)
    findings.push_back({Health::good, "go runtime",
                        fmt::format("g of a thread at TLS offset {}", *parts.g_tls_offset), ""});
  else
    findings.push_back(
        {Health::note, "go runtime", "the place of g in TLS was not found",
         "goroutines of threads are found through the runtime's list of ms instead"});
  if (!parts.allgs)
    findings.push_back({Health::problem, "go runtime",
                        "runtime.allgs was not found: parked goroutines may be missing",
                        "use a binary with a symbol table"});
  for (const std::string& note : parts.notes)
    findings.push_back({Health::good, "go runtime", note, ""});
  const GoRuntime::Goroutines goroutines = runtime.goroutines(stop.debuggee->memory());
  const auto alive = std::count_if(goroutines.found.begin(), goroutines.found.end(),
                                   [](const Goroutine& g) { return g.alive(); });
  findings.push_back({Health::good, "goroutines",
                      fmt::format("{} alive, {} dead", alive, goroutines.found.size() - alive),
                      ""});
  if (!goroutines.errors.empty())
    findings.push_back({Health::problem, "goroutines",
                        fmt::format("{} could not be read; first: {}", goroutines.errors.size(),
                                    goroutines.errors.front().message),
                        "their memory is not in this target"});
}

}  // namespace

std::vector<DoctorFinding> examine(const Stop& stop) {
  Findings findings;
  examine_target(findings, stop);
  examine_threads(findings, stop);
  for (const Image& image : stop.program->images->all()) examine_image(findings, stop, image);
  for (const auto& runtime : stop.program->runtimes.all) examine_runtime(findings, stop, *runtime);
  for (const Error& problem : stop.program->runtimes.problems)
    findings.push_back({Health::problem, "go runtime", problem.message, ""});
  if (stop.program->runtimes.all.empty() && stop.program->runtimes.problems.empty())
    findings.push_back({Health::note, "go runtime", "no Go code in this target",
                        "stacks are shown as C only; is this the right program?"});
  return findings;
}

}  // namespace cgo
