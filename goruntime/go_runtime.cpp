#include "goruntime/go_runtime.h"

#include <algorithm>
#include <unordered_set>

#include "goruntime/labels.h"
#include "goruntime/wait_reason.h"
#include "target/byte_view.h"

namespace cgo {
namespace {

/// More ms than any kernel lets a process have threads.
constexpr std::size_t kMostMachines = 1 << 22;
constexpr std::uint64_t kMostGoroutines = 1ull << 27;
constexpr std::uint64_t kLongestReason = 256;

/// How far apart two gs may lie to be read at once, and how much is read at once: gs are allocated
/// side by side, so that most of what is read between them is gs too.
constexpr std::uint64_t kLargestGap = 4096;
constexpr std::uint64_t kLargestRun = 256 * 1024;

/// Reads many gs with few reads.
class BulkDecoder {
 public:
  BulkDecoder(const MemoryReader& memory, const GLayout& layout)
      : memory_(memory), layout_(layout) {}

  GoRuntime::Goroutines decode(const std::vector<Address>& addresses) {
    std::vector<std::uint32_t> order;
    order.reserve(addresses.size());
    for (std::size_t i = 0; i < addresses.size(); ++i)
      if (addresses[i]) order.push_back(static_cast<std::uint32_t>(i));
    std::sort(order.begin(), order.end(),
              [&](std::uint32_t a, std::uint32_t b) { return addresses[a] < addresses[b]; });
    out_.found.resize(addresses.size());
    for (std::size_t first = 0; first < order.size();) {
      const std::size_t end = end_of_run(addresses, order, first);
      decode_run(addresses, std::span(order).subspan(first, end - first));
      first = end;
    }
    // A slot that was not filled keeps address 0.
    std::erase_if(out_.found, [](const Goroutine& g) { return !g.address; });
    return std::move(out_);
  }

 private:
  std::size_t end_of_run(const std::vector<Address>& addresses,
                         const std::vector<std::uint32_t>& order, std::size_t first) const {
    const std::uint64_t begin = addresses[order[first]].value;
    std::size_t end = first + 1;
    while (end < order.size()) {
      const std::uint64_t at = addresses[order[end]].value;
      const std::uint64_t before = addresses[order[end - 1]].value;
      if (at - before > kLargestGap || at - begin > kLargestRun) break;
      ++end;
    }
    return end;
  }

  void decode_run(const std::vector<Address>& addresses, std::span<const std::uint32_t> run) {
    const Address begin = addresses[run.front()];
    buffer_.resize(addresses[run.back()].value - begin.value + layout_.bytes);
    const bool whole = static_cast<bool>(memory_.read(begin, buffer_));
    for (std::uint32_t i : run) {
      const auto part = slice(buffer_, addresses[i].value - begin.value, layout_.bytes);
      auto g = whole && part ? goroutine_from_bytes(*part, layout_, addresses[i])
                             : decode_goroutine(memory_, layout_, addresses[i]);
      if (g)
        out_.found[i] = *g;
      else
        out_.errors.push_back(std::move(g).error());
    }
  }

  const MemoryReader& memory_;
  const GLayout& layout_;
  std::vector<std::byte> buffer_;
  GoRuntime::Goroutines out_;
};

}  // namespace

bool GoRuntime::has_more_modules(const MemoryReader& memory) const {
  const auto next =
      read_pointer(memory, wrapping_add(parts_.last_module, parts_.layout.moduledata.next.bytes));
  return next && *next;
}

const GoModule* GoRuntime::module_at(Address pc) const {
  for (const auto& module : parts_.modules)
    if (module->contains(pc)) return module.get();
  return nullptr;
}

std::optional<GoFunction> GoRuntime::function_at(Address pc) const {
  const GoModule* module = module_at(pc);
  if (module == nullptr) return std::nullopt;
  return module->function_at(pc);
}

std::optional<GoFunction> GoRuntime::function_named(std::string_view name) const {
  for (const auto& module : parts_.modules)
    if (auto function = module->function_named(name)) return function;
  return std::nullopt;
}

Result<Address> GoRuntime::current_g(const MemoryReader& memory, Address thread_pointer) const {
  if (!parts_.g_tls_offset)
    return Error{ErrorCode::not_found,
                 "where " + parts_.image_path + " keeps the g of a thread is not known"};
  const auto offset = static_cast<std::uint64_t>(*parts_.g_tls_offset);
  auto g = read_pointer(memory, wrapping_add(thread_pointer, offset));
  if (!g) return std::move(g).error().in("g in thread-local storage");
  return g;
}

GoRuntime::Machines GoRuntime::machines(const MemoryReader& memory) const {
  Machines out;
  if (!parts_.allm) {
    out.error = Error{ErrorCode::not_found, "runtime.allm was not found"};
    return out;
  }
  auto first = read_pointer(memory, parts_.allm);
  if (!first) {
    out.error = std::move(first).error().in("runtime.allm");
    return out;
  }
  std::unordered_set<Address> seen;
  for (Address at = *first; at;) {
    if (!seen.insert(at).second || seen.size() > kMostMachines) {
      out.error = Error{ErrorCode::malformed_data, "the list of ms is circular", at};
      return out;
    }
    auto machine = decode_machine(memory, parts_.layout.m, at);
    if (!machine) {
      out.error = std::move(machine).error().in("list of ms");
      return out;
    }
    at = machine->next;
    out.found.push_back(*std::move(machine));
  }
  return out;
}

Result<Machine> GoRuntime::machine_of_thread(const MemoryReader& memory, std::uint64_t tid) const {
  Machines all = machines(memory);
  for (Machine& machine : all.found)
    if (machine.procid == tid) return std::move(machine);
  if (all.error) return *std::move(all.error);
  return Error{ErrorCode::not_found, "no m has thread " + std::to_string(tid)};
}

Result<std::vector<Address>> GoRuntime::goroutine_addresses(const MemoryReader& memory) const {
  if (!parts_.allgs) return Error{ErrorCode::not_found, "runtime.allgs was not found"};
  auto header = read_bytes(memory, parts_.allgs, 24);
  if (!header) return std::move(header).error().in("runtime.allgs");
  const Address data{*load<std::uint64_t>(*header, 0)};
  const auto length = *load<std::uint64_t>(*header, 8);
  const auto capacity = *load<std::uint64_t>(*header, 16);
  if (length > capacity || length > kMostGoroutines)
    return Error{ErrorCode::malformed_data,
                 "runtime.allgs has length " + std::to_string(length) + " and capacity " +
                     std::to_string(capacity),
                 parts_.allgs};
  std::vector<Address> out(length);
  if (length == 0) return out;
  auto done = memory.read(data, std::as_writable_bytes(std::span(out)));
  if (!done) return std::move(done).error().in("elements of runtime.allgs");
  return out;
}

GoRuntime::Goroutines GoRuntime::goroutines(const MemoryReader& memory) const {
  BulkDecoder decoder(memory, parts_.layout.g);
  auto addresses = goroutine_addresses(memory);
  if (addresses) return decoder.decode(*addresses);

  std::vector<Address> reachable;
  Machines all = machines(memory);
  for (const Machine& machine : all.found)
    for (Address g : {machine.curg, machine.locked_g})
      if (g && std::find(reachable.begin(), reachable.end(), g) == reachable.end())
        reachable.push_back(g);
  Goroutines out = decoder.decode(reachable);
  out.errors.insert(out.errors.begin(),
                    std::move(addresses).error().in(
                        "only goroutines that run or are locked to a thread are listed"));
  if (all.error) out.errors.push_back(*std::move(all.error));
  return out;
}

Result<std::string> GoRuntime::wait_reason(const MemoryReader& memory, std::uint8_t number) const {
  // The table's length is not in memory. It only ever grew, so that a release newer than those
  // known has at least the entries of the newest of them.
  if (parts_.wait_reason_strings && number < wait_reason_count(parts_.version)) {
    const auto entry = wrapping_add(parts_.wait_reason_strings, 16ull * number);
    auto data = read_pointer(memory, entry);
    auto length = read_unsigned<std::uint64_t>(memory, wrapping_add(entry, 8));
    if (data && length && *length <= kLongestReason) {
      auto text = read_bytes(memory, *data, *length);
      if (text) return std::string(reinterpret_cast<const char*>(text->data()), text->size());
    }
  }
  if (const auto text = wait_reason_for(parts_.version, number)) return std::string(*text);
  return Error{ErrorCode::not_found, "go" + format_go_version(parts_.version) +
                                         " has no wait reason " + std::to_string(number)};
}

Result<std::vector<std::pair<std::string, std::string>>> GoRuntime::labels(
    const MemoryReader& memory, const Goroutine& g) const {
  return decode_labels(memory, parts_.version, g.labels);
}

const GoRuntime* GoRuntimes::at(Address pc) const {
  for (const auto& runtime : all)
    if (runtime->module_at(pc) != nullptr) return runtime.get();
  return nullptr;
}

std::optional<std::int64_t> wait_ns(const Goroutine& g, std::optional<std::int64_t> now_ns) {
  const bool waits = g.status == GStatus::waiting || g.status == GStatus::syscall;
  if (!now_ns || !waits || g.wait_since_ns <= 0 || *now_ns < g.wait_since_ns) return std::nullopt;
  return *now_ns - g.wait_since_ns;
}

}  // namespace cgo
