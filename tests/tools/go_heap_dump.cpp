// go-heap-dump CORE|--pid PID [--no-dwarf] [--no-objects] < ADDRESSES: the Go heap as one JSON
// object. Every object of it is in "objects": [address, bytes of its element, flags, offsets of
// pointer words], flags: 1 marked, 2 reached, 4 reached by guesses alone. For each hexadecimal
// address of the input, "held" has the way to it.
#include <chrono>
#include <cstring>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>

#include "core_images.h"
#include "owners/go_memory.h"
#include "owners/go_roots.h"
#include "owners/holder_paths.h"
#include "owners/object_reader.h"
#include "owners/reachability.h"
#include "target/dwarf.h"
#include "target/process_memory.h"

namespace {

using namespace cgo;
using nlohmann::json;
using Clock = std::chrono::steady_clock;

/// A core with the files that it names.
class CoreDebuggee final : public Debuggee {
 public:
  explicit CoreDebuggee(std::shared_ptr<const CoreFile> core)
      : core_(std::move(core)),
        images_(std::make_shared<const ImageMap>(images_of(*core_))),
        memory_({core_, image_file_reader(images_)}) {}

  const ArchInfo& arch() const override { return core_->arch(); }
  bool is_core() const override { return true; }
  const MemoryReader& memory() const override { return memory_; }
  const ImageMap& images() const override { return *images_; }
  std::vector<ThreadInfo> threads() const override {
    std::vector<ThreadInfo> out;
    for (const CoreThread& thread : core_->threads()) out.push_back({.tid = thread.tid});
    return out;
  }
  Result<Registers> registers(std::uint64_t tid) const override {
    if (const CoreThread* found = thread(tid)) return found->registers;
    return Error{ErrorCode::not_found, "no such thread"};
  }
  Result<Address> thread_pointer(std::uint64_t tid) const override {
    const CoreThread* found = thread(tid);
    if (found != nullptr && found->thread_pointer) return *found->thread_pointer;
    return Error{ErrorCode::not_found, "no such thread"};
  }
  bool executable(Address address) const override { return images_->executable(address); }

 private:
  const CoreThread* thread(std::uint64_t tid) const {
    for (const CoreThread& one : core_->threads())
      if (one.tid == tid) return &one;
    return nullptr;
  }

  std::shared_ptr<const CoreFile> core_;
  std::shared_ptr<const ImageMap> images_;
  SplicedReader memory_;
};

/// A process that stands still, without the registers of its threads: the collector needs none
/// either while the world is stopped.
class StoppedProcess final : public Debuggee {
 public:
  StoppedProcess(std::int32_t pid, std::vector<Mapping> mappings)
      : images_(std::make_shared<const ImageMap>(images_of(mappings))), memory_(pid) {}

  const ArchInfo& arch() const override { return kAmd64; }
  bool is_core() const override { return false; }
  const MemoryReader& memory() const override { return memory_; }
  const ImageMap& images() const override { return *images_; }
  std::vector<ThreadInfo> threads() const override { return {}; }
  Result<Registers> registers(std::uint64_t) const override {
    return Error{ErrorCode::unsupported, "registers are not looked at"};
  }
  Result<Address> thread_pointer(std::uint64_t) const override {
    return Error{ErrorCode::unsupported, "registers are not looked at"};
  }
  bool executable(Address address) const override { return images_->executable(address); }

 private:
  static std::vector<Image> images_of(const std::vector<Mapping>& mappings) {
    std::map<std::string, AddressRange> ranges;
    for (const Mapping& mapping : mappings)
      if (mapping.path.starts_with('/')) {
        auto [at, fresh] = ranges.emplace(mapping.path, mapping.range);
        at->second.end = std::max(at->second.end, mapping.range.end);
      }
    return images_in(ranges);
  }

  std::shared_ptr<const ImageMap> images_;
  ProcessMemory memory_;
};

json texts(std::span<const Error> errors) {
  json out = json::array();
  for (const Error& error : errors) out.push_back(error.message);
  return out;
}

json objects_of(const GoMemory& go, const Reachability& reachability, json& problems) {
  json out = json::array();
  ObjectReader reader(go);
  GcPointers& pointers = reader.pointers();
  std::vector<std::uint64_t> offsets;
  each_object(go.heap, go.heap.allocated(), [&](const GcSpan& span, std::uint64_t index) {
    const std::uint64_t object = span.first_object + index;
    offsets.clear();
    auto done = pointers.offsets(span, index, 0, span.element_bytes, offsets);
    if (!done) problems.push_back(done.error().message);
    const unsigned flags = (go.heap.marked().test(object) ? 1u : 0) |
                           (reachability.reached(object) ? 2u : 0) |
                           (reachability.guessed(object) ? 4u : 0);
    out.push_back({go.heap.element(object).begin.value, span.element_bytes, flags, offsets});
  });
  return out;
}

json path_json(const GoMemory& go, const Reachability& reachability, Address address) {
  const auto object = go.heap.object_at(address);
  if (!object) return {{"object", false}};
  json out{{"object", true},
           {"begin", go.heap.element(*object).begin.value},
           {"marked", go.heap.marked().test(*object)},
           {"reached", reachability.reached(*object)},
           {"guessed", reachability.guessed(*object)}};
  const GcSpan& span = *go.heap.span_of(*object);
  GcPointers pointers(go.memory(), go.layout, go.runtime.version(), go.places.mheap);
  if (const auto type = pointers.type_of(span, *object - span.first_object); type && *type)
    out["type"] = (**type).value;
  const auto path = HolderPaths(go, reachability).to(*object);
  if (!path) return out;
  out["root"] = format_root(go, path->root);
  out["root_kind"] = format_root_kind(path->root.kind);
  out["left_out"] = path->left_out;
  for (const Holder& holder : path->holders)
    out["holders"].push_back({go.heap.element(holder.object).begin.value, holder.offset});
  return out;
}

json specials_json(const GoMemory& go) {
  json out = json::array();
  const char* names[] = {"finalizer", "weak_handle", "pin_counter", "cleanup", "other"};
  for (const GcSpecial& special : go.specials.found)
    out.push_back({special.value.value, names[static_cast<std::size_t>(special.kind)]});
  return out;
}

json pins_json(const GoMemory& go) {
  json out = json::array();
  const auto pins = read_pins(go.memory(), go.layout, go.heap, go.specials);
  if (!pins) return pins.error().message;
  for (const PinnedObject& pin : *pins)
    out.push_back({go.heap.element(pin.object).begin.value, pin.times});
  return out;
}

double milliseconds(Clock::time_point since) {
  return std::chrono::duration<double, std::milli>(Clock::now() - since).count();
}

int run(const Debuggee& debuggee, bool with_dwarf, bool with_objects) {
  DwarfSource dwarf;
  if (with_dwarf) dwarf = [](const Image& image) { return DwarfInfo::open(image.file); };
  const GoRuntimes runtimes = find_go_runtimes(debuggee.memory(), debuggee.images(), dwarf);
  if (runtimes.all.empty()) {
    std::cerr << "no Go runtime\n";
    return 1;
  }
  const GoRuntime& runtime = *runtimes.all.front();
  const Unwinder unwinder(debuggee, runtimes);
  const auto begin = Clock::now();
  const auto go = read_go_memory(debuggee, runtime, unwinder, dwarf, GcHeap::Marks::all);
  if (!go) {
    std::cerr << go.error().message << '\n';
    return 1;
  }
  const double read_ms = milliseconds(begin);
  const Reachability reachability = Reachability::trace(*go);
  json out{{"version", runtime.parts().version_text},
           {"notes", go->places.notes},
           {"spans", go->heap.spans().size()},
           {"heap_bytes", go->heap.heap_bytes()},
           {"unswept_spans", go->heap.unswept_spans()},
           {"uncertain_spans", go->heap.uncertain_spans()},
           {"allocated", go->heap.allocated().count()},
           {"marked", go->heap.marked().count()},
           {"reached", reachability.reached().count()},
           {"guessed", reachability.guessed().count()},
           {"problems", texts(reachability.problems())},
           {"specials", specials_json(*go)},
           {"pins", pins_json(*go)},
           {"read_ms", read_ms},
           {"trace_ms", milliseconds(begin) - read_ms}};
  if (with_objects) out["objects"] = objects_of(*go, reachability, out["problems"]);
  for (std::string line; std::getline(std::cin, line);)
    out["held"][line] = path_json(*go, reachability, {std::strtoull(line.c_str(), nullptr, 16)});
  std::cout << out.dump(-1, ' ', false, json::error_handler_t::replace) << '\n';
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const auto has = [&](const char* flag) {
    for (int i = 2; i < argc; ++i)
      if (std::strcmp(argv[i], flag) == 0) return true;
    return false;
  };
  if (argc > 2 && std::strcmp(argv[1], "--pid") == 0) {
    const int pid = std::atoi(argv[2]);
    auto mappings = process_mappings(pid);
    if (!mappings) return 1;
    return run(StoppedProcess(pid, *std::move(mappings)), !has("--no-dwarf"), !has("--no-objects"));
  }
  const auto core = CoreFile::open(argv[1]);
  if (!core) {
    std::cerr << core.error().message << '\n';
    return 1;
  }
  return run(CoreDebuggee(*core), !has("--no-dwarf"), !has("--no-objects"));
}
