#include "target/dwarf_cache.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdio>
#include <cstring>
#include <memory>

#include "target/dwarf_cursor.h"

namespace cgo {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMostBytes = 1u << 30;  // Of one file, and of all together.
constexpr std::size_t kMostFiles = 512;
constexpr std::string_view kSuffix = ".cgodwarf";

struct Header {
  char magic[8];
  std::uint64_t version;
  std::uint64_t checksum;  ///< Of the contents.
  std::uint64_t bytes;     ///< Likewise.
  std::uint64_t fingerprint;
  char build_id[64];
};

constexpr char kMagic[8] = {'c', 'g', 'o', 'd', 'w', 'r', 'f', '\n'};
constexpr std::uint64_t kVersion = 2;

/// Finds damage, at memory speed: a CRC would take longer than all else of loading.
std::uint64_t checksum_of(ByteView bytes) {
  constexpr std::uint64_t kPrime = 0x9e3779b97f4a7c15;
  constexpr std::size_t kLanes = 4, kWord = sizeof(std::uint64_t);
  std::uint64_t lanes[kLanes] = {1, 2, 3, 4};
  std::size_t at = 0;
  for (; bytes.size() - at >= kLanes * kWord; at += kLanes * kWord) {
    std::uint64_t words[kLanes];
    std::memcpy(words, bytes.data() + at, sizeof words);
    for (std::size_t i = 0; i < kLanes; ++i)
      lanes[i] = std::rotl((lanes[i] ^ words[i]) * kPrime, 29);
  }
  std::uint64_t sum = bytes.size();
  for (; at < bytes.size(); ++at) sum = (sum ^ static_cast<std::uint64_t>(bytes[at])) * kPrime;
  for (const std::uint64_t lane : lanes) sum = std::rotl((sum ^ lane) * kPrime, 31);
  return sum;
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

std::optional<DwarfCache::Mapped> DwarfCache::map(std::string_view kind) const {
  if (build_id_.empty()) return std::nullopt;
  auto file = MappedFile::open(path(kind));
  if (!file) return std::nullopt;
  const ByteView bytes = (*file)->bytes();
  if (bytes.size() < sizeof(Header) || bytes.size() > kMostBytes) return std::nullopt;
  const ByteView contents = bytes.subspan(sizeof(Header));
  const Header expected = header_for(build_id_, fingerprint_, contents);
  if (std::memcmp(bytes.data(), &expected, sizeof expected) != 0) return std::nullopt;
  return Mapped{*std::move(file), contents};
}

std::optional<std::vector<std::byte>> DwarfCache::load(std::string_view kind) const {
  const auto mapped = map(kind);
  if (!mapped) return std::nullopt;
  return std::vector(mapped->contents.begin(), mapped->contents.end());
}

void DwarfCache::store(std::string_view kind, ByteView contents) const {
  static std::atomic<unsigned> counter{0};
  if (build_id_.empty() || contents.size() > kMostBytes - sizeof(Header)) return;
  std::error_code problem;
  fs::create_directories(directory_, problem);
  if (problem) return;
  drop_oldest(contents.size());
  const fs::path place = path(kind);
  const fs::path beside =
      place.string() + ".tmp-" + std::to_string(::getpid()) + "-" + std::to_string(counter++);
  if (write_all(beside, header_for(build_id_, fingerprint_, contents), contents))
    fs::rename(beside, place, problem);
  else
    problem = std::make_error_code(std::errc::io_error);
  if (problem) fs::remove(beside, problem);
}

/// Keeps the directory from growing for ever; `more` bytes are about to come. Files that a killed
/// program left half-written go too.
void DwarfCache::drop_oldest(std::uint64_t more) const {
  struct Kept {
    fs::file_time_type written;
    std::uint64_t bytes;
    fs::path path;
  };
  std::error_code problem;
  std::vector<Kept> files;
  std::uint64_t total = more;
  for (fs::directory_iterator at(directory_, problem), end; !problem && at != end;
       at.increment(problem)) {
    if (at->path().filename().string().find(kSuffix) == std::string::npos) continue;
    std::error_code gone;  // Another program may drop files too.
    const std::uint64_t bytes = at->file_size(gone);
    if (gone) continue;
    files.push_back({at->last_write_time(gone), bytes, at->path()});
    total += bytes;
  }
  std::size_t left = files.size();
  if (left < kMostFiles && total <= kMostBytes) return;
  std::sort(files.begin(), files.end(),
            [](const Kept& a, const Kept& b) { return a.written < b.written; });
  for (const Kept& file : files) {  // To half, so that it is not done for each new file.
    if (left < kMostFiles / 2 && total <= kMostBytes / 2) return;
    fs::remove(file.path, problem);
    total -= file.bytes;
    --left;
  }
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
