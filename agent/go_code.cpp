#include "agent/go_code.h"

#include <elf.h>

#include <cstring>

#include "agent/byte_cursor.h"

namespace cgo::agent {
namespace {

// Source: src/runtime/asm_amd64.s, asmcgocall, and runtime.g in binaries of each release.
constexpr GoRelease kReleases[] = {
    {.first_minor = 19, .last_minor = 21, .depth_slot = 0x28, .g_slot = 0x30, .goid = 152},
    {.first_minor = 22, .last_minor = 22, .depth_slot = 0, .g_slot = 8, .goid = 152},
    {.first_minor = 23, .last_minor = 24, .depth_slot = 0, .g_slot = 8, .goid = 160},
    {.first_minor = 25, .last_minor = 27, .depth_slot = 0, .g_slot = 8, .goid = 152},
};

constexpr unsigned kMostModules = 16;
GoModule modules[kMostModules];
std::uint32_t modules_claimed;

// Files that were looked through: their first bytes' addresses.
constexpr unsigned kMostSearched = 64;
std::uint64_t searched[kMostSearched];
std::uint32_t searched_next;

std::uint64_t word_at(std::uint64_t address) {
  std::uint64_t value;
  std::memcpy(&value, reinterpret_cast<const void*>(address), sizeof(value));
  return value;
}

/// Offsets in runtime.moduledata and in pclntab's header, equal in Go 1.19 to 1.27.
constexpr unsigned kNames = 8, kPcTables = 80, kFunctions = 104, kSorted = 128, kMinPc = 160,
                   kMaxPc = 168, kText = 176, kModuleDataBytes = 184, kNamesOffset = 32;
constexpr unsigned kFunctionName = 4, kFunctionSp = 16, kFunctionBytes = 20;

bool within(const LoadedFile& file, std::uint64_t at, std::uint64_t bytes) {
  return at >= file.begin && at < file.end && bytes <= file.end - at;
}

/// Whether `header` is a function table whose names lie where the second word says.
bool is_function_table(const LoadedFile& file, std::uint64_t header, std::uint64_t names) {
  constexpr std::uint32_t kMagic[] = {0xfffffff0u, 0xfffffff1u};
  constexpr std::uint32_t kAmd64 = 0x08010000;  // 0, 0, least instruction 1, pointers of 8 bytes.
  if (!within(file, header, 64) || (header & 7) != 0) return false;
  const std::uint64_t first = word_at(header);
  const auto magic = static_cast<std::uint32_t>(first);
  if (magic != kMagic[0] && magic != kMagic[1]) return false;
  return first >> 32 == kAmd64 && names == header + word_at(header + kNamesOffset);
}

Bytes slice_at(const LoadedFile& file, std::uint64_t at) {
  const std::uint64_t begin = word_at(at), count = word_at(at + 8);
  if (!within(file, begin, count)) return {};
  return {reinterpret_cast<const std::uint8_t*>(begin), count};
}

bool read_module(const LoadedFile& file, std::uint64_t data, GoModule& module) {
  module.file_begin = file.begin;
  module.names = slice_at(file, data + kNames);
  module.pc_tables = slice_at(file, data + kPcTables);
  module.functions = slice_at(file, data + kFunctions);
  module.sorted = word_at(data + kSorted);
  module.count = word_at(data + kSorted + 8);
  module.text_begin = word_at(data + kMinPc);
  module.text_end = word_at(data + kMaxPc);
  module.text = word_at(data + kText);
  return module.names.count != 0 && module.pc_tables.count != 0 && module.functions.count != 0 &&
         module.count > 1 && module.count < (1u << 28) &&
         within(file, module.sorted, module.count * 8) &&
         within(file, module.text_begin, module.text_end - module.text_begin) &&
         module.text_begin < module.text_end && module.text <= module.text_begin;
}

/// The minor release in "go1.27.4"; 0: none.
std::uint32_t minor_of(const std::uint8_t* text, std::uint64_t count) {
  for (std::uint64_t i = 0; i + 5 < count; ++i) {
    if (std::memcmp(text + i, "go1.", 4) != 0) continue;
    std::uint32_t minor = 0;
    for (i += 4; i < count && text[i] >= '0' && text[i] <= '9' && minor < 1000; ++i)
      minor = minor * 10 + (text[i] - '0');
    return minor;
  }
  return 0;
}

/// Source: debug/buildinfo: magic, pointer size, flags with bit 1 for inline strings, at 32 a
/// length and the version.
const GoRelease* release_in(Bytes data) {
  constexpr char kMagic[] = "\xff Go buildinf:";
  constexpr std::uint64_t kLength = 32, kInline = 2;
  for (std::uint64_t at = 0; at + kLength + 16 <= data.count; at += 16) {
    const std::uint8_t* here = data.begin + at;
    if (*here != 0xff || std::memcmp(here, kMagic, sizeof(kMagic) - 1) != 0) continue;
    if ((here[15] & kInline) == 0) return nullptr;
    ByteCursor cursor(here + kLength, data.begin + data.count);
    std::uint64_t length = cursor.uleb();
    if (!cursor.ok() || length > cursor.left()) return nullptr;
    const std::uint32_t minor = minor_of(cursor.at(), length);
    for (const GoRelease& release : kReleases)
      if (minor >= release.first_minor && minor <= release.last_minor) return &release;
    return nullptr;
  }
  return nullptr;
}

bool is_searched(std::uint64_t begin) {
  for (std::uint64_t& known : searched)
    if (__atomic_load_n(&known, __ATOMIC_RELAXED) == begin) return true;
  return false;
}

void add(const GoModule& module) {
  const std::uint32_t number = __atomic_fetch_add(&modules_claimed, 1, __ATOMIC_RELAXED);
  GoModule* place = number < kMostModules ? &modules[number] : nullptr;
  for (unsigned i = 0; place == nullptr && i < kMostModules; ++i) {
    std::uint32_t gone = 2;
    if (__atomic_compare_exchange_n(&modules[i].ready, &gone, 0, false, __ATOMIC_ACQ_REL,
                                    __ATOMIC_RELAXED))
      place = &modules[i];
  }
  if (place == nullptr) return;
  *place = module;
  __atomic_store_n(&place->ready, 1, __ATOMIC_RELEASE);
}

/// Bytes from SP to the return address at `pc`, from the function's table of pairs.
/// Source: src/runtime/symtab.go, step and pcvalue.
bool frame_bytes(const GoModule& module, std::uint32_t table, std::uint64_t entry, std::uint64_t pc,
                 std::uint32_t& bytes) {
  if (table == 0 || table >= module.pc_tables.count) return false;
  ByteCursor cursor(module.pc_tables.begin + table,
                    module.pc_tables.begin + module.pc_tables.count);
  std::int64_t value = -1;
  std::uint64_t until = entry;
  for (bool first = true; cursor.ok(); first = false) {
    const std::uint64_t delta = cursor.uleb();
    if (delta == 0 && !first) return false;
    value += static_cast<std::int64_t>((delta >> 1) ^ (0 - (delta & 1)));
    until += cursor.uleb();
    if (pc >= until) continue;
    bytes = static_cast<std::uint32_t>(value);
    return cursor.ok() && value >= 0 && value < (1 << 28) && value % 8 == 0;
  }
  return false;
}

GoPart part_of(const char* name) {
  struct Named {
    const char* name;
    GoPart part;
  };
  constexpr Named kNamed[] = {
      {"runtime.asmcgocall", GoPart::asmcgocall},
      {"runtime.cgocallback", GoPart::cgocallback},
      {"crosscall2", GoPart::crosscall2},
      {"runtime.goexit", GoPart::goroutine_entry},
      {"runtime.systemstack", GoPart::system_stack},
      {"runtime.mcall", GoPart::system_stack},
      {"runtime.morestack", GoPart::system_stack},
      {"runtime.mstart", GoPart::system_stack},
      {"runtime.rt0_go", GoPart::system_stack},
      {"runtime.sigtramp", GoPart::system_stack},
      {"runtime.cgoSigtramp", GoPart::system_stack},
      {"runtime.gogo", GoPart::system_stack},
      {"runtime.sigreturn__sigaction", GoPart::system_stack},
      {"runtime.asmcgocall_no_g", GoPart::system_stack},
  };
  for (const Named& named : kNamed)
    if (std::strcmp(name, named.name) == 0) return named.part;
  return GoPart::plain;
}

bool function_frame(const GoModule& module, std::uint64_t pc, std::uint64_t lookup,
                    GoFrame& frame) {
  struct Entry {
    std::uint32_t pc, function;
  };
  const auto* entries = reinterpret_cast<const Entry*>(module.sorted);
  const std::uint64_t wanted = lookup - module.text;
  std::uint64_t low = 0, high = module.count - 1;  // The last entry is the end of the text.
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    if (entries[middle].pc <= wanted)
      low = middle + 1;
    else
      high = middle;
  }
  if (low == 0) return false;
  const Entry& entry = entries[low - 1];
  if (entry.function > module.functions.count - kFunctionBytes) return false;
  const std::uint8_t* function = module.functions.begin + entry.function;
  std::uint32_t name, table;
  std::memcpy(&name, function + kFunctionName, sizeof(name));
  std::memcpy(&table, function + kFunctionSp, sizeof(table));
  if (name >= module.names.count) return false;
  frame.module = &module;
  frame.part = part_of(reinterpret_cast<const char*>(module.names.begin + name));
  return frame_bytes(module, table, module.text + entry.pc, pc, frame.bytes) ||
         frame.part == GoPart::goroutine_entry || frame.part == GoPart::system_stack;
}

}  // namespace

bool go_frame_at(std::uint64_t pc, std::uint64_t lookup, GoFrame& frame) {
  for (const GoModule& module : modules) {
    if (__atomic_load_n(&module.ready, __ATOMIC_ACQUIRE) != 1) continue;
    if (lookup >= module.text_begin && lookup < module.text_end)
      return function_frame(module, pc, lookup, frame);
  }
  return false;
}

bool find_go_module(const LoadedFile& file) {
  if (is_searched(file.begin)) return false;
  bool found = false;
  const GoRelease* release = nullptr;
  for (unsigned part = 0; release == nullptr; ++part) {
    const Bytes data = loaded_part(file, PF_R | PF_W, part);
    if (data.count == 0) break;
    release = release_in({data.begin, data.count & ~std::uint64_t{15}});
  }
  for (unsigned part = 0; !found; ++part) {
    const Bytes data = loaded_part(file, PF_R | PF_W, part);
    if (data.count == 0) break;
    const auto begin = (reinterpret_cast<std::uint64_t>(data.begin) + 7) & ~std::uint64_t{7};
    const auto end = reinterpret_cast<std::uint64_t>(data.begin) + data.count;
    for (std::uint64_t at = begin; at + kModuleDataBytes <= end && !found; at += 8) {
      GoModule module;
      if (!is_function_table(file, word_at(at), word_at(at + kNames))) continue;
      if (!read_module(file, at, module)) continue;
      module.release = release;
      add(module);
      found = true;
    }
  }
  const std::uint32_t slot = __atomic_fetch_add(&searched_next, 1, __ATOMIC_RELAXED);
  __atomic_store_n(&searched[slot % kMostSearched], file.begin, __ATOMIC_RELAXED);
  return found;
}

void forget_unloaded_go_modules() {
  // What lies there next is looked through again.
  for (std::uint64_t& known : searched) __atomic_store_n(&known, 0, __ATOMIC_RELAXED);
  LoadedFile file;
  for (GoModule& module : modules) {
    if (__atomic_load_n(&module.ready, __ATOMIC_ACQUIRE) != 1) continue;
    if (!file_at(module.text_begin, file) || file.begin != module.file_begin)
      __atomic_store_n(&module.ready, 2, __ATOMIC_RELEASE);
    else
      searched[searched_next++ % kMostSearched] = module.file_begin;
  }
}

}  // namespace cgo::agent
