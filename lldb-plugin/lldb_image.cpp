#include "lldb-plugin/lldb_image.h"

#include <elf.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "lldb-plugin/image_check.h"
#include "target/memory_elf.h"

namespace cgo {
namespace {

std::string path_of(lldb::SBFileSpec spec) {
  std::array<char, 4096> path{};
  if (!spec.IsValid() || spec.GetPath(path.data(), path.size()) == 0) return "";
  return path.data();
}

/// Load address minus file address, from the first section that is loaded.
std::optional<std::uint64_t> bias_of(lldb::SBModule module, lldb::SBTarget target) {
  for (std::size_t i = 0; i < module.GetNumSections(); ++i) {
    lldb::SBSection section = module.GetSectionAtIndex(i);
    const std::uint64_t load = section.GetLoadAddress(target);
    if (load != LLDB_INVALID_ADDRESS && section.GetFileAddress() != LLDB_INVALID_ADDRESS)
      return load - section.GetFileAddress();
  }
  return std::nullopt;
}

AddressRange range_of_sections(lldb::SBModule module, lldb::SBTarget target) {
  AddressRange range{{UINT64_MAX}, {0}};
  for (std::size_t i = 0; i < module.GetNumSections(); ++i) {
    lldb::SBSection section = module.GetSectionAtIndex(i);
    const std::uint64_t load = section.GetLoadAddress(target);
    if (load == LLDB_INVALID_ADDRESS) continue;
    range.begin = std::min(range.begin, Address{load});
    range.end = std::max(range.end, Address{load + section.GetByteSize()});
  }
  return range.empty() ? AddressRange{} : range;
}

AddressRange range_of_file(const ElfFile& file, std::uint64_t bias) {
  AddressRange range{{UINT64_MAX}, {0}};
  for (const ElfSegment& segment : file.segments()) {
    if (segment.type != PT_LOAD || segment.memory_bytes == 0) continue;
    range.begin = std::min(range.begin, {segment.file_address.value + bias});
    range.end = std::max(range.end, {segment.range().end.value + bias});
  }
  return range.empty() ? AddressRange{} : range;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

/// What LLDB knows of the module's build id; nothing when what it has is no build id (a CRC).
std::optional<std::string> module_id(lldb::SBModule module) {
  const char* text = module.GetUUIDString();
  std::string id = text == nullptr ? "" : text;
  std::erase(id, '-');
  if (id.size() != 40) return std::nullopt;
  return lower(id);
}

std::optional<Image> image_of(lldb::SBModule module, lldb::SBTarget target,
                              const MemoryReader& memory) {
  const auto bias = bias_of(module, target);
  if (!bias) return std::nullopt;
  Image image;
  image.bias = *bias;
  image.path = path_of(module.GetPlatformFileSpec());
  const std::string local = path_of(module.GetFileSpec());
  if (image.path.empty()) image.path = local;
  image.range = range_of_sections(module, target);
  const bool in_memory_only = image.path.find('[') != std::string::npos;
  auto file = in_memory_only ? elf_file_from_memory(memory, image.range.begin, image.path)
                             : ElfFile::open(local);
  if (!file) return image;
  const AddressRange from_sections = image.range;
  image.file = *std::move(file);
  image.range = range_of_file(*image.file, image.bias);
  if (in_memory_only) return image;
  image.mismatch =
      file_mismatch(image.path, *image.file, memory, image.range.begin, module_id(module));
  if (image.mismatch) image.range = from_sections;
  return image;
}

}  // namespace

std::vector<Image> images_of(lldb::SBTarget target, const MemoryReader& memory) {
  std::vector<Image> images;
  for (std::uint32_t i = 0; i < target.GetNumModules(); ++i)
    if (auto image = image_of(target.GetModuleAtIndex(i), target, memory))
      images.push_back(*std::move(image));
  return images;
}

std::uint64_t module_generation(lldb::SBTarget target) {
  std::uint64_t hash = 1469598103934665603u;  // FNV-1a.
  const auto add = [&](std::uint64_t value) { hash = (hash ^ value) * 1099511628211u; };
  const std::uint32_t modules = target.GetNumModules();
  add(modules);
  for (std::uint32_t i = 0; i < modules; ++i)
    add(target.GetModuleAtIndex(i).GetObjectFileHeaderAddress().GetLoadAddress(target));
  return hash;
}

std::string path_of(lldb::SBModule module) {
  char path[4096] = {};
  module.GetFileSpec().GetPath(path, sizeof path);
  return path;
}

}  // namespace cgo
