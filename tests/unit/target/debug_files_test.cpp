#include "target/debug_files.h"

#include <elf.h>
#include <zlib.h>

#include <catch2/catch_test_macros.hpp>

#include "support/elf_builder.h"
#include "support/temporary_folder.h"

namespace cgo {
namespace {

using Bytes = std::vector<std::byte>;

Bytes elf_with(std::string_view build_id, const std::string& link = "", ByteView linked = {}) {
  ElfBuilder builder;
  if (!build_id.empty())
    builder.section(
        {.name = ".note.gnu.build-id",
         .type = SHT_NOTE,
         .contents = elf_note("GNU", NT_GNU_BUILD_ID, ByteWriter().text(build_id).take())});
  if (!link.empty()) {
    const auto crc = static_cast<std::uint32_t>(
        crc32(0, reinterpret_cast<const Bytef*>(linked.data()), static_cast<uInt>(linked.size())));
    builder.section({.name = ".gnu_debuglink",
                     .contents = ByteWriter().text(link).u8(0).align(4).u32(crc).take()});
  }
  return builder.build();
}

std::string debug_file_of(const std::string& path, const TemporaryFolder& folder) {
  const auto file = ElfFile::open(path);
  REQUIRE(file);
  const auto found = find_debug_file(**file, {(folder.path() / "debug").string()});
  if (!found) {
    CHECK(found.error().code == ErrorCode::not_found);
    return "";
  }
  return (*found)->path().substr(folder.path().string().size());
}

}  // namespace

TEST_CASE("a debug file is found by build id, and only the right one") {
  const TemporaryFolder folder;
  const auto program = folder.write("bin/p", elf_with("abc"));  // 616263
  folder.write("debug/.build-id/61/6263.debug", elf_with("xyz"));
  CHECK(debug_file_of(program, folder).empty());
  folder.write("debug/.build-id/61/6263.debug", elf_with("abc"));
  CHECK(debug_file_of(program, folder) == "/debug/.build-id/61/6263.debug");
}

TEST_CASE("a debug link is followed beside the file, into .debug and into the debug directories") {
  const TemporaryFolder folder;
  const Bytes debug = elf_with("");
  const auto program = folder.write("bin/p", elf_with("abc", "p.debug", debug));
  CHECK(debug_file_of(program, folder).empty());
  const auto below = "debug" + folder.path().string() + "/bin/p.debug";
  folder.write(below, debug);
  CHECK(debug_file_of(program, folder) == "/" + below);
  folder.write("bin/.debug/p.debug", debug);
  CHECK(debug_file_of(program, folder) == "/bin/.debug/p.debug");
  folder.write("bin/p.debug", elf_with("", "other"));  // The CRC differs: passed over.
  CHECK(debug_file_of(program, folder) == "/bin/.debug/p.debug");
  folder.write("bin/p.debug", debug);
  CHECK(debug_file_of(program, folder) == "/bin/p.debug");
}

TEST_CASE("a debug link to the file itself or out of its folder is not followed") {
  const TemporaryFolder folder;
  const Bytes debug = elf_with("");
  folder.write("p.debug", debug);
  CHECK(debug_file_of(folder.write("bin/q", elf_with("", "../p.debug", debug)), folder).empty());
  CHECK(debug_file_of(folder.write("bin/p", elf_with("abc", "p")), folder).empty());
}

TEST_CASE("an answer without a debug file says where was looked") {
  const auto file = ElfFile::from_bytes(elf_with("abc"), "/bin/p");
  REQUIRE(file);
  const auto found = find_debug_file(**file, {"/nonexistent"});
  REQUIRE_FALSE(found);
  CHECK(found.error().message.find("/nonexistent/.build-id/61/6263.debug") != std::string::npos);
}

}  // namespace cgo
