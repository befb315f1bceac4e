#include "target/elf.h"

#include <elf.h>
#include <zlib.h>
#include <zstd.h>

#include <catch2/catch_test_macros.hpp>

#include "support/elf_builder.h"

namespace cgo {
namespace {

std::vector<std::byte> bytes_of(std::string_view text) { return ByteWriter().text(text).take(); }

std::shared_ptr<const ElfFile> parsed(std::vector<std::byte> bytes) {
  auto file = ElfFile::from_bytes(std::move(bytes), "test");
  REQUIRE(file);
  return *file;
}

std::string text_of(ByteView bytes) {
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

std::vector<std::byte> shf_compressed(std::uint32_t method, std::uint64_t bytes, ByteView data) {
  return ByteWriter().u32(method).u32(0).u64(bytes).u64(1).bytes(data).take();
}

std::vector<std::byte> zlib_of(std::string_view text) {
  uLongf size = compressBound(text.size());
  std::vector<std::byte> out(size);
  REQUIRE(compress(reinterpret_cast<Bytef*>(out.data()), &size,
                   reinterpret_cast<const Bytef*>(text.data()), text.size()) == Z_OK);
  out.resize(size);
  return out;
}

std::vector<std::byte> zstd_of(std::string_view text) {
  std::vector<std::byte> out(ZSTD_compressBound(text.size()));
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
  return out;
}

const std::string kText(1000, 'x');

Result<ByteView> only_section(const ElfFile& file) {
  return file.section_bytes(file.sections()[1]);
}

}  // namespace

TEST_CASE("ElfFile gives headers, sections, segments and the bytes behind addresses") {
  ElfBuilder builder;
  builder.segment({.flags = PF_R | PF_X, .address = {0x400000}, .contents = bytes_of("code")});
  builder.segment({.flags = PF_R | PF_W,
                   .address = {0x600000},
                   .contents = bytes_of("data"),
                   .memory_bytes = 64});
  builder.section({.name = ".text", .flags = SHF_EXECINSTR, .contents = bytes_of("abc")});
  const auto file = parsed(builder.build());

  CHECK(file->type() == ET_EXEC);
  REQUIRE(file->arch());
  CHECK(file->arch()->name == "amd64");
  REQUIRE(file->segments().size() == 2);
  CHECK(file->segments()[0].executable());
  CHECK(file->segments()[1].writable());
  REQUIRE(file->section(".text"));
  CHECK(text_of(*file->section_bytes(*file->section(".text"))) == "abc");
  CHECK(file->section(".data") == nullptr);

  CHECK(text_of(*file->bytes_at({0x400001}, 3)) == "ode");
  CHECK_FALSE(file->bytes_at({0x400001}, 4));
  CHECK_FALSE(file->bytes_at({0x3fffff}, 2));
  CHECK_FALSE(file->bytes_at({0x600004}, 1));  // Zero-filled by the loader, not in the file.
}

TEST_CASE("ElfFile says what is wrong with a file that is none") {
  const auto refused = [](std::vector<std::byte> bytes) {
    const auto file = ElfFile::from_bytes(std::move(bytes), "test");
    REQUIRE_FALSE(file);
    return file.error().code;
  };
  CHECK(refused({}) == ErrorCode::malformed_data);
  CHECK(refused(bytes_of("#!/bin/sh\necho hello\n")) == ErrorCode::malformed_data);
  auto other_endian = ElfBuilder().build();
  other_endian[EI_DATA] = std::byte{ELFDATA2MSB};
  CHECK(refused(other_endian) == ErrorCode::unsupported);
  auto narrow = ElfBuilder().build();
  narrow[EI_CLASS] = std::byte{ELFCLASS32};
  CHECK(refused(narrow) == ErrorCode::unsupported);
  const auto missing = ElfFile::open("/nonexistent/file");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == ErrorCode::io_failure);
  CHECK_FALSE(ElfFile::open("/"));
}

TEST_CASE("an ELF file cut at any byte is refused, as its headers are at both ends") {
  ElfBuilder builder;
  builder.segment({.address = {0x400000}, .contents = bytes_of("code")});
  builder.section({.name = ".text", .contents = bytes_of("abc")});
  const auto whole = builder.build();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto cut = ElfFile::from_bytes({whole.begin(), whole.begin() + size}, "test");
    REQUIRE_FALSE(cut);
    CHECK(cut.error().code == ErrorCode::malformed_data);
  }
}

TEST_CASE("a section that reaches outside of the file is an error, not less bytes") {
  ElfBuilder builder;
  builder.section({.name = ".data", .contents = bytes_of("abc"), .claimed_bytes = ~0ull});
  const auto contents = only_section(*parsed(builder.build()));
  REQUIRE_FALSE(contents);
  CHECK(contents.error().code == ErrorCode::malformed_data);
}

TEST_CASE("compressed sections are unpacked once and stay") {
  const auto check = [](ElfBuilder::Section section) {
    ElfBuilder builder;
    builder.section(std::move(section));
    const auto file = parsed(builder.build());
    CHECK(file->sections()[1].compressed());
    const auto first = only_section(*file);
    REQUIRE(first);
    CHECK(text_of(*first) == kText);
    CHECK(only_section(*file)->data() == first->data());
  };
  check({.name = ".debug_info",
         .flags = SHF_COMPRESSED,
         .contents = shf_compressed(1, kText.size(), zlib_of(kText))});
  check({.name = ".debug_info",
         .flags = SHF_COMPRESSED,
         .contents = shf_compressed(2, kText.size(), zstd_of(kText))});
  ByteWriter old_form;
  old_form.text("ZLIB").u32(0).u8(0).u8(0).u8(1000 >> 8).u8(1000 & 255).bytes(zlib_of(kText));
  check({.name = ".zdebug_info", .contents = old_form.take()});
}

TEST_CASE("a compressed section that lies about its size is refused") {
  const auto code_for = [](std::vector<std::byte> contents) {
    ElfBuilder builder;
    builder.section(
        {.name = ".debug_info", .flags = SHF_COMPRESSED, .contents = std::move(contents)});
    const auto unpacked = only_section(*parsed(builder.build()));
    REQUIRE_FALSE(unpacked);
    return unpacked.error().code;
  };
  const auto zlib = zlib_of(kText);
  const auto zstd = zstd_of(kText);
  for (const std::uint64_t claimed : {std::uint64_t{0}, std::uint64_t{999}, std::uint64_t{1001},
                                      std::uint64_t{1} << 20, ~std::uint64_t{0}}) {
    CHECK(code_for(shf_compressed(1, claimed, zlib)) == ErrorCode::malformed_data);
    CHECK(code_for(shf_compressed(2, claimed, zstd)) == ErrorCode::malformed_data);
  }
  CHECK(code_for(shf_compressed(3, 1000, zlib)) == ErrorCode::unsupported);
  CHECK(code_for(bytes_of("short")) == ErrorCode::malformed_data);
  for (std::size_t size = 0; size < zlib.size(); ++size)
    CHECK(code_for(shf_compressed(1, 1000, ByteView(zlib).first(size))) ==
          ErrorCode::malformed_data);
  for (std::size_t size = 0; size < zstd.size(); ++size)
    CHECK(code_for(shf_compressed(2, 1000, ByteView(zstd).first(size))) ==
          ErrorCode::malformed_data);
}

TEST_CASE("the build id is found among other notes, in sections or segments") {
  const auto id = bytes_of("\x01\xab\xff");
  ByteWriter notes;
  notes.bytes(elf_note("Go", 4, bytes_of("go build id")));
  notes.bytes(elf_note("GNU", NT_GNU_BUILD_ID, id));
  ElfBuilder in_section;
  in_section.section({.name = ".note", .type = SHT_NOTE, .contents = notes.take()});
  CHECK(parsed(in_section.build())->build_id() == "01abff");
  ElfBuilder in_segment;
  in_segment.segment({.type = PT_NOTE, .contents = notes.take()});
  CHECK(parsed(in_segment.build())->build_id() == "01abff");
  CHECK(parsed(ElfBuilder().build())->build_id() == std::nullopt);
}

TEST_CASE("the debug link is a name and, aligned to four, a checksum") {
  const auto link_of = [](std::vector<std::byte> contents) {
    ElfBuilder builder;
    builder.section({.name = ".gnu_debuglink", .contents = std::move(contents)});
    return parsed(builder.build())->debug_link();
  };
  const auto whole = ByteWriter().text("libx.debug").u8(0).align(4).u32(0xdeadbeef).take();
  const auto link = link_of(whole);
  REQUIRE(link);
  CHECK(link->file_name == "libx.debug");
  CHECK(link->crc == 0xdeadbeef);
  for (std::size_t size = 0; size < whole.size(); ++size)
    CHECK_FALSE(link_of({whole.begin(), whole.begin() + size}));
}

TEST_CASE("object_at finds data by its symbol, and nothing between") {
  ElfBuilder builder;
  builder.section(
      {.name = ".data", .address = {0x2000}, .contents = std::vector<std::byte>(0x100)});
  builder.symbols({{"first", {0x2000}, 0x10, STT_OBJECT},
                   {"label", {0x2004}, 0, STT_NOTYPE},
                   {"second", {0x2020}, 8, STT_OBJECT},
                   {"no_size", {0x2040}, 0, STT_OBJECT},
                   {"code", {0x2060}, 0x10, STT_FUNC},
                   {"endless", {0x2080}, ~std::uint64_t{0}, STT_OBJECT}});
  const auto file = ElfFile::from_bytes(builder.build(), "objects");
  REQUIRE(file);
  const auto name_at = [&](std::uint64_t address) {
    const ElfSymbol* symbol = (*file)->object_at({address});
    return symbol == nullptr ? std::string() : std::string(symbol->name);
  };
  CHECK(name_at(0x2000) == "first");
  CHECK(name_at(0x200f) == "first");
  CHECK(name_at(0x2010).empty());
  CHECK(name_at(0x2024) == "second");
  CHECK(name_at(0x2040).empty());
  CHECK(name_at(0x2060).empty());
  CHECK(name_at(0x2080).empty());
  CHECK(name_at(0x1fff).empty());
}

TEST_CASE("symbol_at honours sizes, nesting, labels without size and better names") {
  ElfBuilder builder;
  const auto text = builder.section({.name = ".text",
                                     .flags = SHF_ALLOC | SHF_EXECINSTR,
                                     .address = {0x1000},
                                     .contents = std::vector<std::byte>(0x100)});
  const auto data =
      builder.section({.name = ".data", .address = {0x2000}, .contents = bytes_of("12345678")});
  builder.symbols({
      {.name = "outer", .address = {0x1000}, .bytes = 0x40, .section = text},
      {.name = "inner", .address = {0x1010}, .bytes = 0x10, .section = text},
      {.name = "__libc_malloc", .address = {0x1050}, .bytes = 8, .section = text},
      {.name = "malloc", .address = {0x1050}, .bytes = 8, .section = text},
      {.name = "label", .address = {0x1080}, .type = STT_NOTYPE, .section = text},
      {.name = "after", .address = {0x1090}, .bytes = 4, .section = text},
      {.name = "tail", .address = {0x10f0}, .section = text},
      {.name = "variable", .address = {0x2000}, .bytes = 8, .type = STT_OBJECT, .section = data},
      {.name = "undefined", .address = {0x1000}, .bytes = 0x100, .section = SHN_UNDEF},
      {.name = "file.c", .type = STT_FILE, .section = SHN_ABS},
  });
  const auto file = parsed(builder.build());
  const auto name_at = [&](std::uint64_t address) {
    const ElfSymbol* symbol = file->symbol_at({address});
    return symbol ? std::string(symbol->name) : "";
  };
  CHECK(name_at(0xfff).empty());
  CHECK(name_at(0x1000) == "outer");
  CHECK(name_at(0x1010) == "inner");
  CHECK(name_at(0x1020) == "outer");
  CHECK(name_at(0x1040).empty());
  CHECK(name_at(0x1050) == "malloc");
  CHECK(name_at(0x108f) == "label");
  CHECK(name_at(0x1093) == "after");
  CHECK(name_at(0x1094).empty());
  CHECK(name_at(0x10ff) == "tail");  // To the end of its section.
  CHECK(name_at(0x1100).empty());
  CHECK(name_at(0x2000).empty());

  REQUIRE(file->find_symbol("variable"));
  CHECK(file->find_symbol("variable")->file_address == Address{0x2000});
  CHECK(file->find_symbol("undefined") == nullptr);
  CHECK(file->find_symbol("file.c") == nullptr);
  CHECK(file->symbols().size() == 8);
}

TEST_CASE("a file without symbols answers with none") {
  const auto file = parsed(ElfBuilder().build());
  CHECK(file->symbols().empty());
  CHECK(file->symbol_at({0x1000}) == nullptr);
  CHECK(file->find_symbol("main") == nullptr);
}

TEST_CASE("this program is an ELF file and finds itself") {
  const auto file = ElfFile::open("/proc/self/exe");
  REQUIRE(file);
  const ElfSymbol* main = (*file)->find_symbol("main");
  REQUIRE(main);
  CHECK((*file)->symbol_at(main->file_address) == main);
  CHECK((*file)->build_id());
}

}  // namespace cgo
