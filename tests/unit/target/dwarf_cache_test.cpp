#include "target/dwarf_cache.h"

#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <thread>

#include "support/dwarf_samples.h"

namespace cgo {
namespace {

namespace fs = std::filesystem;

fs::path make_directory() {
  std::string name = (fs::temp_directory_path() / "cgo-dwarf-XXXXXX").string();
  REQUIRE(::mkdtemp(name.data()) != nullptr);
  return name;
}

/// A directory that goes away with the test.
struct Directory {
  fs::path path = make_directory();
  ~Directory() { fs::remove_all(path); }

  std::vector<fs::path> files() const {
    std::vector<fs::path> out;
    for (const auto& entry : fs::directory_iterator(path)) out.push_back(entry.path());
    return out;
  }
};

std::shared_ptr<const ElfFile> sample(char id) {
  auto sections = sample_sections(5);
  ElfBuilder elf;
  elf.segment({.flags = 5, .address = {0x1000}, .contents = {}, .memory_bytes = 0x8000});
  for (const auto& [name, contents] : sections)
    elf.section({.name = name, .address = {}, .contents = contents});
  const std::string build_id(20, id);
  elf.section({.name = ".note.gnu.build-id",
               .type = 7,
               .address = {},
               .contents = elf_note("GNU", 3, std::as_bytes(std::span(build_id)))});
  const auto file = ElfFile::from_bytes(elf.build(), "sample");
  REQUIRE(file);
  REQUIRE((*file)->build_id());
  return *file;
}

std::vector<std::byte> bytes(std::string_view text) {
  const auto view = std::as_bytes(std::span(text));
  return {view.begin(), view.end()};
}

}  // namespace

TEST_CASE("what is stored is loaded, for the same file alone") {
  const Directory directory;
  const DwarfCache cache(directory.path / "new", *sample('a'));
  CHECK_FALSE(cache.load("index"));
  cache.store("index", bytes("contents"));
  CHECK(cache.load("index") == bytes("contents"));
  CHECK_FALSE(cache.load("structs"));
  CHECK_FALSE(DwarfCache(directory.path / "new", *sample('b')).load("index"));
  CHECK_FALSE(DwarfCache({}, *sample('a')).load("index"));
}

TEST_CASE("a cut or changed file is as good as none, and is written anew") {
  const Directory directory;
  const DwarfCache cache(directory.path, *sample('a'));
  cache.store("index", bytes("contents"));
  const fs::path path = directory.files().at(0);
  std::string whole(fs::file_size(path), 0);
  std::ifstream(path, std::ios::binary).read(whole.data(), static_cast<long>(whole.size()));
  for (std::size_t i = 0; i < whole.size(); ++i) {
    CAPTURE(i);
    std::ofstream(path, std::ios::binary) << whole.substr(0, i);
    CHECK_FALSE(cache.load("index"));
    std::string changed = whole;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    std::ofstream(path, std::ios::binary) << changed;
    CHECK_FALSE(cache.load("index"));
  }
  cache.store("index", bytes("other"));
  CHECK(cache.load("index") == bytes("other"));
}

TEST_CASE("two writers leave one whole file and nothing else") {
  const Directory directory;
  const auto file = sample('a');
  const auto write = [&](char letter) {
    const DwarfCache cache(directory.path, *file);
    const std::string contents(10000, letter);
    for (int i = 0; i < 50; ++i) cache.store("index", bytes(contents));
  };
  std::thread one(write, 'x'), two(write, 'y');
  one.join();
  two.join();
  CHECK(directory.files().size() == 1);
  const auto loaded = DwarfCache(directory.path, *file).load("index");
  REQUIRE(loaded);
  CHECK((*loaded == bytes(std::string(10000, 'x')) || *loaded == bytes(std::string(10000, 'y'))));
}

TEST_CASE("the directory does not grow for ever") {
  const Directory directory;
  for (int i = 0; i < 600; ++i)
    std::ofstream(directory.path / (std::to_string(i) + ".index.cgodwarf")) << "old";
  std::ofstream(directory.path / "precious.txt") << "not ours";
  DwarfCache(directory.path, *sample('a')).store("index", bytes("contents"));
  CHECK(directory.files().size() < 300);
  CHECK(fs::exists(directory.path / "precious.txt"));
}

TEST_CASE("answers come from the cache, and from the file when the cache is bad") {
  const Directory directory;
  const auto ask = [&] {
    const auto dwarf = DwarfInfo::open(sample('a'), directory.path);
    REQUIRE(dwarf);
    const auto type = (*dwarf)->struct_type("ns::Thing");
    REQUIRE(type);
    CHECK(type->members.size() == 5);
    CHECK((*dwarf)->functions_named("last").value_or({}) == std::vector<Address>{{0x1080}});
  };
  ask();
  CHECK(directory.files().size() == 2);
  ask();
  for (const fs::path& path : directory.files()) fs::resize_file(path, fs::file_size(path) / 2);
  ask();
  ask();
}

TEST_CASE("structures survive their encoding, and cut encodings do not pass") {
  DwarfStructs structs;
  structs["runtime.g"] = {.name = "runtime.g", .bytes = 456, .members = {{"stack", 0, 16}}};
  structs["empty"] = {.name = "empty", .bytes = 0, .members = {}};
  const auto encoded = encode_structs(structs);
  const auto decoded = decode_structs(encoded);
  REQUIRE(decoded);
  CHECK(decoded->size() == 2);
  CHECK(decoded->at("runtime.g").members.at(0).bytes == 16);
  for (std::size_t size = 0; size < encoded.size(); ++size)
    CHECK_FALSE(decode_structs(std::span(encoded).first(size)));
}

}  // namespace cgo
