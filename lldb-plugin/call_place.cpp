#include "lldb-plugin/call_place.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "unwind/unwinder.h"

namespace cgo {
namespace {

constexpr std::uint64_t kRoomBytes = 64 << 10;

/// Files in which every place may be one with a lock held.
constexpr std::string_view kLockedFiles[] = {"ld-linux",    "ld-2.",       "libjemalloc",
                                             "libtcmalloc", "libmimalloc", "liblldb-cgo-agent"};
/// Functions of the C library that hold such locks, or call what does.
constexpr std::string_view kLockedFunctions[] = {
    "malloc",     "calloc", "realloc", "free",     "memalign", "valloc",
    "arena",      "tcache", "dlopen",  "dlsym",    "dlclose",  "dlmopen",
    "dl_iterate", "_dl_",   "fork",    "int_free", "sbrk"};

bool waits_in_system_call(const Stop& stop, Address pc) {
  const auto before = checked_sub(pc, 2);
  if (!before) return false;
  const auto code = read_bytes(stop.debuggee->memory(), *before, 2);
  return code && code->at(0) == std::byte{0x0f} && code->at(1) == std::byte{0x05};
}

std::string function_at(const Image& image, Address pc) {
  const ElfSymbol* symbol =
      image.file && !image.mismatch ? image.file->symbol_at(image.to_file(pc)) : nullptr;
  return symbol == nullptr ? "" : std::string(symbol->name);
}

/// Where a frame of C may hold a lock; nothing where it does not. In a stack that is `whole`
/// functions without a name are below one that has.
std::optional<std::string> lock_in(const Stop& stop, const PhysicalFrame& frame, bool innermost,
                                   bool whole) {
  if (frame.go) return std::nullopt;
  const Address pc = frame.pc.for_lookup();
  const Image* image = stop.program->images->find(pc);
  if (image == nullptr) return std::nullopt;
  const std::string_view file = image->name();
  if (std::ranges::any_of(kLockedFiles, [&](auto name) { return file.starts_with(name); }))
    return "within " + std::string(file);
  if (!file.starts_with("libc.so") && !file.starts_with("libc-")) return std::nullopt;
  const std::string function = function_at(*image, pc);
  if (std::ranges::any_of(kLockedFunctions,
                          [&](auto name) { return function.find(name) != function.npos; }))
    return fmt::format("within {} of {}", function, file);
  if (innermost && !whole && !waits_in_system_call(stop, frame.pc.address))
    return "within " + std::string(file);
  return std::nullopt;
}

struct Place {
  bool on_c_stack = false;
  bool in_go = false;
  std::optional<std::string> lock;
};

/// A thread's own stack: where its thread-local storage lies too, or the main thread's.
bool on_own_stack(const Stop& stop, std::uint64_t tid) {
  const auto registers = stop.debuggee->registers(tid);
  const auto pointer = stop.debuggee->thread_pointer(tid);
  const MappingList* mappings = stop.debuggee->mappings();
  if (!registers || !pointer || mappings == nullptr) return false;
  const Mapping* mapping = mappings->find(registers->sp());
  if (mapping == nullptr || !mapping->writable) return false;
  if (mapping->path == "[stack]") return true;
  return mapping->range.contains(*pointer) && mapping->path.empty() &&
         registers->sp().value - mapping->range.begin.value >= kRoomBytes;
}

Place place_of(const Stop& stop, std::uint64_t tid) {
  Place out{.on_c_stack = on_own_stack(stop, tid)};
  const Unwinder::ThreadWalk walked = stop.unwinder->thread(tid);
  bool innermost = true;
  for (const auto& element : walked.walk.elements) {
    const auto* frame = std::get_if<PhysicalFrame>(&element);
    if (frame == nullptr) continue;
    if (innermost) out.in_go = frame->go.has_value();
    if (!out.lock) out.lock = lock_in(stop, *frame, innermost, walked.walk.complete());
    innermost = false;
  }
  if (innermost) out.lock = "at a place that is not known";
  return out;
}

}  // namespace

Result<std::uint64_t> thread_for_calls(const Stop& stop) {
  std::optional<std::uint64_t> in_go, in_c;
  for (const ThreadInfo& thread : stop.debuggee->threads()) {
    const Place place = place_of(stop, thread.tid);
    if (place.lock)
      return Error{ErrorCode::unsupported,
                   fmt::format("thread {} (tid {}) is {}, where it may hold a lock", thread.index,
                               thread.tid, *place.lock)};
    if (!place.on_c_stack) continue;
    // Code of Go on a system stack does not care for errno.
    (place.in_go ? in_go : in_c).emplace(thread.tid);
  }
  if (in_go) return *in_go;
  if (in_c) return *in_c;
  return Error{ErrorCode::not_found, "no thread is on a stack of C with room"};
}

}  // namespace cgo
