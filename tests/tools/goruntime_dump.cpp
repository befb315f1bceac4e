// What goruntime/ finds in a core, as one JSON object on one line. Reads hexadecimal pcs from
// stdin, one a line, and gives for each what pclntab says at it and one byte before it.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "core_images.h"
#include "goruntime/go_runtime.h"
#include "target/core_file.h"
#include "target/dwarf.h"
#include "target/image.h"

namespace {

using namespace cgo;
using nlohmann::json;

json source_frames(const GoFunction& function, Address pc) {
  const auto frames = function.module->source_frames(function, pc);
  if (!frames) return {{"error", frames.error().message}};
  json out = json::array();
  for (const GoSourceFrame& frame : *frames)
    out.push_back({{"function", frame.function},
                   {"file", frame.file},
                   {"line", frame.line},
                   {"inlined", frame.inlined}});
  return out;
}

json at_pc(const GoRuntimes& runtimes, Address pc) {
  const GoRuntime* runtime = runtimes.at(pc);
  if (runtime == nullptr) return {{"error", "no Go module here"}};
  const auto function = runtime->function_at(pc);
  if (!function) return {{"error", "no function here"}};
  json out{{"function", function->name}, {"entry", function->entry.value}};
  const auto frame = function->module->frame_bytes(*function, pc);
  out["frame_bytes"] = frame ? json(*frame) : json(frame.error().message);
  out["at"] = source_frames(*function, pc);
  out["before"] = source_frames(*function, {pc.value - 1});
  return out;
}

json goroutine(const GoRuntime& runtime, const MemoryReader& memory, const Goroutine& g) {
  json out{{"id", g.id}, {"status", format_status(g.status)}, {"alive", g.alive()}};
  const auto reason = runtime.wait_reason(memory, g.wait_reason);
  out["wait_reason"] = reason ? json(*reason) : json{{"error", reason.error().message}};
  const auto start = runtime.function_at(g.start_pc);
  out["start"] = start ? json(start->name) : json();
  out["labels"] = json::object();
  const auto labels = runtime.labels(memory, g);
  if (!labels) out["labels"]["error"] = labels.error().message;
  if (labels)
    for (const auto& [key, value] : *labels) out["labels"][key] = value;
  return out;
}

json runtime_json(const GoRuntime& runtime, const CoreFile& core, const MemoryReader& memory) {
  const auto& parts = runtime.parts();
  json out{{"version", parts.version_text},
           {"image", parts.image_path},
           {"modules", parts.modules.size()},
           {"notes", parts.notes},
           {"dwarf", parts.layout.source == RuntimeLayout::Source::dwarf},
           {"goroutines", json::array()},
           {"machines", json::array()},
           {"errors", json::array()},
           {"threads", json::array()}};
  const auto goroutines = runtime.goroutines(memory);
  for (const Goroutine& g : goroutines.found)
    out["goroutines"].push_back(goroutine(runtime, memory, g));
  for (const Error& error : goroutines.errors) out["errors"].push_back(error.message);
  const auto machines = runtime.machines(memory);
  for (const Machine& m : machines.found)
    out["machines"].push_back({{"id", m.id}, {"tid", m.procid}});
  if (machines.error) out["errors"].push_back(machines.error->message);
  for (const CoreThread& thread : core.threads()) {
    json row{{"tid", thread.tid}};
    if (thread.thread_pointer) {
      const auto g = runtime.current_g(memory, *thread.thread_pointer);
      const auto decoded = g && *g ? runtime.goroutine(memory, *g)
                                   : Result<Goroutine>(Error{ErrorCode::not_found, "no g"});
      const auto m = decoded && decoded->m ? runtime.machine(memory, decoded->m)
                                           : Result<Machine>(Error{ErrorCode::not_found, "no m"});
      row["tid_of_m"] = m ? json(m->procid) : json();
    }
    out["threads"].push_back(row);
  }
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  const bool with_dwarf = argc < 2 || std::strcmp(argv[1], "--no-dwarf") != 0;
  const char* path = argv[with_dwarf ? 1 : 2];
  if (path == nullptr) return 2;
  const auto core = CoreFile::open(path);
  if (!core) {
    std::fprintf(stderr, "%s: %s\n", path, core.error().message.c_str());
    return 3;
  }
  const auto images = std::make_shared<const ImageMap>(images_of(**core));
  const SplicedReader memory({*core, image_file_reader(images)});
  DwarfSource dwarf;
  if (with_dwarf) dwarf = [](const Image& image) { return DwarfInfo::open(image.file); };
  const GoRuntimes found = find_go_runtimes(memory, *images, dwarf);

  json out{{"runtimes", json::array()}, {"problems", json::array()}, {"pcs", json::object()}};
  for (const auto& runtime : found.all)
    out["runtimes"].push_back(runtime_json(*runtime, **core, memory));
  for (const Error& problem : found.problems) out["problems"].push_back(problem.message);
  for (std::string line; std::getline(std::cin, line);)
    out["pcs"][line] = at_pc(found, {std::strtoull(line.c_str(), nullptr, 16)});
  std::cout << out.dump(-1, ' ', false, json::error_handler_t::replace) << '\n';
}
