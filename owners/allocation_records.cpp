#include "owners/allocation_records.h"

#include <fmt/format.h>

#include <algorithm>

namespace cgo {
namespace {

constexpr std::string_view kAgentFile = "liblldb-cgo-agent.so";

bool is_agent(std::string_view path) { return path.ends_with(kAgentFile); }

/// Functions of allocators and of the C++ library that only pass a request on.
bool is_allocator(const Frame& frame) {
  return frame.module == kAgentFile || frame.module.starts_with("libc.so") ||
         frame.module.starts_with("libstdc++") || frame.module.starts_with("libjemalloc") ||
         frame.module.starts_with("libtcmalloc");
}

bool is_runtime(const Frame& frame) {
  return frame.function.starts_with("runtime.") || frame.function.starts_with("runtime/") ||
         frame.function.starts_with("syscall.");
}

/// cgo makes it for each C function that is called.
bool is_wrapper(const Frame& frame) {
  return frame.function.find("._cgo_") != std::string_view::npos ||
         frame.function.find("._Cfunc_") != std::string_view::npos ||
         frame.function.find("._C2func_") != std::string_view::npos;
}

StopReason reason_of(agent::StackEnd end) {
  switch (end) {
    case agent::StackEnd::goroutine_entry:
      return StopReason::goroutine_entry;
    case agent::StackEnd::thread_entry:
      return StopReason::thread_entry;
    default:
      return StopReason::no_rule;
  }
}

}  // namespace

Result<std::unique_ptr<AllocationRecords>> AllocationRecords::read(const Sources& sources) {
  const auto at = find_agent_header(sources.memory, sources.images);
  if (!at) return at.error();
  auto tables = AgentTables::open(sources.memory, *at);
  if (!tables) return std::move(tables).error();
  std::unique_ptr<AllocationRecords> out(new AllocationRecords(sources, *std::move(tables)));
  out->allocator_ = out->tables_.allocator();
  if (out->tables_.header().state == agent::State::paused) {
    out->notes_.emplace_back("the agent was switched off; what it recorded until then is not used");
    if (auto memory = out->tables_.own_memory()) out->own_memory_ = *std::move(memory);
    return out;
  }
  if (auto modules = out->tables_.modules())
    out->modules_ = *std::move(modules);
  else
    out->notes_.push_back(modules.error().message);
  if (auto memory = out->tables_.own_memory())
    out->own_memory_ = *std::move(memory);
  else
    out->notes_.push_back(memory.error().message);
  out->read_blocks();
  out->tell_what_is_missing();
  return out;
}

void AllocationRecords::read_blocks() {
  const auto done = tables_.for_each_block([this](const AgentBlock& block) {
    (block.state == agent::BlockState::live ? live_ : freed_).push_back(block);
    return true;
  });
  if (!done) notes_.push_back(done.error().message);
  std::ranges::sort(live_, [](const AgentBlock& a, const AgentBlock& b) {
    return std::pair(a.address, b.time_ns) < std::pair(b.address, a.time_ns);
  });
  const auto same = std::ranges::unique(live_, {}, &AgentBlock::address);
  live_.erase(same.begin(), same.end());
  std::ranges::sort(freed_, [](const AgentBlock& a, const AgentBlock& b) {
    return std::pair(a.address, b.freed ? b.freed->time_ns : 0) <
           std::pair(b.address, a.freed ? a.freed->time_ns : 0);
  });
}

void AllocationRecords::tell_what_is_missing() {
  const agent::Header& header = tables_.header();
  const bool bypassed = (header.flags & agent::kBypassed) != 0;
  const bool late = (header.flags & agent::kLateStart) != 0;
  if (bypassed)
    notes_.emplace_back(
        "the program's malloc is another one than the agent's: it recorded nothing");
  if (late) notes_.emplace_back("the agent came later: older allocations are not recorded");
  if (header.sample_bytes != 0)
    notes_.push_back(fmt::format("allocations are sampled, one in {} bytes", header.sample_bytes));
  const auto totals = tables_.totals();
  if (!totals) notes_.push_back(totals.error().message);
  if (totals && totals->lost != 0)
    notes_.push_back(fmt::format("{} allocations could not be recorded", totals->lost));
  exact_ = !bypassed && !late && header.sample_bytes == 0 && totals && totals->lost == 0 &&
           header.state == agent::State::recording && notes_.empty();
}

const AgentBlock* AllocationRecords::record_of(Address address) const {
  const auto found = std::ranges::lower_bound(live_, address, {}, &AgentBlock::address);
  return found != live_.end() && found->address == address ? &*found : nullptr;
}

const AgentBlock* AllocationRecords::last_free_of(Address address) const {
  if (record_of(address) != nullptr) return nullptr;
  const auto found = std::ranges::lower_bound(freed_, address, {}, &AgentBlock::address);
  return found != freed_.end() && found->address == address ? &*found : nullptr;
}

Result<Stack> AllocationRecords::stack(std::uint32_t id) const {
  const auto recorded = tables_.stack(id);
  if (!recorded) return recorded.error();
  Walk walk;
  const auto& frames = recorded->frames;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const CodeAddress pc{frames[i].pc, frames[i].exact ? CodeAddress::Origin::program_counter
                                                       : CodeAddress::Origin::return_address};
    const AgentModule* module =
        AgentTables::module_of(modules_, pc.for_lookup(), recorded->module_epoch);
    if (module != nullptr && is_agent(module->path)) continue;
    if (module != nullptr && module->last_epoch) {
      walk.elements.emplace_back(Gap{fmt::format("code of {} at {}, which was unloaded since",
                                                 module->path, hex(frames[i].pc))});
      continue;
    }
    PhysicalFrame frame{.pc = pc, .registers = Registers(sources_.arch)};
    frame.registers.set_pc(frames[i].pc);
    if (const GoRuntime* runtime = frames[i].go ? sources_.runtimes.at(pc.for_lookup()) : nullptr)
      frame.go = runtime->function_at(pc.for_lookup());
    if (i + 1 < frames.size() && frames[i].go != frames[i + 1].go)
      frame.crossing = frames[i].go ? Crossing::c_to_go : Crossing::go_to_c;
    walk.elements.emplace_back(std::move(frame));
  }
  Stack out;
  out.elements = sources_.symbolizer.symbolize(walk);
  out.end = reason_of(recorded->end);
  if (!out.complete())
    out.error = Error{ErrorCode::limit_reached, std::string(format_stack_end(recorded->end))};
  return out;
}

const Frame* site_of(const Stack& stack) {
  const Frame* of_c = nullptr;
  for (const StackElement& element : stack.elements) {
    const auto* frame = std::get_if<Frame>(&element);
    if (frame == nullptr || frame->plumbing || frame->function.empty()) continue;
    if (frame->language == Language::go) {
      if (!is_runtime(*frame) && !is_wrapper(*frame)) return frame;
    } else if (of_c == nullptr && !is_allocator(*frame)) {
      of_c = frame;
    }
  }
  return of_c;
}

std::string site_text(const Stack& stack) {
  const Frame* site = site_of(stack);
  if (site == nullptr) return "?";
  std::string out(site->function);
  if (site->line != 0)
    out += fmt::format(" at {}:{}", site->file.substr(site->file.rfind('/') + 1), site->line);
  return out;
}

}  // namespace cgo
