#include <elf.h>
#include <zlib.h>
#include <zstd.h>

#include "seeds.h"
#include "support/core_builder.h"

namespace cgo {
namespace {

const std::string kText(300, 'x');

std::vector<std::byte> text(std::string_view value) { return ByteWriter().text(value).take(); }

std::vector<std::byte> zlib_data() {
  uLongf size = compressBound(kText.size());
  std::vector<std::byte> out(size);
  compress(reinterpret_cast<Bytef*>(out.data()), &size,
           reinterpret_cast<const Bytef*>(kText.data()), kText.size());
  out.resize(size);
  return out;
}

std::vector<std::byte> zstd_data() {
  std::vector<std::byte> out(ZSTD_compressBound(kText.size()));
  out.resize(ZSTD_compress(out.data(), out.size(), kText.data(), kText.size(), 3));
  return out;
}

std::vector<std::byte> compressed(std::uint32_t method, const std::vector<std::byte>& data) {
  return ByteWriter().u32(method).u32(0).u64(kText.size()).u64(1).bytes(data).take();
}

std::vector<std::byte> executable() {
  ElfBuilder builder;
  builder.segment({.flags = PF_R | PF_X, .address = {0x400000}, .contents = text("code bytes")});
  builder.segment({.flags = PF_R | PF_W,
                   .address = {0x600000},
                   .contents = text("data"),
                   .memory_bytes = 0x1000});
  builder.segment(
      {.type = PT_NOTE, .contents = elf_note("GNU", NT_GNU_BUILD_ID, text("0123456789"))});
  const auto code = builder.section({.name = ".text",
                                     .flags = SHF_ALLOC | SHF_EXECINSTR,
                                     .address = {0x400000},
                                     .contents = text("code bytes")});
  builder.section({.name = ".note.gnu.build-id",
                   .type = SHT_NOTE,
                   .contents = elf_note("GNU", NT_GNU_BUILD_ID, text("0123456789"))});
  builder.section({.name = ".gnu_debuglink",
                   .contents = ByteWriter().text("x.debug").u8(0).u32(0x12345678).take()});
  builder.symbols({{.name = "main", .address = {0x400000}, .bytes = 4, .section = code},
                   {.name = "label", .address = {0x400004}, .type = STT_NOTYPE, .section = code},
                   {.name = "weak", .address = {0x400000}, .binding = STB_WEAK, .section = code}});
  return builder.build();
}

std::vector<std::byte> with_compressed_sections() {
  ElfBuilder builder(ET_DYN);
  builder.section(
      {.name = ".debug_info", .flags = SHF_COMPRESSED, .contents = compressed(1, zlib_data())});
  builder.section(
      {.name = ".debug_line", .flags = SHF_COMPRESSED, .contents = compressed(2, zstd_data())});
  ByteWriter old_form;
  old_form.text("ZLIB").u32(0).u16(0).u8(300 >> 8).u8(300 & 255).bytes(zlib_data());
  builder.section({.name = ".zdebug_abbrev", .contents = old_form.take()});
  return builder.build();
}

}  // namespace

void write_seeds(const SeedWriter& out) {
  out.add("executable", executable());
  out.add("compressed", with_compressed_sections());
  out.add("dynamic-sysv-hash", elf_in_memory(false));
  out.add("dynamic-gnu-hash", elf_in_memory(true));
  out.add("empty-file", {});
}

}  // namespace cgo
