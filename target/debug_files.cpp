#include "target/debug_files.h"

#include <zlib.h>

#include <filesystem>

#include "target/byte_view.h"

namespace cgo {
namespace {

namespace fs = std::filesystem;

std::uint32_t crc_of(ByteView bytes) {
  return static_cast<std::uint32_t>(
      crc32_z(crc32_z(0, nullptr, 0), reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

/// The folders that `path` may be said to lie in: as named, and with symbolic links resolved.
std::vector<fs::path> folders_of(const std::string& path) {
  std::error_code failed;
  std::vector<fs::path> folders;
  const fs::path named = fs::absolute(path, failed).lexically_normal();
  if (!failed) folders.push_back(named.parent_path());
  const fs::path real = fs::canonical(path, failed);
  if (!failed && (folders.empty() || real.parent_path() != folders.front()))
    folders.push_back(real.parent_path());
  return folders;
}

std::vector<fs::path> build_id_candidates(const std::string& id,
                                          const std::vector<std::string>& directories) {
  std::vector<fs::path> paths;
  if (id.size() <= 2) return paths;
  for (const std::string& directory : directories)
    paths.push_back(fs::path(directory) / ".build-id" / id.substr(0, 2) /
                    (id.substr(2) + ".debug"));
  return paths;
}

std::vector<fs::path> link_candidates(const std::string& path, const std::string& link,
                                      const std::vector<std::string>& directories) {
  std::vector<fs::path> paths;
  for (const fs::path& folder : folders_of(path)) {
    paths.push_back(folder / link);
    paths.push_back(folder / ".debug" / link);
    for (const std::string& directory : directories)
      paths.push_back(fs::path(directory) / folder.relative_path() / link);
  }
  return paths;
}

/// Whether `candidate` was split from `file`. Ids decide when both have one: a CRC reads every
/// byte.
bool belongs_to(const ElfFile& candidate, const ElfFile& file,
                const std::optional<DebugLink>& link) {
  if (candidate.build_id() && file.build_id()) return candidate.build_id() == file.build_id();
  return link && crc_of(candidate.bytes()) == link->crc;
}

bool same_file(const fs::path& a, const std::string& b) {
  std::error_code failed;
  return fs::equivalent(a, b, failed);
}

}  // namespace

Result<std::shared_ptr<const ElfFile>> find_debug_file(
    const ElfFile& file, const std::vector<std::string>& debug_directories) {
  std::vector<fs::path> candidates;
  if (file.build_id()) candidates = build_id_candidates(*file.build_id(), debug_directories);
  auto link = file.debug_link();
  if (link && link->file_name.find('/') != std::string::npos) link.reset();
  if (link)
    for (fs::path& path : link_candidates(file.path(), link->file_name, debug_directories))
      candidates.push_back(std::move(path));

  std::string looked;
  for (const fs::path& path : candidates) {
    looked += (looked.empty() ? "" : ", ") + path.string();
    if (same_file(path, file.path())) continue;
    auto candidate = ElfFile::open(path.string());
    if (!candidate) continue;
    if (belongs_to(**candidate, file, link)) return candidate;
    looked += " (of another build)";
  }
  return Error{ErrorCode::not_found,
               file.path() + ": no separate debug file" +
                   (looked.empty() ? "; it has neither a build id nor a debug link"
                                   : " (looked at " + looked + ")")};
}

}  // namespace cgo
