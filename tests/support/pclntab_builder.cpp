#include "support/pclntab_builder.h"

#include <span>
#include <string_view>

namespace cgo {
namespace {

using Table = std::vector<std::byte>;

template <class Integer>
void put(Table& table, Integer value) {
  const auto bytes = std::as_bytes(std::span(&value, 1));
  table.insert(table.end(), bytes.begin(), bytes.end());
}

void put_varint(Table& table, std::uint32_t value) {
  while (value >= 0x80) {
    put(table, static_cast<std::uint8_t>(value | 0x80));
    value >>= 7;
  }
  put(table, static_cast<std::uint8_t>(value));
}

/// Strings with a NUL each, every one stored once.
class StringTable {
 public:
  std::uint32_t add(const std::string& text) {
    const auto [at, fresh] = offsets_.emplace(text, static_cast<std::uint32_t>(bytes.size()));
    if (fresh) {
      const auto data = std::as_bytes(std::span(text.c_str(), text.size() + 1));
      bytes.insert(bytes.end(), data.begin(), data.end());
    }
    return at->second;
  }
  Table bytes;

 private:
  std::map<std::string, std::uint32_t> offsets_;
};

/// Appends a pc-value table; its offset, or 0 when there are no runs.
std::uint32_t put_runs(Table& pctab, const std::vector<PclntabBuilder::Run>& runs) {
  if (runs.empty()) return 0;
  if (pctab.empty()) put(pctab, std::uint8_t{0});  // Offset 0 means "no table".
  const auto offset = static_cast<std::uint32_t>(pctab.size());
  std::int32_t value = -1;
  std::uint32_t pc = 0;
  for (const auto& run : runs) {
    const std::int32_t delta = run.value - value;
    put_varint(pctab,
               static_cast<std::uint32_t>(delta) << 1 ^ static_cast<std::uint32_t>(delta >> 31));
    put_varint(pctab, run.end - pc);
    value = run.value;
    pc = run.end;
  }
  put(pctab, std::uint8_t{0});
  return offset;
}

struct Linker {
  GoVersion version;
  StringTable names, files;
  PclntabBuilder::Bytes out;

  std::int32_t file_number(const std::string& path, std::uint32_t cu_offset) {
    put(out.cutab, files.add(path));
    return static_cast<std::int32_t>(out.cutab.size() / 4 - 1 - cu_offset);
  }

  std::uint32_t put_inline_tree(const PclntabBuilder::Function& function, std::uint32_t cu_offset) {
    const auto offset = static_cast<std::uint32_t>(out.gofunc.size());
    for (const auto& call : function.inlined) {
      const std::uint32_t name = names.add(call.function);
      if (version.minor >= 20) {
        put(out.gofunc, std::uint32_t{call.func_id});
        put(out.gofunc, name);
        put(out.gofunc, call.parent_pc);
        put(out.gofunc, std::uint32_t{0});
      } else {
        put(out.gofunc, call.parent);
        put(out.gofunc, std::uint16_t{call.func_id});
        put(out.gofunc, call.call_file.empty() ? -1 : file_number(call.call_file, cu_offset));
        put(out.gofunc, call.call_line);
        put(out.gofunc, name);
        put(out.gofunc, call.parent_pc);
      }
    }
    return offset;
  }

  std::uint32_t put_funcdata(const std::vector<std::byte>& bytes) {
    if (bytes.empty()) return ~0u;
    const auto offset = static_cast<std::uint32_t>(out.gofunc.size());
    out.gofunc.insert(out.gofunc.end(), bytes.begin(), bytes.end());
    out.gofunc.resize((out.gofunc.size() + 3) / 4 * 4);
    return offset;
  }

  void link(const PclntabBuilder::Function& function) {
    const auto cu_offset = static_cast<std::uint32_t>(out.cutab.size() / 4);
    std::vector<PclntabBuilder::Run> file_runs;
    for (const auto& [end, path] : function.files)
      file_runs.push_back({end, file_number(path, cu_offset)});
    const bool has_tree = !function.inlined.empty();
    const std::uint32_t tree = has_tree ? put_inline_tree(function, cu_offset) : ~0u;
    const std::uint32_t pcsp = put_runs(out.pctab, function.frame);
    const std::uint32_t pcfile = put_runs(out.pctab, file_runs);
    const std::uint32_t pcln = put_runs(out.pctab, function.lines);
    const std::uint32_t inline_index = put_runs(out.pctab, function.inline_index);
    const std::uint32_t live_index = put_runs(out.pctab, function.live_index);
    const std::uint32_t arguments = put_funcdata(function.arguments);
    const std::uint32_t live = put_funcdata(function.live_arguments);
    const std::uint32_t defers = put_funcdata(function.open_coded_defers);

    put(out.ftab, function.entry);
    put(out.ftab, static_cast<std::uint32_t>(out.pclntable.size()));
    const std::uint32_t words[] = {
        function.entry, names.add(function.name), 0, 0, pcsp, pcfile, pcln, 4, cu_offset};
    for (std::uint32_t word : words) put(out.pclntable, word);
    if (version.minor >= 20) put(out.pclntable, function.start_line);
    for (int byte : {int{function.func_id}, 0, 0, 7})
      put(out.pclntable, static_cast<std::uint8_t>(byte));
    for (std::uint32_t pcdata : {0u, 0u, inline_index, live_index}) put(out.pclntable, pcdata);
    for (std::uint32_t funcdata : {~0u, ~0u, ~0u, tree, defers, arguments, live})
      put(out.pclntable, funcdata);
  }
};

}  // namespace

PclntabBuilder& PclntabBuilder::function(Function function) {
  functions_.push_back(std::move(function));
  return *this;
}

PclntabBuilder::Bytes PclntabBuilder::bytes(std::uint32_t text_bytes) const {
  Linker linker{.version = version_, .names = {}, .files = {}, .out = {}};
  for (const Function& function : functions_) linker.link(function);
  put(linker.out.ftab, text_bytes);
  put(linker.out.ftab, std::uint32_t{0});
  linker.out.funcnametab = std::move(linker.names.bytes);
  linker.out.filetab = std::move(linker.files.bytes);
  return std::move(linker.out);
}

std::unique_ptr<GoModule> PclntabBuilder::module(Address text, std::uint32_t text_bytes) const {
  return module_from_bytes(std::make_shared<const Bytes>(bytes(text_bytes)), version_, text,
                           text_bytes);
}

std::unique_ptr<GoModule> module_from_bytes(std::shared_ptr<const PclntabBuilder::Bytes> bytes,
                                            GoVersion version, Address text,
                                            std::uint32_t text_bytes) {
  const Address end{text.value + text_bytes};
  GoModule::Tables tables;
  tables.text = tables.minpc = text;
  tables.etext = tables.maxpc = end;
  tables.funcnametab = bytes->funcnametab;
  tables.cutab = bytes->cutab;
  tables.filetab = bytes->filetab;
  tables.pctab = bytes->pctab;
  tables.pclntable = bytes->pclntable;
  tables.ftab = bytes->ftab;
  tables.ftab_entries = bytes->ftab.size() / 8;
  tables.gofunc_bytes = bytes->gofunc;
  tables.owner = std::move(bytes);
  return std::make_unique<GoModule>(std::move(tables), version);
}

}  // namespace cgo
