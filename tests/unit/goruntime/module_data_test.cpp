#include "goruntime/module_data.h"

#include <catch2/catch_test_macros.hpp>

#include "goruntime/layout_table.h"
#include "support/elf_builder.h"
#include "support/go_program_builder.h"

namespace cgo {
namespace {

constexpr GoVersion kReleases[] = {{19, 0}, {20, 0}, {23, 0}, {26, 0}, {27, 0}};

std::vector<std::byte> header(std::uint32_t magic = 0xfffffff1) {
  ByteWriter out;
  out.u32(magic).u8(0).u8(0).u8(1).u8(8);
  for (std::uint64_t word : {5, 2, 0, 72, 80, 90, 100, 110}) out.u64(word);
  return out.take();
}

GoProgramBuilder program(GoVersion version, std::uint64_t bias = 0x10000000) {
  GoProgramBuilder builder(version, bias);
  builder.function("main.main", {}).function("runtime.asmcgocall", {}, 2);
  return builder;
}

}  // namespace

TEST_CASE("a pcHeader gives where the tables lie") {
  const auto decoded = decode_pc_header(header());
  REQUIRE(decoded);
  CHECK(decoded->functions == 5);
  CHECK(decoded->funcname_offset == 72);
  CHECK(decoded->pcln_offset == 110);
  CHECK(decoded->minimum_instruction_bytes == 1);
  CHECK(decode_pc_header(header(0xfffffff0)));
}

TEST_CASE("what is no pcHeader is refused") {
  const auto whole = header();
  for (std::size_t size = 0; size < whole.size(); ++size)
    CHECK_FALSE(decode_pc_header(ByteView(whole).first(size)));
  for (std::size_t byte : {0, 3, 4, 5, 6, 7}) {
    auto damaged = whole;
    damaged[byte] ^= std::byte{0x55};
    CHECK_FALSE(decode_pc_header(damaged));
  }
  auto unordered = whole;
  unordered[40] = std::byte{1};  // cutab before the names
  CHECK_FALSE(decode_pc_header(unordered));
  CHECK_FALSE(decode_pc_header(header(0xfffffffa)));  // Go 1.16's
}

TEST_CASE("a module is loaded from file and from memory alone, in every release") {
  for (GoVersion version : kReleases) {
    for (const bool with_file : {true, false}) {
      CAPTURE(version.minor, with_file);
      GoProgramBuilder builder = program(version);
      builder.code_in_file = with_file;
      MemoryImage memory;
      builder.add_to(memory);
      const auto data =
          decode_module_data(memory, builder.layout().moduledata, builder.moduledata());
      REQUIRE(data);
      CHECK(data->pc_header == builder.pc_header());
      CHECK(data->text_sections == 1);
      CHECK_FALSE(data->is_plugin);
      CHECK_FALSE(data->next);
      const Image image = builder.image();
      const auto module = load_module(ImageBytes(image, memory), *data, version);
      REQUIRE(module);
      CHECK((*module)->function_at(builder.text())->name == "main.main");
      CHECK((*module)->function_named("runtime.asmcgocall")->entry ==
            Address{builder.text().value + 0x100});
      CHECK((*module)->tables().moduledata == builder.moduledata());
    }
  }
}

TEST_CASE("decode_module_data reports every missing byte at its address") {
  const GoProgramBuilder builder = program({27, 0});
  MemoryImage whole;
  builder.add_to(whole);
  const auto layout = builder.layout().moduledata;
  const std::uint64_t end = builder.moduledata().value + layout.next.bytes + 16;
  for (std::uint64_t at = builder.moduledata().value; at < end; ++at) {
    const auto data = decode_module_data(whole.drop({at}), layout, builder.moduledata());
    REQUIRE_FALSE(data);
    CHECK(data.error().address == Address{at});
  }
}

TEST_CASE("a moduledata that contradicts itself or its pcHeader is refused") {
  const GoProgramBuilder builder = program({27, 0});
  const auto refused = [&](std::uint64_t field, std::uint64_t value) {
    MemoryImage memory;
    builder.add_to(memory);
    memory.u64({builder.moduledata().value + field}, value);
    const auto data = decode_module_data(memory, builder.layout().moduledata, builder.moduledata());
    if (!data) return data.error().code == ErrorCode::malformed_data;
    const Image image = builder.image();
    return !load_module(ImageBytes(image, memory), *data, {27, 0}).has_value();
  };
  for (std::uint64_t slice : {8, 32, 56, 80, 104, 128}) {
    CHECK(refused(slice, 0x1234));
    CHECK(refused(slice + 8, ~0ull));
    CHECK(refused(slice + 8, 1ull << 39));
  }
  CHECK(refused(136, 1));      // ftab without a function
  CHECK(refused(160, ~0ull));  // minpc behind maxpc
  CHECK(refused(168, 0));      // maxpc
  CHECK(refused(184, 0));      // etext
  CHECK(refused(builder.layout().moduledata.textsectmap.bytes + 8, 2));
}

TEST_CASE("pages that memory lacks come from the file, but only of constants") {
  const GoProgramBuilder builder = program({27, 0});
  const Image image = builder.image();
  MemoryImage memory;
  // The first half of a page of data was written to; the other half is in no core.
  memory.u64({builder.moduledata().value}, 0x1111);
  const ImageBytes bytes(image, memory);
  const auto constants = bytes.constants({builder.moduledata(), {builder.moduledata().value + 16}});
  REQUIRE(constants);
  CHECK(load<std::uint64_t>(constants->bytes, 0) == 0x1111);
  CHECK(load<std::uint64_t>(constants->bytes, 8) != 0x1111);
  std::size_t words = 0;
  bytes.each_word({builder.moduledata(), {builder.moduledata().value + 64}}, false,
                  [&](Address, std::uint64_t word) {
                    CHECK(word == 0x1111);
                    ++words;
                    return true;
                  });
  CHECK(words == 1);
}

}  // namespace cgo
