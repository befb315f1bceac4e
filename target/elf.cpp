#include "target/elf.h"

#include <elf.h>

#include <functional>
#include <mutex>

#include "target/decompress.h"
#include "target/elf_layout.h"
#include "target/elf_notes.h"
#include "target/elf_symbols.h"
#include "target/mapped_file.h"

namespace cgo {

bool ElfSection::compressed() const {
  return (flags & SHF_COMPRESSED) != 0 || name.starts_with(".zdebug_");
}

namespace {

/// The contents of a compressed section, made on first use.
struct Unpacked {
  std::once_flag once;
  Result<OwnedBytes> contents = OwnedBytes{};
};

std::optional<std::string> find_build_id(ByteView file, const ElfLayout& layout) {
  std::uint64_t left = file.size();  // Notes that overlap must not multiply the work.
  const auto id_in = [&left](ByteView notes, std::uint64_t alignment) {
    if (notes.size() > left) return std::optional<std::string>();
    left -= notes.size();
    return build_id_in_notes(notes, alignment);
  };
  // Sections first: in a separate debug file the program headers keep the offsets of the original.
  for (std::size_t i = 0; i < layout.sections.size(); ++i) {
    if (layout.sections[i].type != SHT_NOTE) continue;
    const auto notes = stored_bytes(file, layout.sections[i]);
    if (!notes) continue;
    if (auto id = id_in(*notes, layout.links[i].alignment)) return id;
  }
  for (const ElfSegment& segment : layout.segments) {
    if (segment.type != PT_NOTE) continue;
    if (auto id = id_in(stored_bytes(file, segment), segment.alignment)) return id;
  }
  return std::nullopt;
}

}  // namespace

struct ElfFile::State {
  template <class Contents>
  State(std::string path_, Contents contents_)
      : path(std::move(path_)), contents(std::move(contents_)), file(contents.bytes()) {}

  /// Reads the headers; all else waits until it is asked for.
  Result<void> read() {
    auto read = read_elf_layout(file, path);
    if (!read) return std::move(read).error();
    layout = *std::move(read);
    build_id = find_build_id(file, layout);
    unpacked = std::make_unique<Unpacked[]>(layout.sections.size());
    return {};
  }

  Result<ByteView> unpack(std::size_t index, ByteView stored) const {
    const ElfSection& section = layout.sections[index];
    Unpacked& slot = unpacked[index];
    std::call_once(slot.once, [&] {
      slot.contents =
          section.flags & SHF_COMPRESSED ? decompress_shf(stored) : decompress_zdebug(stored);
    });
    if (!slot.contents) return Error(slot.contents.error()).in(path + ": " + section.name);
    return slot.contents->view();
  }

  std::string path;
  FileContents contents;
  ByteView file;
  ElfLayout layout;
  std::optional<std::string> build_id;
  std::unique_ptr<Unpacked[]> unpacked;
  ElfSymbolTable symbols{file, layout};
};

ElfFile::ElfFile(std::unique_ptr<State> state) : state_(std::move(state)) {}
ElfFile::~ElfFile() = default;

Result<std::shared_ptr<const ElfFile>> ElfFile::open(const std::string& path) {
  auto mapped = MappedFile::open(path);
  if (!mapped) return std::move(mapped).error();
  return finish(std::make_unique<State>(path, *std::move(mapped)));
}

Result<std::shared_ptr<const ElfFile>> ElfFile::from_bytes(std::vector<std::byte> bytes,
                                                           std::string name) {
  return finish(std::make_unique<State>(std::move(name), std::move(bytes)));
}

Result<std::shared_ptr<const ElfFile>> ElfFile::finish(std::unique_ptr<State> state) {
  auto read = state->read();
  if (!read) return std::move(read).error();
  return std::shared_ptr<const ElfFile>(new ElfFile(std::move(state)));
}

const std::string& ElfFile::path() const { return state_->path; }
std::uint16_t ElfFile::type() const { return state_->layout.type; }
std::uint16_t ElfFile::machine() const { return state_->layout.machine; }
const ArchInfo* ElfFile::arch() const { return arch_for_elf_machine(state_->layout.machine); }
Address ElfFile::entry() const { return state_->layout.entry; }
std::span<const ElfSection> ElfFile::sections() const { return state_->layout.sections; }
std::span<const ElfSegment> ElfFile::segments() const { return state_->layout.segments; }
std::span<const std::byte> ElfFile::bytes() const { return state_->file; }
const std::optional<std::string>& ElfFile::build_id() const { return state_->build_id; }

const ElfSection* ElfFile::section(std::string_view name) const {
  for (const ElfSection& section : sections())
    if (section.name == name) return &section;
  return nullptr;
}

Result<std::span<const std::byte>> ElfFile::section_bytes(const ElfSection& section) const {
  if (!section.has_bytes_in_file()) return ByteView{};
  const auto stored = stored_bytes(state_->file, section);
  if (!stored)
    return Error{ErrorCode::malformed_data,
                 path() + ": section " + section.name + " lies outside of the file; is it cut?"};
  if (!section.compressed()) return *stored;
  const auto all = sections();
  // std::less: comparing pointers into different objects is defined only through it.
  const std::less<const ElfSection*> before;
  if (before(&section, all.data()) || !before(&section, all.data() + all.size()))
    return Error{ErrorCode::not_found,
                 path() + ": section " + section.name + " is a copy, not one of sections()"};
  return state_->unpack(static_cast<std::size_t>(&section - all.data()), *stored);
}

Result<std::span<const std::byte>> ElfFile::bytes_at(Address file_address,
                                                     std::uint64_t bytes) const {
  for (const ElfSegment& segment : segments()) {
    if (segment.type != PT_LOAD || file_address < segment.file_address) continue;
    const auto part = slice(stored_bytes(state_->file, segment),
                            file_address.value - segment.file_address.value, bytes);
    if (part) return *part;
  }
  return Error{ErrorCode::not_found, path() + ": the file has no " + std::to_string(bytes) +
                                         " bytes at file address " + hex(file_address)};
}

std::optional<DebugLink> ElfFile::debug_link() const {
  const ElfSection* link = section(".gnu_debuglink");
  if (!link) return std::nullopt;
  const auto contents = section_bytes(*link);
  if (!contents) return std::nullopt;
  const auto name = c_string(*contents, 0);
  if (!name || name->empty()) return std::nullopt;
  // Source: gdb manual, "Debugging Information in Separate Files": the CRC follows at the next
  // multiple of four.
  const auto crc = load<std::uint32_t>(*contents, (name->size() + 1 + 3) & ~std::size_t{3});
  if (!crc) return std::nullopt;
  return DebugLink{.file_name = std::string(*name), .crc = *crc};
}

std::span<const ElfSymbol> ElfFile::symbols() const { return state_->symbols.by_address(); }

const ElfSymbol* ElfFile::symbol_at(Address file_address) const {
  return state_->symbols.function_at(file_address);
}

const ElfSymbol* ElfFile::object_at(Address file_address) const {
  return state_->symbols.object_at(file_address);
}

const ElfSymbol* ElfFile::find_symbol(std::string_view name) const {
  return state_->symbols.find(name);
}

}  // namespace cgo
