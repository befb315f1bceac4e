#include "goruntime/module_data.h"

#include <string>

namespace cgo {
namespace {

constexpr std::uint32_t kMagic1_19 = 0xfffffff0;
constexpr std::uint32_t kMagic1_20 = 0xfffffff1;
constexpr std::uint64_t kMostFunctions = 1 << 26;

// The same in every release from 1.19 to 1.27; see the layout table for the fields that move.
// Source: src/runtime/symtab.go, type moduledata.
struct Field {
  static constexpr std::uint64_t pc_header = 0, funcnametab = 8, cutab = 32, filetab = 56,
                                 pctab = 80, pclntable = 104, ftab = 128, minpc = 160, maxpc = 168,
                                 text = 176, etext = 184;
};
constexpr std::uint64_t kFixedBytes = 192;
constexpr std::uint32_t kLargestStructure = 1 << 16;

Error malformed(std::string what, Address at) {
  return Error{ErrorCode::malformed_data, std::move(what), at};
}

ModuleData::Slice slice_at(ByteView bytes, std::uint64_t offset) {
  return {{*load<std::uint64_t>(bytes, offset)}, *load<std::uint64_t>(bytes, offset + 8)};
}

std::uint64_t bytes_needed(const ModuleDataLayout& layout) {
  std::uint64_t last = kFixedBytes;
  for (const FieldOffset field : {layout.types, layout.etypes, layout.gofunc, layout.textsectmap,
                                  layout.pluginpath, layout.next})
    last = std::max<std::uint64_t>(last, std::uint64_t{field.bytes} + 16);
  return last;
}

/// A slice of a table that `header` puts `offset` bytes behind itself.
Result<AddressRange> table_range(const ModuleData& data, const ModuleData::Slice& slice,
                                 std::uint64_t offset, std::uint64_t element_bytes,
                                 std::string_view name) {
  const auto expected = checked_add(data.pc_header, offset);
  if (!expected || slice.pointer != *expected)
    return malformed("moduledata." + std::string(name) + " does not lie where pcHeader says",
                     data.address);
  const bool absurd = slice.length > (std::uint64_t{1} << 40) / element_bytes;
  const auto end = absurd ? std::nullopt : checked_add(slice.pointer, slice.length * element_bytes);
  if (!end)
    return malformed("moduledata." + std::string(name) + " has an absurd length", data.address);
  return AddressRange{slice.pointer, *end};
}

/// All tables of a module at once: they follow each other in one symbol, and so one read is enough
/// and one owner keeps them.
struct TableRanges {
  AddressRange funcnametab, cutab, filetab, pctab, pclntable, ftab;
  AddressRange all() const {
    AddressRange whole = funcnametab;
    for (const AddressRange& range : {cutab, filetab, pctab, pclntable, ftab}) {
      whole.begin = std::min(whole.begin, range.begin);
      whole.end = std::max(whole.end, range.end);
    }
    return whole;
  }
};

Result<TableRanges> table_ranges(const ModuleData& data, const PcHeader& header) {
  struct Row {
    AddressRange TableRanges::* out;
    ModuleData::Slice ModuleData::* slice;
    std::uint64_t offset, element_bytes;
    std::string_view name;
  };
  const Row rows[] = {
      {&TableRanges::funcnametab, &ModuleData::funcnametab, header.funcname_offset, 1,
       "funcnametab"},
      {&TableRanges::cutab, &ModuleData::cutab, header.cu_offset, 4, "cutab"},
      {&TableRanges::filetab, &ModuleData::filetab, header.filetab_offset, 1, "filetab"},
      {&TableRanges::pctab, &ModuleData::pctab, header.pctab_offset, 1, "pctab"},
      {&TableRanges::pclntable, &ModuleData::pclntable, header.pcln_offset, 1, "pclntable"},
      {&TableRanges::ftab, &ModuleData::ftab, header.pcln_offset, 8, "ftab"},
  };
  TableRanges ranges;
  for (const Row& row : rows) {
    auto range = table_range(data, data.*row.slice, row.offset, row.element_bytes, row.name);
    if (!range) return std::move(range).error();
    ranges.*row.out = *range;
  }
  return ranges;
}

}  // namespace

std::uint32_t pc_header_magic(GoVersion version) {
  return version.minor >= 20 ? kMagic1_20 : kMagic1_19;
}

Result<PcHeader> decode_pc_header(ByteView bytes) {
  if (bytes.size() < PcHeader::kBytes) return Error{ErrorCode::malformed_data, "pcHeader is cut"};
  const auto byte = [&](std::size_t at) { return *load<std::uint8_t>(bytes, at); };
  const auto word = [&](std::size_t at) { return *load<std::uint64_t>(bytes, at); };
  PcHeader out;
  out.magic = *load<std::uint32_t>(bytes, 0);
  out.minimum_instruction_bytes = byte(6);
  const bool known_magic = out.magic == kMagic1_19 || out.magic == kMagic1_20;
  const bool known_unit = byte(6) == 1 || byte(6) == 2 || byte(6) == 4;
  if (!known_magic || byte(4) != 0 || byte(5) != 0 || !known_unit || byte(7) != 8)
    return Error{ErrorCode::malformed_data, "not a pcHeader of Go 1.19 to 1.27 on a 64-bit CPU"};
  out.functions = word(8);
  // Words 16 and 24 count files and give the text's start; moduledata has the latter in all
  // releases.
  out.funcname_offset = word(32);
  out.cu_offset = word(40);
  out.filetab_offset = word(48);
  out.pctab_offset = word(56);
  out.pcln_offset = word(64);
  const bool ordered =
      PcHeader::kBytes <= out.funcname_offset && out.funcname_offset <= out.cu_offset &&
      out.cu_offset <= out.filetab_offset && out.filetab_offset <= out.pctab_offset &&
      out.pctab_offset <= out.pcln_offset;
  if (!ordered || out.functions > kMostFunctions)
    return Error{ErrorCode::malformed_data, "pcHeader contradicts itself"};
  return out;
}

Result<ModuleData> decode_module_data(const MemoryReader& memory, const ModuleDataLayout& layout,
                                      Address at) {
  auto bytes = read_bytes(memory, at, bytes_needed(layout), kLargestStructure);
  if (!bytes) return std::move(bytes).error().in("moduledata at " + hex(at));
  const auto address = [&](std::uint64_t offset) {
    return Address{*load<std::uint64_t>(*bytes, offset)};
  };
  ModuleData out;
  out.address = at;
  out.pc_header = address(Field::pc_header);
  out.funcnametab = slice_at(*bytes, Field::funcnametab);
  out.cutab = slice_at(*bytes, Field::cutab);
  out.filetab = slice_at(*bytes, Field::filetab);
  out.pctab = slice_at(*bytes, Field::pctab);
  out.pclntable = slice_at(*bytes, Field::pclntable);
  out.ftab = slice_at(*bytes, Field::ftab);
  out.minpc = address(Field::minpc);
  out.maxpc = address(Field::maxpc);
  out.text = address(Field::text);
  out.etext = address(Field::etext);
  out.gofunc = address(layout.gofunc.bytes);
  out.types = {address(layout.types.bytes), address(layout.etypes.bytes)};
  out.text_sections = address(layout.textsectmap.bytes + 8).value;
  out.is_plugin = address(layout.pluginpath.bytes + 8).value != 0;
  out.next = address(layout.next.bytes);
  const bool sane = out.text <= out.minpc && out.minpc < out.maxpc && out.text < out.etext &&
                    out.ftab.length >= 2 && out.ftab.length <= kMostFunctions;
  if (!sane) return malformed("moduledata at " + hex(at) + " contradicts itself", at);
  return out;
}

Result<std::unique_ptr<const GoModule>> load_module(const ImageBytes& image, const ModuleData& data,
                                                    GoVersion version) {
  // Source: src/cmd/link/internal/ld/data.go, splitTextSections: only CPUs with short branches.
  if (data.text_sections > 1)
    return Error{ErrorCode::unsupported, "Go code in " + std::to_string(data.text_sections) +
                                             " text sections (textsectmap) is not supported"};
  auto header_bytes =
      image.constants({data.pc_header, wrapping_add(data.pc_header, PcHeader::kBytes)});
  if (!header_bytes) return std::move(header_bytes).error().in("pcHeader");
  auto header = decode_pc_header(header_bytes->bytes);
  if (!header) return std::move(header).error();
  auto ranges = table_ranges(data, *header);
  if (!ranges) return std::move(ranges).error();
  const AddressRange all = ranges->all();
  auto tables_bytes = image.constants(all);
  if (!tables_bytes) return std::move(tables_bytes).error().in("pclntab");
  HeldBytes gofunc = image.readable_constants(image.rest_of_segment(data.gofunc));

  const auto view = [&](AddressRange range) {
    return tables_bytes->bytes.subspan(range.begin.value - all.begin.value, range.bytes());
  };
  struct Owners {
    std::shared_ptr<const void> tables, gofunc;
  };
  GoModule::Tables tables{
      .moduledata = data.address,
      .text = data.text,
      .etext = data.etext,
      .minpc = data.minpc,
      .maxpc = data.maxpc,
      .gofunc = data.gofunc,
      .types = data.types,
      .funcnametab = view(ranges->funcnametab),
      .cutab = view(ranges->cutab),
      .filetab = view(ranges->filetab),
      .pctab = view(ranges->pctab),
      .pclntable = view(ranges->pclntable),
      .ftab = view(ranges->ftab),
      .ftab_entries = data.ftab.length,
      .gofunc_bytes = gofunc.bytes,
      .minimum_instruction_bytes = header->minimum_instruction_bytes,
      .owner = std::make_shared<const Owners>(Owners{tables_bytes->owner, gofunc.owner})};
  return std::unique_ptr<const GoModule>(std::make_unique<GoModule>(std::move(tables), version));
}

}  // namespace cgo
