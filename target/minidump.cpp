#include "target/minidump.h"

#include <algorithm>
#include <array>

#include "target/elf_notes.h"
#include "target/mapped_file.h"
#include "target/minidump_format.h"
#include "target/segment_memory.h"

namespace cgo {

using namespace minidump;

namespace {

// More than any process has; names may be shared by records, copies of them must not add up.
constexpr std::uint64_t kMostModules = 16384;
constexpr std::size_t kLongestName = 4096;
constexpr std::size_t kLongestBuildId = 64;

void append_utf8(std::string& out, std::uint32_t point) {
  const auto put = [&out](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xc0 | point >> 6);
    put(0x80 | (point & 0x3f));
  } else if (point < 0x10000) {
    put(0xe0 | point >> 12);
    put(0x80 | (point >> 6 & 0x3f));
    put(0x80 | (point & 0x3f));
  } else {
    put(0xf0 | point >> 18);
    put(0x80 | (point >> 12 & 0x3f));
    put(0x80 | (point >> 6 & 0x3f));
    put(0x80 | (point & 0x3f));
  }
}

/// A MINIDUMP_STRING: its length in bytes, then UTF-16. A lone surrogate becomes U+FFFD.
std::string string_at(ByteView file, std::uint64_t offset) {
  const auto bytes = load<std::uint32_t>(file, offset);
  const auto text = bytes ? slice(file, offset + 4, *bytes) : std::nullopt;
  if (!text) return {};
  const auto unit = [&text](std::size_t i) { return load<std::uint16_t>(*text, i * 2); };
  std::string out;
  for (std::size_t i = 0; i < kLongestName; ++i) {
    const auto first = unit(i);
    if (!first || *first == 0) break;
    std::uint32_t point = *first;
    const auto second = unit(i + 1);
    if (point >= 0xd800 && point < 0xdc00 && second && *second >= 0xdc00 && *second < 0xe000) {
      point = 0x10000 + ((point - 0xd800) << 10) + (*second - 0xdc00u);
      ++i;
    } else if (point >= 0xd800 && point < 0xe000) {
      point = 0xfffd;
    }
    append_utf8(out, point);
  }
  return out;
}

Registers registers_in(ByteView context) {
  Registers registers(kAmd64);
  for (const ContextRegister& row : kContextRegisters)
    if (const auto value = load<std::uint64_t>(context, row.offset))
      registers.set(row.dwarf, *value);
  return registers;
}

}  // namespace

struct Minidump::State {
  template <class Contents>
  State(std::string path_, Contents contents_)
      : path(std::move(path_)), contents(std::move(contents_)), file(contents.bytes()) {}

  Error malformed(std::string_view what) const {
    return Error{ErrorCode::malformed_data, path + ": " + std::string(what)};
  }

  Result<void> read() {
    const auto header = load<Header>(file, 0);
    if (!header || header->magic != kMagic || (header->version & 0xffff) != kVersion)
      return malformed("not a minidump");
    const std::uint64_t directory_bytes = std::uint64_t{header->streams} * sizeof(DirectoryEntry);
    const auto entries = slice(file, header->directory_offset, directory_bytes);
    if (!entries) return malformed("the stream directory lies outside of the file; is it cut?");
    directory = *entries;
    const auto processor = load<std::uint16_t>(stream(kSystemInfo), 0);
    if (!processor) return malformed("no system information");
    if (*processor != kAmd64Processor)
      return Error{ErrorCode::unsupported, path + ": a minidump of a CPU that is not supported"};
    read_memory();
    read_threads();
    read_modules();
    read_process();
    return {};
  }

  /// The contents of the first stream of this type; empty when absent, shorter when the file is
  /// cut.
  ByteView stream(StreamType type) {
    for (std::uint64_t at = 0; at < directory.size(); at += sizeof(DirectoryEntry)) {
      const auto entry = *load<DirectoryEntry>(directory, at);
      if (entry.type == type) return part(entry.location.offset, entry.location.bytes);
    }
    return {};
  }

  /// What the file has of [offset, offset + bytes); the rest is counted as cut.
  ByteView part(std::uint64_t offset, std::uint64_t bytes) {
    const std::uint64_t begin = std::min<std::uint64_t>(offset, file.size());
    const std::uint64_t have = std::min<std::uint64_t>(bytes, file.size() - begin);
    if (have < bytes) {
      const std::uint64_t end = offset + bytes < offset ? ~std::uint64_t{0} : offset + bytes;
      lacking.expected_bytes = std::max(lacking.expected_bytes, end);
    }
    return file.subspan(begin, have);
  }

  void add_memory(Address begin, std::uint64_t offset, std::uint64_t bytes) {
    const ByteView have = part(offset, bytes);
    lacking.missing_memory_bytes += bytes - have.size();
    memory.add(begin, have);
  }

  void read_memory() {
    const ByteView list = stream(kMemoryList);
    const std::uint64_t count = load<std::uint32_t>(list, 0).value_or(0);
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto record = load<MemoryRecord>(list, 4 + i * sizeof(MemoryRecord));
      if (!record) break;
      add_memory({record->begin}, record->contents.offset, record->contents.bytes);
    }
    // The contents of all records of the 64-bit list follow each other from one offset on.
    const ByteView list64 = stream(kMemory64List);
    const std::uint64_t count64 = load<std::uint64_t>(list64, 0).value_or(0);
    std::uint64_t offset = load<std::uint64_t>(list64, 8).value_or(0);
    for (std::uint64_t i = 0; i < count64; ++i) {
      const auto record = load<Memory64Record>(list64, 16 + i * sizeof(Memory64Record));
      if (!record || offset + record->bytes < offset) break;
      add_memory({record->begin}, offset, record->bytes);
      offset += record->bytes;
    }
    memory.build();
  }

  void read_threads() {
    struct Exception {
      std::uint32_t tid, alignment, code;
    };
    const auto exception = load<Exception>(stream(kException), 0);
    const ByteView list = stream(kThreadList);
    const std::uint64_t count = load<std::uint32_t>(list, 0).value_or(0);
    lacking.notes = list.empty();
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto record = load<ThreadRecord>(list, 4 + i * sizeof(ThreadRecord));
      if (!record) {
        lacking.notes = true;
        break;
      }
      const ByteView context = part(record->context.offset, record->context.bytes);
      if (context.size() < record->context.bytes || context.size() < kContextBytes) {
        lacking.notes = true;
        continue;
      }
      CoreThread thread{.tid = record->tid, .registers = registers_in(context)};
      const auto flags = load<std::uint32_t>(context, kContextFlags).value_or(0);
      const auto fs_base = load<std::uint64_t>(context, kLldbFsBase);
      if ((flags & kLldbContext) && fs_base) thread.thread_pointer = Address{*fs_base};
      if (exception && exception->tid == record->tid && exception->code <= 64)
        thread.signal = static_cast<int>(exception->code);
      threads.push_back(std::move(thread));
    }
  }

  void read_modules() {
    const ByteView list = stream(kModuleList);
    const std::uint64_t count =
        std::min<std::uint64_t>(load<std::uint32_t>(list, 0).value_or(0), kMostModules);
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto record = load<ModuleRecord>(list, 4 + i * sizeof(ModuleRecord));
      if (!record) break;
      const auto end = checked_add({record->base}, record->bytes);
      if (!end) continue;
      MinidumpModule module{.path = string_at(file, record->name_offset),
                            .range = {{record->base}, *end}};
      const auto cv = slice(file, record->cv_record.offset, record->cv_record.bytes);
      if (cv && cv->size() > 4 && cv->size() <= 4 + kLongestBuildId &&
          load<std::uint32_t>(*cv, 0) == kElfBuildIdMagic)
        module.build_id = hex_digits(cv->subspan(4));
      modules.push_back(std::move(module));
    }
  }

  void read_process() {
    struct MiscInfo {
      std::uint32_t bytes, flags, pid;
    };
    constexpr std::uint32_t kHasPid = 1;
    const auto misc = load<MiscInfo>(stream(kMiscInfo), 0);
    if (misc && (misc->flags & kHasPid)) pid = misc->pid;
    const ByteView maps = stream(kLinuxMaps);
    auto parsed = parse_proc_maps({reinterpret_cast<const char*>(maps.data()), maps.size()});
    if (parsed) mappings = *std::move(parsed);
    read_signals();
  }

  /// The dump keeps the status of the process, whose masks are those of its first thread.
  void read_signals() {
    const ByteView text = stream(kLinuxProcStatus);
    if (text.empty()) return;
    const ThreadSignals first =
        parse_status_signals({reinterpret_cast<const char*>(text.data()), text.size()});
    ThreadSignals other = first;
    other.blocked = other.pending = std::nullopt;
    for (CoreThread& thread : threads) thread.signals = thread.tid == pid ? first : other;
  }

  std::string path;
  FileContents contents;
  ByteView file;
  ByteView directory;
  SegmentMemory memory;
  std::vector<CoreThread> threads;
  std::vector<MinidumpModule> modules;
  std::vector<Mapping> mappings;
  std::optional<std::uint64_t> pid;
  CoreCut lacking;
};

Minidump::Minidump(std::unique_ptr<State> state) : state_(std::move(state)) {}
Minidump::~Minidump() = default;

Result<std::shared_ptr<const Minidump>> Minidump::open(const std::string& path) {
  auto mapped = MappedFile::open(path);
  if (!mapped) return std::move(mapped).error();
  return finish(std::make_unique<State>(path, *std::move(mapped)));
}

Result<std::shared_ptr<const Minidump>> Minidump::from_bytes(std::vector<std::byte> bytes,
                                                             std::string name) {
  return finish(std::make_unique<State>(std::move(name), std::move(bytes)));
}

Result<std::shared_ptr<const Minidump>> Minidump::finish(std::unique_ptr<State> state) {
  auto read = state->read();
  if (!read) return std::move(read).error();
  return std::shared_ptr<const Minidump>(new Minidump(std::move(state)));
}

const std::string& Minidump::path() const { return state_->path; }
const ArchInfo& Minidump::arch() const { return kAmd64; }
Result<void> Minidump::read(Address from, std::span<std::byte> out) const {
  return state_->memory.read(from, out);
}
std::span<const CoreThread> Minidump::threads() const { return state_->threads; }
std::span<const MinidumpModule> Minidump::modules() const { return state_->modules; }
std::span<const Mapping> Minidump::mappings() const { return state_->mappings; }
std::optional<std::uint64_t> Minidump::pid() const { return state_->pid; }

std::optional<CoreCut> Minidump::cut() const {
  if (state_->lacking.expected_bytes <= state_->file.size()) return std::nullopt;
  CoreCut cut = state_->lacking;
  cut.file_bytes = state_->file.size();
  return cut;
}

}  // namespace cgo
