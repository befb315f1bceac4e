#include "goruntime/signal_table.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>

#include "goruntime/code_operands.h"
#include "goruntime/structure_members.h"

namespace cgo {
namespace {

constexpr std::uint64_t kEntries = kMostSignals + 1;
constexpr std::uint64_t kPointerBytes = 8;
/// sigTabT: an int32 and a string.
constexpr std::uint64_t kTableEntryBytes = 24;
/// runtime.sig: note, then mask, wanted and ignored of three words each.
constexpr std::uint64_t kQueueBytes = 72, kWanted = 20, kIgnored = 32;

// Source: src/runtime/runtime2.go, _SigNotify and following; the same in 1.19 to 1.27.
constexpr std::uint32_t kPanic = 8, kDefault = 16, kAllFlags = 0x1ff;
constexpr int kSigpipe = 13, kSigsegv = 11;

Result<Address> place_of(const Image& image, const ElfFile* debug_file, const char* name,
                         std::uint64_t bytes) {
  const ElfSymbol* symbol = nullptr;
  if (image.file && !image.mismatch) symbol = image.file->find_symbol(name);
  if (symbol == nullptr && debug_file != nullptr) symbol = debug_file->find_symbol(name);
  if (symbol == nullptr) return Error{ErrorCode::not_found, std::string("no symbol ") + name};
  if (symbol->bytes != bytes)
    return Error{ErrorCode::malformed_data, std::string(name) + " has " +
                                                std::to_string(symbol->bytes) + " bytes, not " +
                                                std::to_string(bytes)};
  return image.to_load(symbol->file_address);
}

bool has_bit(ByteView words, std::uint64_t from, int signal) {
  const auto word = load<std::uint32_t>(words, from + static_cast<std::uint64_t>(signal) / 32 * 4);
  return word && (*word >> (signal % 32) & 1) != 0;
}

/// Whether entry 0, which stands for no signal, is at `at`.
bool begins_as_table(const MemoryReader& memory, Address at) {
  constexpr std::string_view kName = "SIGNONE: no trap";
  const auto flags = read_unsigned<std::uint32_t>(memory, at);
  const auto text = read_pointer(memory, wrapping_add(at, 8));
  const auto length = read_unsigned<std::uint64_t>(memory, wrapping_add(at, 16));
  if (!flags || *flags != 0 || !text || !length || *length != kName.size()) return false;
  const auto name = read_bytes(memory, *text, kName.size());
  return name && std::memcmp(name->data(), kName.data(), kName.size()) == 0;
}

Error no_table(const std::string& why, Address at) {
  return {ErrorCode::malformed_data, "runtime.sigtable is damaged: " + why, at};
}

}  // namespace

Result<GoSignalPlaces> find_signal_places(const Image& image, const ElfFile* debug_file) {
  GoSignalPlaces out;
  auto forward = place_of(image, debug_file, "runtime.fwdSig", kEntries * kPointerBytes);
  if (!forward) return std::move(forward).error();
  auto handling = place_of(image, debug_file, "runtime.handlingSig", kEntries * 4);
  if (!handling) return std::move(handling).error();
  auto table = place_of(image, debug_file, "runtime.sigtable", kEntries * kTableEntryBytes);
  if (!table) return std::move(table).error();
  out = {*forward, *handling, *table, {}};
  if (const auto queue = place_of(image, debug_file, "runtime.sig", kQueueBytes))
    out.queue = *queue;
  return out;
}

Result<GoSignalPlaces> find_signal_places_in_code(const MemoryReader& memory,
                                                  const GoRuntime& runtime) {
  constexpr std::uint64_t kLongestFunction = 4096;
  const Error unknown{ErrorCode::not_found, "no symbols, and runtime.sigfwdgo does not tell"};
  const auto function = runtime.function_named("runtime.sigfwdgo");
  if (!function) return unknown;
  const auto code =
      read_bytes(memory, function->entry,
                 std::min(function->end.value - function->entry.value, kLongestFunction));
  if (!code) return Error(code.error()).in("runtime.sigfwdgo");
  // Source: signal_unix.go, sigfwdgo. fwdSig is read first; the other two are compiled in either
  // order in 1.19 to 1.27 (looked at with objdump).
  std::vector<Address> named;
  for (const CodeOperand& operand : rip_operands_amd64(*code, function->entry))
    if (operand.use == CodeOperand::Use::address &&
        std::ranges::find(named, operand.target) == named.end())
      named.push_back(operand.target);
  if (named.size() != 3) return unknown;
  if (begins_as_table(memory, named[1])) std::swap(named[1], named[2]);
  if (!begins_as_table(memory, named[2])) return unknown;
  return GoSignalPlaces{named[0], named[1], named[2], {}};
}

Result<GoSignals> read_go_signals(const MemoryReader& memory, const GoSignalPlaces& places) {
  auto forward = read_bytes(memory, places.forward, kEntries * kPointerBytes);
  if (!forward) return std::move(forward).error().in("runtime.fwdSig");
  auto handling = read_bytes(memory, places.handling, kEntries * 4);
  if (!handling) return std::move(handling).error().in("runtime.handlingSig");
  auto table = read_bytes(memory, places.table, kEntries * kTableEntryBytes);
  if (!table) return std::move(table).error().in("runtime.sigtable");
  std::vector<std::byte> queue;
  if (places.queue) {
    auto read = read_bytes(memory, places.queue, kQueueBytes);
    if (!read) return std::move(read).error().in("runtime.sig");
    queue = *std::move(read);
  }
  GoSignals out;
  for (int signal = 1; signal <= kMostSignals; ++signal) {
    const auto index = static_cast<std::uint64_t>(signal);
    const std::uint32_t flags = *load<std::uint32_t>(*table, index * kTableEntryBytes);
    const std::uint32_t handles = *load<std::uint32_t>(*handling, index * 4);
    if ((flags & ~kAllFlags) != 0 || handles > 1)
      return no_table("impossible values for signal " + std::to_string(signal), places.table);
    if (signal == kSigsegv && (flags & kPanic) == 0)
      return no_table("SIGSEGV is no panic", places.table);
    GoSignal& one = out[index];
    one.handling = handles == 1;
    // Signals without flags are not looked at, those with kDefault when os/signal asks for them.
    if (flags != 0 && ((flags & kDefault) == 0 || one.handling))
      one.found = Address{*load<std::uint64_t>(*forward, index * kPointerBytes)};
    if (places.queue) {
      one.notify = has_bit(queue, kWanted, signal);
      one.ignored = has_bit(queue, kIgnored, signal);
    }
    one.forwards =
        one.handling && one.found_handler() && ((flags & kPanic) != 0 || signal == kSigpipe);
  }
  return out;
}

Result<GoSignalStackLayout> signal_stack_layout_from_dwarf(const DwarfInfo& dwarf) {
  StructureMembers m(dwarf, "runtime.m"), kept(dwarf, "runtime.gsignalStack"),
      stack(dwarf, "runtime.stack");
  GoSignalStackLayout out;
  out.new_stack = {m.offset("newSigstack")};
  out.go_stack_lo = {m.offset("goSigStack") + kept.offset("stack") + stack.offset("lo")};
  for (const StructureMembers* one : {&m, &kept, &stack})
    if (one->error()) return *one->error();
  return out;
}

Result<std::optional<GoSignalStack>> read_signal_stack(const MemoryReader& memory,
                                                       const GoRuntime& runtime,
                                                       const GoSignalStackLayout& layout,
                                                       const Machine& m) {
  const std::string step = "M " + std::to_string(m.id);
  auto made = read_unsigned<std::uint8_t>(memory, wrapping_add(m.address, layout.new_stack.bytes));
  if (!made) return std::move(made).error().in(step);
  auto kept = read_pointer(memory, wrapping_add(m.address, layout.go_stack_lo.bytes));
  if (!kept) return std::move(kept).error().in(step);
  if (*made > 1) return Error{ErrorCode::malformed_data, step + ": newSigstack is no bool"};
  if ((*made == 0 && !*kept) || !m.gsignal) return std::optional<GoSignalStack>();
  // Of a stack that C had set, Go takes over the bounds. Source: signal_unix.go,
  // minitSignalStack and setGsignalStack.
  auto g = runtime.goroutine(memory, m.gsignal);
  if (!g) return std::move(g).error().in(step + ": gsignal");
  return std::optional(GoSignalStack{g->stack, *made == 0});
}

}  // namespace cgo
