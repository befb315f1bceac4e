#include "target/core_notes.h"

#include <elf.h>

#include <algorithm>
#include <array>

namespace cgo {
namespace {

/// Where things are in struct elf_prstatus and struct elf_prpsinfo on 64-bit Linux.
/// Source: Linux include/linux/elfcore.h; arch/x86/include/asm/user_64.h (user_regs_struct).
constexpr std::uint64_t kCurrentSignal = 12;
constexpr std::uint64_t kPending = 16, kBlocked = 24;
constexpr std::uint64_t kThreadId = 32;
constexpr std::uint64_t kParent = 36, kGroup = 40, kSession = 44;
constexpr std::uint64_t kRegisters = 112;
constexpr std::uint64_t kPid = 24;
constexpr std::uint64_t kName = 40, kNameBytes = 16;
constexpr std::uint64_t kArguments = 56, kArgumentsBytes = 80;

/// The DWARF number of each word of user_regs_struct, or kNone.
constexpr std::uint8_t kNone = 255;
constexpr std::array<std::uint8_t, 21> kAmd64Words{15,
                                                   14,
                                                   13,
                                                   12,
                                                   6,
                                                   3,
                                                   11,
                                                   10,
                                                   9,
                                                   8,
                                                   0,
                                                   2,
                                                   1,
                                                   4,
                                                   5,
                                                   kNone /* orig_rax */,
                                                   16,
                                                   kNone /* cs */,
                                                   kNone /* eflags */,
                                                   7,
                                                   kNone /* ss */};
constexpr std::uint64_t kAmd64FsBaseWord = 21;

std::string text_in(ByteView field) {
  const std::string_view all(reinterpret_cast<const char*>(field.data()), field.size());
  return std::string(all.substr(0, all.find('\0')));
}

/// Nothing where the writer filled in the registers and little else: gcore and LLDB leave zeros,
/// also for the numbers of parent, group and session, which are not all zero in the kernel's.
std::optional<ThreadSignals> signals_in_status(ByteView note) {
  const auto pending = load<std::uint64_t>(note, kPending);
  const auto blocked = load<std::uint64_t>(note, kBlocked);
  const auto parent = load<std::uint32_t>(note, kParent), group = load<std::uint32_t>(note, kGroup),
             session = load<std::uint32_t>(note, kSession);
  if (!pending || !blocked || !parent || !group || !session) return std::nullopt;
  if (*parent == 0 && *group == 0 && *session == 0) return std::nullopt;
  ThreadSignals out;
  out.pending = SignalSet{*pending};
  out.blocked = SignalSet{*blocked};
  return out;
}

void add_thread(ByteView note, const ArchInfo& arch, CoreNotes& notes) {
  const auto signal = load<std::uint16_t>(note, kCurrentSignal);
  const auto tid = load<std::uint32_t>(note, kThreadId);
  if (!signal || !tid || &arch != &kAmd64) return;
  CoreThread thread{.tid = *tid, .signal = *signal, .registers = Registers(arch)};
  for (std::size_t word = 0; word < kAmd64Words.size(); ++word) {
    const auto value = load<std::uint64_t>(note, kRegisters + word * 8);
    if (!value) return;
    if (kAmd64Words[word] != kNone) thread.registers.set(kAmd64Words[word], *value);
  }
  if (const auto base = load<std::uint64_t>(note, kRegisters + kAmd64FsBaseWord * 8))
    thread.thread_pointer = Address{*base};
  thread.signals = signals_in_status(note);
  notes.threads.push_back(std::move(thread));
}

void add_process(ByteView note, CoreNotes& notes) {
  const auto pid = load<std::uint32_t>(note, kPid);
  const auto name = slice(note, kName, kNameBytes);
  const auto arguments = slice(note, kArguments, kArgumentsBytes);
  if (!pid || !name || !arguments) return;
  std::string line = text_in(*arguments);
  line.erase(line.find_last_not_of(' ') + 1);  // The kernel pads the end.
  notes.process = CoreProcess{.pid = *pid, .name = text_in(*name), .arguments = std::move(line)};
}

/// Source: Linux fs/binfmt_elf.c, fill_files_note (layout of NT_FILE).
void add_files(ByteView note, CoreNotes& notes) {
  const auto count = load<std::uint64_t>(note, 0);
  const auto page = load<std::uint64_t>(note, 8);
  constexpr std::uint64_t kHeader = 16, kEntry = 24;
  if (!count || !page || *count > note.size() / kEntry) return;
  std::uint64_t name_at = kHeader + *count * kEntry;
  for (std::uint64_t i = 0; i < *count; ++i) {
    const auto begin = load<std::uint64_t>(note, kHeader + i * kEntry);
    const auto end = load<std::uint64_t>(note, kHeader + i * kEntry + 8);
    const auto page_offset = load<std::uint64_t>(note, kHeader + i * kEntry + 16);
    const auto name = c_string(note, name_at, note.size());
    if (!begin || !end || !page_offset || !name) return;
    notes.files.push_back({.range = {{*begin}, {*end}},
                           .file_offset = *page_offset * *page,
                           .path = std::string(*name)});
    name_at += name->size() + 1;
  }
}

void add_auxv(ByteView note, CoreNotes& notes) {
  for (std::uint64_t at = 0;; at += 16) {
    const auto type = load<std::uint64_t>(note, at);
    const auto value = load<std::uint64_t>(note, at + 8);
    if (!type || !value || *type == AT_NULL) return;
    notes.auxv.emplace_back(*type, *value);
  }
}

}  // namespace

void read_core_notes(ByteView segment, std::uint64_t alignment, const ArchInfo& arch,
                     CoreNotes& notes) {
  ElfNotes walk(segment, alignment);
  while (const auto note = walk.next()) {
    if (note->owner != "CORE") continue;
    if (note->type == NT_PRSTATUS) add_thread(note->description, arch, notes);
    if (note->type == NT_PRPSINFO) add_process(note->description, notes);
    if (note->type == NT_FILE) add_files(note->description, notes);
    if (note->type == NT_AUXV) add_auxv(note->description, notes);
    // Belongs to the thread before it: the first one in a core by the kernel, each one in gcore's.
    if (note->type == NT_SIGINFO && !notes.threads.empty())
      notes.threads.back().details = decode_signal_details(note->description);
  }
}

}  // namespace cgo
