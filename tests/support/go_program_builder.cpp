#include "support/go_program_builder.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "goruntime/module_data.h"
#include "support/elf_builder.h"

namespace cgo {
namespace {

constexpr std::uint32_t kFunctionBytes = 0x100;
constexpr Address kText{0x401000}, kConstants{0x410000}, kData{0x500000};
constexpr std::uint64_t kModuleData = 0x100, kDataBytes = 0x2000;

/// Where the tables lie behind a pcHeader.
struct Tables {
  std::vector<std::byte> bytes;  ///< Header included.
  std::uint64_t funcname = 0, cu = 0, filetab = 0, pctab = 0, pcln = 0, gofunc = 0;
  std::uint64_t funcname_bytes = 0, cu_count = 0, filetab_bytes = 0, pctab_bytes = 0,
                pcln_bytes = 0, ftab_count = 0;
};

Tables link(const PclntabBuilder& functions, GoVersion version, std::uint64_t text) {
  PclntabBuilder::Bytes parts = functions.bytes(GoProgramBuilder::kTextBytes);
  // The function table is the beginning of pclntable, and offsets count from there.
  const auto shift = static_cast<std::uint32_t>(parts.ftab.size());
  for (std::size_t row = 0; row + 16 <= parts.ftab.size(); row += 8) {
    std::uint32_t offset;
    std::memcpy(&offset, parts.ftab.data() + row + 4, 4);
    offset += shift;
    std::memcpy(parts.ftab.data() + row + 4, &offset, 4);
  }
  Tables out;
  ByteWriter body;
  body.zeros(PcHeader::kBytes);
  const auto add = [&](const std::vector<std::byte>& table) {
    body.align(8);
    const std::uint64_t at = body.size();
    body.bytes(table);
    return at;
  };
  out.funcname = add(parts.funcnametab);
  out.cu = add(parts.cutab);
  out.filetab = add(parts.filetab);
  out.pctab = add(parts.pctab);
  out.pcln = add(parts.ftab);
  body.bytes(parts.pclntable);
  out.pcln_bytes = body.size() - out.pcln;
  out.gofunc = add(parts.gofunc);
  body.zeros(64);
  out.funcname_bytes = parts.funcnametab.size();
  out.cu_count = parts.cutab.size() / 4;
  out.filetab_bytes = parts.filetab.size();
  out.pctab_bytes = parts.pctab.size();
  out.ftab_count = parts.ftab.size() / 8;

  ByteWriter header;
  header.u32(pc_header_magic(version)).u8(0).u8(0).u8(1).u8(8);
  header.u64(out.ftab_count - 1).u64(1).u64(text).u64(out.funcname).u64(out.cu);
  header.u64(out.filetab).u64(out.pctab).u64(out.pcln);
  out.bytes = body.take();
  const auto head = header.take();
  std::copy(head.begin(), head.end(), out.bytes.begin());
  return out;
}

void put(std::vector<std::byte>& bytes, std::uint64_t at, std::uint64_t value) {
  std::memcpy(bytes.data() + at, &value, sizeof value);
}

RuntimeLayout layout_or_throw(GoVersion version) {
  auto layout = layout_from_table(version, kAmd64);
  if (!layout) throw std::invalid_argument(layout.error().message);
  return *layout;
}

}  // namespace

GoProgramBuilder::GoProgramBuilder(GoVersion version, std::uint64_t bias)
    : version_text("go" + format_go_version(version)),
      version_(version),
      bias_(bias),
      layout_(layout_or_throw(version)),
      functions_(version) {}

GoProgramBuilder& GoProgramBuilder::function(const std::string& name, std::vector<std::byte> code,
                                             std::uint8_t func_id) {
  functions_.function({.name = name,
                       .entry = static_cast<std::uint32_t>(code_.size()),
                       .func_id = func_id,
                       .frame = {{kFunctionBytes, 8}},
                       .files = {{kFunctionBytes, "/go/" + name + ".go"}},
                       .lines = {{kFunctionBytes, 1}}});
  code.resize(kFunctionBytes, std::byte{0xcc});
  code_.insert(code_.end(), code.begin(), code.end());
  return *this;
}

Address GoProgramBuilder::next_function() const { return {text().value + code_.size()}; }

std::vector<std::byte> GoProgramBuilder::text_bytes() const {
  std::vector<std::byte> code = code_;
  code.resize(kTextBytes, std::byte{0xcc});
  return code;
}

std::vector<std::byte> GoProgramBuilder::constants() const {
  return link(functions_, version_, text().value).bytes;
}

std::vector<std::byte> GoProgramBuilder::build_info_bytes() const {
  ByteWriter out;
  out.text("\xff Go buildinf:").u8(8).u8(2).zeros(16);
  out.u8(static_cast<std::uint8_t>(version_text.size())).text(version_text);
  return out.take();
}

std::vector<std::byte> GoProgramBuilder::data() const {
  std::vector<std::byte> out(kDataBytes);
  if (build_info) {
    const auto info = build_info_bytes();
    std::copy(info.begin(), info.end(), out.begin());
  }
  const Tables tables = link(functions_, version_, text().value);
  const auto word = [&](std::uint64_t field, std::uint64_t value) {
    put(out, kModuleData + field, value);
  };
  const auto slice = [&](std::uint64_t field, std::uint64_t offset, std::uint64_t count) {
    word(field, pc_header().value + offset);
    word(field + 8, count);
    word(field + 16, count);
  };
  word(0, pc_header().value);
  slice(8, tables.funcname, tables.funcname_bytes);
  slice(32, tables.cu, tables.cu_count);
  slice(56, tables.filetab, tables.filetab_bytes);
  slice(80, tables.pctab, tables.pctab_bytes);
  slice(104, tables.pcln, tables.pcln_bytes);
  slice(128, tables.pcln, tables.ftab_count);
  for (std::uint64_t field : {160, 176}) word(field, text().value);
  for (std::uint64_t field : {168, 184}) word(field, text().value + kTextBytes);
  word(layout_.moduledata.gofunc.bytes, pc_header().value + tables.gofunc);
  word(layout_.moduledata.textsectmap.bytes + 8, 1);
  word(layout_.moduledata.pluginpath.bytes + 8, plugin ? 4 : 0);
  word(layout_.moduledata.next.bytes, next.value);
  return out;
}

Image GoProgramBuilder::image() const {
  Image image{.path = "/bin/program", .file = nullptr, .bias = bias_};
  image.range = {{bias_ + 0x400000}, {bias_ + kData.value + kDataBytes}};
  if (!code_in_file) return image;
  ElfBuilder elf(bias_ == 0 ? 2 : 3);
  elf.segment({.type = 1, .flags = 5, .address = kText, .contents = text_bytes()});
  elf.segment({.type = 1, .flags = 4, .address = kConstants, .contents = constants()});
  // In the file, before relocation: addresses are not yet what memory has.
  GoProgramBuilder unrelocated = *this;
  unrelocated.bias_ = 0;
  elf.segment({.type = 1, .flags = 6, .address = kData, .contents = unrelocated.data()});
  if (sections) {
    elf.section({.name = ".gopclntab",
                 .type = 1,
                 .flags = 2,
                 .address = kConstants,
                 .contents = constants()});
    if (build_info)
      elf.section({.name = ".go.buildinfo",
                   .type = 1,
                   .flags = 3,
                   .address = kData,
                   .contents = build_info_bytes()});
  }
  auto bytes = elf.build();
  if (!sections) {
    put(bytes, 40, 0);  // e_shoff
    std::fill(bytes.begin() + 58, bytes.begin() + 64, std::byte{0});
  }
  auto file = ElfFile::from_bytes(std::move(bytes), image.path);
  if (!file) throw std::logic_error(file.error().message);
  image.file = *file;
  return image;
}

void GoProgramBuilder::add_to(MemoryImage& memory) const {
  memory.bytes({bias_ + kData.value}, data());
  if (code_in_file) return;
  memory.bytes(pc_header(), constants());
  memory.bytes(text(), text_bytes());
}

}  // namespace cgo
