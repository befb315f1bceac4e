// agent-dump --pid PID | CORE: what the agent in a program recorded, as one JSON object: its
// header, counters, every block and every stack that a block names, with the functions of its
// frames.
#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "core_images.h"
#include "goruntime/go_runtime.h"
#include "heap/agent_tables.h"
#include "target/dwarf.h"
#include "target/process_memory.h"

namespace {

using namespace cgo;
using nlohmann::json;

/// What is mapped, as images: every file once, from its first to its last byte.
std::vector<Image> images_of_process(std::int32_t pid) {
  std::map<std::string, AddressRange> ranges;
  for (const Mapping& mapping : process_mappings(pid).value_or({})) {
    if (mapping.path.empty() || mapping.path[0] == '[') continue;
    auto [at, fresh] = ranges.emplace(mapping.path, mapping.range);
    at->second.end = std::max(at->second.end, mapping.range.end);
  }
  std::vector<Image> images;
  for (const auto& [path, range] : ranges) {
    auto file = ElfFile::open(path);
    if (!file) continue;
    for (const ElfSegment& segment : (*file)->segments()) {
      if (!segment.loaded()) continue;
      const std::uint64_t page = segment.file_address.value & ~std::uint64_t{4095};
      images.push_back(
          {.path = path, .file = *file, .bias = range.begin.value - page, .range = range});
      break;
    }
  }
  return images;
}

json counters_json(const agent::Counters& counters) {
  return {{"allocations", counters.allocations},
          {"allocated_bytes", counters.allocated_bytes},
          {"frees", counters.frees},
          {"freed_bytes", counters.freed_bytes},
          {"unknown_frees", counters.unknown_frees},
          {"lost", counters.lost},
          {"without_stack", counters.without_stack},
          {"walks", counters.walks}};
}

class Dump {
 public:
  Dump(const MemoryReader& memory, const ImageMap& images, const AgentTables& tables)
      : memory_(memory), images_(images), tables_(tables) {
    const DwarfSource no_dwarf = [](const Image&) -> Result<std::shared_ptr<const DwarfInfo>> {
      return Error{ErrorCode::not_found, "not asked", std::nullopt};
    };
    modules_ = tables_.modules().value_or({});
    runtimes_ = find_go_runtimes(memory_, images_, no_dwarf);
  }

  json run() {
    json out = facts();
    json problems = json::array();
    out["blocks"] = json::array();
    const auto done = tables_.for_each_block([&](const AgentBlock& block) {
      out["blocks"].push_back(block_json(block));
      return true;
    });
    if (!done) problems.push_back(done.error().message);
    for (const std::uint32_t id : stacks_) out["stacks"][std::to_string(id)] = stack_json(id);
    out["problems"] = problems;
    return out;
  }

 private:
  json facts() const {
    const agent::Header& header = tables_.header();
    json out{{"pid", header.pid},
             {"forks", header.forks},
             {"flags", header.flags},
             {"sample_bytes", header.sample_bytes},
             {"allocator", tables_.allocator()},
             {"modules", json::array()},
             {"threads", json::array()},
             {"stacks", json::object()}};
    const auto totals = tables_.totals();
    out["totals"] = totals ? counters_json(*totals) : json{{"error", totals.error().message}};
    for (const AgentModule& module : modules_)
      out["modules"].push_back({{"begin", module.range.begin.value},
                                {"path", module.path},
                                {"build_id_bytes", module.build_id.size()},
                                {"first_epoch", module.first_epoch},
                                {"loaded", !module.last_epoch.has_value()}});
    for (const AgentThread& thread : tables_.threads().value_or({}))
      out["threads"].push_back({{"tid", thread.tid},
                                {"alive", thread.alive},
                                {"counters", counters_json(thread.counters)}});
    return out;
  }

  json block_json(const AgentBlock& block) {
    stacks_.insert(block.stack);
    json out{{"address", block.address.value},
             {"bytes", block.bytes},
             {"time_ns", block.time_ns},
             {"goroutine", block.goroutine},
             {"stack", block.stack},
             {"tid", block.tid},
             {"live", block.state == agent::BlockState::live},
             {"held_back", block.state == agent::BlockState::held_back}};
    if (block.freed) {
      stacks_.insert(block.freed->stack);
      out["freed"] = {{"stack", block.freed->stack},
                      {"time_ns", block.freed->time_ns},
                      {"goroutine", block.freed->goroutine},
                      {"tid", block.freed->tid}};
    }
    return out;
  }

  std::string name_of(Address pc) const {
    if (const GoRuntime* runtime = runtimes_.at(pc))
      if (const auto function = runtime->function_at(pc)) return std::string(function->name);
    if (const ElfSymbol* symbol = images_.symbol_at(pc)) return std::string(symbol->name);
    return {};
  }

  json stack_json(std::uint32_t id) const {
    const auto stack = tables_.stack(id);
    if (!stack) return {{"error", stack.error().message}};
    json out{{"end", format_stack_end(stack->end)}, {"frames", json::array()}};
    for (const AgentFrame& frame : stack->frames) {
      const Address lookup{frame.pc.value - (frame.exact ? 0 : 1)};
      const auto* module = AgentTables::module_of(modules_, lookup, stack->module_epoch);
      out["frames"].push_back({{"pc", frame.pc.value},
                               {"go", frame.go},
                               {"module", module != nullptr ? json(module->path) : json()},
                               {"loaded", module != nullptr && !module->last_epoch},
                               {"function", name_of(lookup)}});
    }
    return out;
  }

  const MemoryReader& memory_;
  const ImageMap& images_;
  const AgentTables& tables_;
  GoRuntimes runtimes_;
  std::vector<AgentModule> modules_;
  std::set<std::uint32_t> stacks_;
};

int dump(const MemoryReader& memory, const ImageMap& images) {
  const auto at = find_agent_header(memory, images);
  if (!at) {
    std::cerr << at.error().message << '\n';
    return 1;
  }
  const auto tables = AgentTables::open(memory, *at);
  if (!tables) {
    std::cerr << tables.error().message << '\n';
    return 1;
  }
  std::cout << Dump(memory, images, *tables).run() << '\n';
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::string(argv[1]) == "--pid") {
    const std::int32_t pid = std::atoi(argv[2]);
    const ImageMap images(images_of_process(pid));
    return dump(ProcessMemory(pid), images);
  }
  if (argc != 2) return 2;
  const auto core = CoreFile::open(argv[1]);
  if (!core) {
    std::cerr << core.error().message << '\n';
    return 1;
  }
  const auto images = std::make_shared<const ImageMap>(images_of(**core));
  return dump(SplicedReader({*core, image_file_reader(images)}), *images);
}
