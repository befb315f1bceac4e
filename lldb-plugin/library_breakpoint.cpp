#include "lldb-plugin/library_breakpoint.h"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include "crossings/machine_code.h"
#include "lldb-plugin/frame_registers.h"
#include "lldb-plugin/lldb_image.h"
#include "stops/stack_places.h"
#include "unwind/format.h"

namespace cgo {
namespace {

constexpr const char* kOfLibc[] = {"dlopen", "dlmopen", "dlsym", "dlvsym"};
/// Where ld.so gives up, with its reason. Source: glibc, elf/dl-error-skeleton.c; since 2.26 both.
constexpr const char* kFailures[] = {"_dl_signal_exception", "_dl_signal_error"};
/// Source: src/plugin/plugin_dlopen.go. Open and Lookup themselves are inlined where they are
/// called.
constexpr const char* kOfGo[] = {"plugin.open", "plugin.lookup", "plugin.(*Plugin).Lookup"};
constexpr std::size_t kMostOpen = 4096;
constexpr std::uint64_t kMostCodeBytes = 1 << 16;

std::int64_t clock_ns(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

/// Not those of others that stand in front of the C library's, which they call.
bool is_c_library(const std::string& path) {
  const std::string_view name = std::string_view(path).substr(path.rfind('/') + 1);
  return name.starts_with("libc.so") || name.starts_with("libc-") || name.starts_with("libdl") ||
         name.starts_with("ld-");
}

bool is_go(const std::string& function) { return function.starts_with("plugin."); }

/// The bytes of a function, of its file.
std::vector<std::byte> code_of(lldb::SBSymbol symbol) {
  lldb::SBAddress begin = symbol.GetStartAddress(), end = symbol.GetEndAddress();
  const std::uint64_t bytes = end.GetFileAddress() - begin.GetFileAddress();
  if (!end.IsValid() || bytes == 0 || bytes > kMostCodeBytes) return {};
  lldb::SBData data = begin.GetSection().GetSectionData(begin.GetOffset(), bytes);
  std::vector<std::byte> out(data.GetByteSize());
  lldb::SBError error;
  if (data.ReadRawData(error, 0, out.data(), out.size()) != bytes) return {};
  return out;
}

/// The file that a loaded address is in, and the name of what is there.
struct Bound {
  std::string module, symbol;
};
Bound bound_at(lldb::SBTarget target, std::uint64_t address) {
  lldb::SBAddress where = target.ResolveLoadAddress(address);
  lldb::SBModule module = where.GetModule();
  if (!module.IsValid()) return {};
  Bound out{.module = path_of(module), .symbol = {}};
  lldb::SBSymbol symbol = where.GetSymbol();
  if (!symbol.IsValid() || symbol.GetName() == nullptr) return out;
  out.symbol = symbol.GetName();
  const std::uint64_t begin = symbol.GetStartAddress().GetLoadAddress(target);
  if (begin < address) out.symbol += fmt::format("+{}", address - begin);
  return out;
}

/// The file that a handle stands for. Source: glibc, link.h, struct link_map: l_addr, l_name, l_ld.
std::string module_of_handle(lldb::SBTarget target, const MemoryReader& memory, Address handle) {
  constexpr std::uint64_t kName = 8, kDynamicSection = 16;
  const auto section = read_unsigned<std::uint64_t>(memory, wrapping_add(handle, kDynamicSection));
  if (section)
    if (Bound bound = bound_at(target, *section); !bound.module.empty()) return bound.module;
  const auto name = read_unsigned<std::uint64_t>(memory, wrapping_add(handle, kName));
  return name ? text_at(memory, {*name}).text.value_or("") : "";
}

}  // namespace

/// One arrival.
class LibraryBreakpoint::Visit {
 public:
  Visit(LibraryBreakpoint& self, const Visited& at, const Place& place)
      : self_(self),
        at_(at),
        place_(place),
        thread_(at.thread()),
        memory_(at.stop->debuggee->memory()),
        stack_(collect_stack(*at.stop, owner_of(thread_))) {}

  void enter();
  void leave();
  void keep_failure();

 private:
  std::uint64_t value(const char* name) const { return register_of(at_.frame, name).value_or(0); }
  std::pair<std::uint64_t, std::uint64_t> owner_and_sp() const;
  void find_callers(LibraryEvent& event) const;
  void finish_c(LibraryEvent& event) const;
  void finish_go(LibraryEvent& event) const;
  std::string error_text(Address data) const;

  LibraryBreakpoint& self_;
  const Visited& at_;
  const Place& place_;
  lldb::SBThread thread_;
  const MemoryReader& memory_;
  const CollectedStack stack_;
};

/// Whose call it is: a goroutine may come back on another thread, and on another stack.
std::pair<std::uint64_t, std::uint64_t> LibraryBreakpoint::Visit::owner_and_sp() const {
  const std::uint64_t sp = lldb::SBFrame(at_.frame).GetSP();
  if (is_go(place_.function) && stack_.goroutine)
    return {stack_.goroutine->id, stack_.goroutine->stack.end.value - sp};
  return {lldb::SBThread(thread_).GetThreadID(), sp};
}

void LibraryBreakpoint::Visit::find_callers(LibraryEvent& event) const {
  for (const StackElement& element : stack_.stack.elements) {
    const auto* frame = std::get_if<Frame>(&element);
    if (frame == nullptr || frame->physical == 0 || frame->plumbing || frame->function.empty() ||
        frame->file.ends_with("_cgo_gotypes.go"))
      continue;
    // Of Go's own: who called the package.
    if (is_go(place_.function) && is_go(std::string(frame->function))) continue;
    if (event.caller.empty()) event.caller = place_text(*frame);
    if (frame->language != Language::go) continue;
    event.go_caller = place_text(*frame);
    return;
  }
}

void LibraryBreakpoint::Visit::enter() {
  const auto [owner, sp] = owner_and_sp();
  Open opened{.owner = owner, .sp = sp, .since_ns = clock_ns(CLOCK_MONOTONIC), .event = {}};
  LibraryEvent& event = opened.event;
  event.function = place_.function;
  event.tid = thread_.GetThreadID();
  if (stack_.goroutine && stack_.goroutine->id != 0) event.goroutine = stack_.goroutine->id;
  find_callers(event);
  const bool dlm = event.function == "dlmopen", opens = dlm || event.function == "dlopen";
  if (event.function == "plugin.open") {
    event.event = "plugin.open";
    event.is_path = true;
    event.name = text_at(memory_, {value("rax")}, value("rbx"));
  } else if (is_go(event.function)) {
    event.event = "plugin.lookup";
    event.name = text_at(memory_, {value("rbx")}, value("rcx"));
  } else if (opens) {
    event.event = "dlopen";
    event.is_path = true;
    event.name = text_at(memory_, {value(dlm ? "rsi" : "rdi")});
    event.flags = value(dlm ? "rdx" : "rsi") & UINT32_MAX;
    if (dlm) event.name_space = static_cast<std::int64_t>(value("rdi"));
  } else {
    event.event = "dlsym";
    event.handle = value("rdi");
    event.name = text_at(memory_, {value("rsi")});
    if (event.function == "dlvsym") event.version = text_at(memory_, {value("rdx")});
  }
  self_.failures_.erase(event.tid);
  // A signal, or the growth of a goroutine's stack, leads to the same instruction once more.
  std::erase_if(self_.open_, [&](const Open& one) {
    return one.owner == owner && one.sp == sp && is_go(one.event.function) == is_go(event.function);
  });
  self_.open_.push_back(std::move(opened));
  if (self_.open_.size() > kMostOpen) self_.open_.erase(self_.open_.begin());
}

/// Source: glibc, dlfcn/dlerror.c: how dlerror puts its text together; include/dl-error.h: struct
/// dl_exception begins with objname and errstring.
void LibraryBreakpoint::Visit::keep_failure() {
  std::uint64_t object = value("rsi"), text = value("rcx");
  if (place_.function == "_dl_signal_exception") {
    const auto name = read_unsigned<std::uint64_t>(memory_, {object});
    const auto error = read_unsigned<std::uint64_t>(memory_, wrapping_add({object}, 8));
    if (!name || !error) return;
    object = *name;
    text = *error;
  }
  const auto of_object = text_at(memory_, {object}).text;
  const auto error = text_at(memory_, {text}).text;
  if (!error) return;
  std::string out = of_object && !of_object->empty() ? *of_object + ": " : "";
  out += *error;
  const auto number = static_cast<std::int32_t>(value("rdi"));
  if (number > 0) out += std::string(": ") + strerror(number);
  self_.failures_[thread_.GetThreadID()] = out;
}

void LibraryBreakpoint::Visit::finish_c(LibraryEvent& event) const {
  lldb::SBTarget target = lldb::SBThread(thread_).GetProcess().GetTarget();
  event.result = register_of(at_.frame, "rax");
  if (!event.result) return;
  if (event.handle && *event.handle != 0 && *event.handle != UINT64_MAX)
    event.searched_module = module_of_handle(target, memory_, {*event.handle});
  if (*event.result == 0) {
    if (const auto known = self_.failures_.find(event.tid); known != self_.failures_.end())
      event.error = known->second;
  } else if (event.event == "dlopen") {
    event.module = module_of_handle(target, memory_, {*event.result});
  } else {
    Bound bound = bound_at(target, *event.result);
    event.symbol = std::move(bound.symbol);
    event.module = std::move(bound.module);
  }
}

/// The text of an error of package errors: errors.errorString is one string.
std::string LibraryBreakpoint::Visit::error_text(Address data) const {
  const auto text = read_unsigned<std::uint64_t>(memory_, data);
  const auto bytes = read_unsigned<std::uint64_t>(memory_, wrapping_add(data, 8));
  if (!text || !bytes) return "cannot be read";
  return text_at(memory_, {*text}, *bytes).text.value_or("cannot be read");
}

/// Results of Go's functions are in rax, rbx, rcx, rdi. Source: src/cmd/compile/abi-internal.md.
void LibraryBreakpoint::Visit::finish_go(LibraryEvent& event) const {
  const bool opens = event.event == "plugin.open";
  const std::uint64_t kind = value(opens ? "rbx" : "rcx"), data = value(opens ? "rcx" : "rdi");
  if (kind != 0) {
    event.result = 0;
    event.error = error_text({data});
  } else if (opens) {  // A *plugin.Plugin, whose first field is the path of its package.
    event.result = value("rax");
    const auto text = read_unsigned<std::uint64_t>(memory_, {*event.result});
    const auto bytes = read_unsigned<std::uint64_t>(memory_, wrapping_add({*event.result}, 8));
    if (text && bytes) event.module = text_at(memory_, {*text}, *bytes).text.value_or("");
  } else {  // Of a variable its address, of a function one of a word that has its address.
    lldb::SBTarget target = lldb::SBThread(thread_).GetProcess().GetTarget();
    event.result = value("rbx");
    Bound bound = bound_at(target, *event.result);
    const auto code = read_unsigned<std::uint64_t>(memory_, {*event.result});
    if (bound.module.empty() && code) bound = bound_at(target, *code);
    event.symbol = std::move(bound.symbol);
    event.module = std::move(bound.module);
  }
}

void LibraryBreakpoint::Visit::leave() {
  const auto [owner, sp] = owner_and_sp();
  const auto found = std::ranges::find_if(self_.open_, [&](const Open& one) {
    return one.owner == owner && one.sp == sp && one.event.function == place_.function;
  });
  if (found == self_.open_.end()) return;  // Seen already, or entered before the trace began.
  LibraryEvent event = std::move(found->event);
  event.duration_ns = clock_ns(CLOCK_MONOTONIC) - found->since_ns;
  self_.open_.erase(found);
  if (is_go(event.function))
    finish_go(event);
  else
    finish_c(event);
  self_.log_->add(event, clock_ns(CLOCK_REALTIME));
  ++self_.count_;
}

void LibraryBreakpoint::add(lldb::SBModule module, const char* function) {
  const std::string path = path_of(module);
  lldb::SBSymbolContextList found = module.FindSymbols(function, lldb::eSymbolTypeCode);
  for (std::uint32_t i = 0; i < found.GetSize(); ++i) {
    lldb::SBSymbol symbol = found.GetContextAtIndex(i).GetSymbol();
    const std::uint64_t entry = symbol.GetStartAddress().GetFileAddress();
    const bool fails = std::string_view(function).starts_with("_dl_signal");
    places_[{path, entry}] = {fails ? Role::failure : Role::entry, function};
    if (fails) continue;
    decode_amd64(code_of(symbol), {entry}, [&](const Instruction& one) {
      if (one.returns) places_[{path, one.at.value}] = {Role::exit, function};
      return true;
    });
  }
}

std::vector<std::uint64_t> LibraryBreakpoint::addresses(lldb::SBModule module) {
  const std::lock_guard lock(mutex_);
  const std::string path = path_of(module);
  if (is_c_library(path)) {
    for (const char* function : kOfLibc) add(module, function);
    for (const char* function : kFailures) add(module, function);
  } else if (module.FindSection(".go.buildinfo").IsValid()) {
    for (const char* function : kOfGo) add(module, function);
  }
  std::vector<std::uint64_t> out;
  for (auto one = places_.lower_bound({path, 0}); one != places_.end() && one->first.first == path;
       ++one)
    out.push_back(one->first.second);
  return out;
}

const LibraryBreakpoint::Place* LibraryBreakpoint::place_of(
    lldb::SBBreakpointLocation location) const {
  lldb::SBAddress address = location.GetAddress();
  const auto found = places_.find({path_of(address.GetModule()), address.GetFileAddress()});
  return found == places_.end() ? nullptr : &found->second;
}

TargetBreakpoint::Outcome LibraryBreakpoint::decide(const Visited& at) {
  const Place* place = place_of(at.location);
  if (place == nullptr) return {};
  Visit visit(*this, at, *place);
  if (place->role == Role::failure) visit.keep_failure();
  if (place->role == Role::entry) visit.enter();
  if (place->role == Role::exit) visit.leave();
  return {};
}

void LibraryBreakpoint::begin_process() {
  open_.clear();
  failures_.clear();
  count_ = 0;
}

std::string LibraryBreakpoint::summary() {
  const std::lock_guard lock(mutex_);
  return fmt::format("cgo trace of libraries: {} calls came back, {} open", count_, open_.size());
}

}  // namespace cgo
