#include "target/dwarf_cache.h"

#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstring>

#include "target/dwarf_cursor.h"
#include "target/mapped_file.h"

namespace cgo {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMostBytes = 1u << 30;
constexpr std::size_t kMostFiles = 512;
constexpr std::string_view kSuffix = ".cgodwarf";

struct Header {
  char magic[8];
  std::uint32_t version;
  std::uint32_t checksum;  ///< CRC-32 of the contents.
  std::uint64_t bytes;     ///< Of the contents.
  std::uint64_t fingerprint;
  char build_id[64];
};

constexpr char kMagic[8] = {'c', 'g', 'o', 'd', 'w', 'r', 'f', '\n'};
constexpr std::uint32_t kVersion = 1;

std::uint32_t checksum_of(ByteView bytes) {
  return static_cast<std::uint32_t>(
      crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

Header header_for(const std::string& build_id, std::uint64_t fingerprint, ByteView contents) {
  Header header{};
  std::memcpy(header.magic, kMagic, sizeof kMagic);
  header.version = kVersion;
  header.checksum = checksum_of(contents);
  header.bytes = contents.size();
  header.fingerprint = fingerprint;
  std::memcpy(header.build_id, build_id.data(), std::min(build_id.size(), sizeof header.build_id));
  return header;
}

bool write_all(const fs::path& path, const Header& header, ByteView contents) {
  std::FILE* file = std::fopen(path.c_str(), "wbx");
  if (!file) return false;
  bool done = std::fwrite(&header, sizeof header, 1, file) == 1;
  done = done && (contents.empty() || std::fwrite(contents.data(), contents.size(), 1, file) == 1);
  return (std::fclose(file) == 0) && done;
}

class Writer {
 public:
  void number(std::uint64_t value) {
    const auto bytes = std::as_bytes(std::span(&value, 1));
    out.insert(out.end(), bytes.begin(), bytes.end());
  }
  void text(std::string_view value) {
    number(value.size());
    const auto bytes = std::as_bytes(std::span(value));
    out.insert(out.end(), bytes.begin(), bytes.end());
  }
  std::vector<std::byte> out;
};

std::string read_text(DwarfCursor& in) {
  const ByteView block = in.block(in.u64());
  return {reinterpret_cast<const char*>(block.data()), block.size()};
}

}  // namespace

DwarfCache::DwarfCache(fs::path directory, const ElfFile& file) {
  constexpr std::size_t kShortestId = 16;  // A shorter one does not tell files apart.
  const auto& id = file.build_id();
  if (directory.empty() || !id || id->size() < kShortestId || id->size() > sizeof(Header::build_id))
    return;
  directory_ = std::move(directory);
  build_id_ = *id;
  // The stripped program and its debug file have the same build id.
  for (const ElfSection& section : file.sections())
    if (section.name.starts_with(".debug_") || section.name.starts_with(".zdebug_"))
      fingerprint_ = fingerprint_ * 0x100000001b3 + section.bytes;
}

fs::path DwarfCache::path(std::string_view kind) const {
  return directory_ / (build_id_ + "." + std::string(kind) + std::string(kSuffix));
}

std::optional<std::vector<std::byte>> DwarfCache::load(std::string_view kind) const {
  if (build_id_.empty()) return std::nullopt;
  const auto file = MappedFile::open(path(kind).string());
  if (!file) return std::nullopt;
  const ByteView all = (*file)->bytes();
  if (all.size() < sizeof(Header) || all.size() > kMostBytes) return std::nullopt;
  // Copied before it is checked: somebody may cut the file in between.
  std::vector<std::byte> contents(all.begin() + sizeof(Header), all.end());
  const Header expected = header_for(build_id_, fingerprint_, contents);
  if (std::memcmp(all.data(), &expected, sizeof expected) != 0) return std::nullopt;
  return contents;
}

void DwarfCache::store(std::string_view kind, ByteView contents) const {
  static std::atomic<unsigned> counter{0};
  if (build_id_.empty() || contents.size() > kMostBytes - sizeof(Header)) return;
  std::error_code problem;
  fs::create_directories(directory_, problem);
  if (problem) return;
  drop_oldest();
  const fs::path place = path(kind);
  const fs::path beside =
      place.string() + ".tmp-" + std::to_string(::getpid()) + "-" + std::to_string(counter++);
  if (write_all(beside, header_for(build_id_, fingerprint_, contents), contents))
    fs::rename(beside, place, problem);
  else
    problem = std::make_error_code(std::errc::io_error);
  if (problem) fs::remove(beside, problem);
}

/// Keeps the directory from growing for ever. Files that a killed program left half-written go too.
void DwarfCache::drop_oldest() const {
  std::error_code problem;
  std::vector<std::pair<fs::file_time_type, fs::path>> files;
  for (fs::directory_iterator at(directory_, problem), end; !problem && at != end;
       at.increment(problem)) {
    if (at->path().filename().string().find(kSuffix) == std::string::npos) continue;
    std::error_code unreadable;
    files.emplace_back(at->last_write_time(unreadable), at->path());
  }
  if (files.size() < kMostFiles) return;
  std::sort(files.begin(), files.end());
  files.resize(files.size() - kMostFiles / 2);
  for (const auto& [time, path] : files) fs::remove(path, problem);
}

std::vector<std::byte> encode_structs(const DwarfStructs& structs) {
  Writer writer;
  writer.number(structs.size());
  for (const auto& [name, type] : structs) {
    writer.text(name);
    writer.text(type.name);
    writer.number(type.bytes);
    writer.number(type.members.size());
    for (const DwarfMember& member : type.members) {
      writer.text(member.name);
      writer.number(member.offset);
      writer.number(member.bytes);
    }
  }
  return std::move(writer.out);
}

std::optional<DwarfStructs> decode_structs(ByteView bytes) {
  DwarfStructs structs;
  DwarfCursor in(bytes);
  for (std::uint64_t left = in.u64(); left > 0 && in.ok(); --left) {
    std::string name = read_text(in);
    DwarfStruct type{.name = read_text(in), .bytes = in.u64(), .members = {}};
    for (std::uint64_t members = in.u64(); members > 0 && in.ok(); --members) {
      DwarfMember member{.name = read_text(in)};
      member.offset = in.u64();
      member.bytes = in.u64();
      type.members.push_back(std::move(member));
    }
    structs.emplace(std::move(name), std::move(type));
  }
  if (!in.ok() || !in.at_end()) return std::nullopt;
  return structs;
}

}  // namespace cgo
