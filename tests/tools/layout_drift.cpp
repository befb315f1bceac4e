// Compares the layouts of runtime structures in each binary's DWARF with the measured table.
// Exit status: 0 all agree, 1 some differ, 2 one could not be read.
#include <cstdio>
#include <string>

#include "goruntime/build_info.h"
#include "goruntime/defer_layout.h"
#include "goruntime/gc_layout.h"
#include "goruntime/layout_table.h"
#include "target/dwarf.h"
#include "target/elf.h"

namespace {

using namespace cgo;

Result<std::string> version_of(const ElfFile& file) {
  const ElfSection* section = file.section(".go.buildinfo");
  if (section == nullptr) return Error{ErrorCode::not_found, "no .go.buildinfo"};
  auto bytes = file.section_bytes(*section);
  if (!bytes) return std::move(bytes).error();
  return decode_build_info(*bytes);
}

struct Comparison {
  std::string version;
  std::vector<std::string> differences;
};

Result<Comparison> compare(const std::string& path) {
  auto file = ElfFile::open(path);
  if (!file) return std::move(file).error();
  auto text = version_of(**file);
  if (!text) return std::move(text).error();
  const auto version = parse_go_version(*text);
  if (!version) return Error{ErrorCode::unsupported, "version \"" + *text + "\""};
  if ((*file)->arch() == nullptr) return Error{ErrorCode::unsupported, "another CPU"};
  auto dwarf = DwarfInfo::open(*file);
  if (!dwarf) return std::move(dwarf).error();
  auto from_dwarf = layout_from_dwarf(**dwarf);
  if (!from_dwarf) return std::move(from_dwarf).error().in("DWARF");
  auto table = layout_from_table(*version, *(*file)->arch());
  if (!table) return Comparison{*text, {table.error().message}};
  Comparison out{*text, layout_differences(*from_dwarf, *table)};
  const auto defers = defer_layout_from_dwarf(**dwarf), known = defer_layout_from_table(*version);
  if (!defers || !known)
    out.differences.push_back(!defers ? defers.error().message : known.error().message);
  else if (*defers != *known)
    out.differences.push_back("runtime._defer or runtime._panic is laid out differently");
  const auto gc = gc_layout_from_dwarf(**dwarf), known_gc = gc_layout_from_table(*version, *text);
  if (!gc || !known_gc)
    out.differences.push_back(!gc ? gc.error().message : known_gc.error().message);
  else if (*gc != *known_gc)
    out.differences.push_back("what the garbage collector reads is laid out differently");
  if (table->newer_than_measured)
    out.differences.push_back("newer than the measured patch releases of go1." +
                              std::to_string(version->minor));
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  int status = argc > 1 ? 0 : 2;
  for (int i = 1; i < argc; ++i) {
    const auto compared = compare(argv[i]);
    if (!compared) {
      std::fprintf(stderr, "%s: %s\n", argv[i], compared.error().message.c_str());
      status = 2;
      continue;
    }
    std::printf("%s: %s\n", compared->version.c_str(),
                compared->differences.empty() ? "as the table says" : "differs from the table");
    for (const std::string& difference : compared->differences)
      std::printf("  %s\n", difference.c_str());
    if (compared->differences.empty()) continue;
    std::printf(
        "  change goruntime/layout_table.cpp (defer_layout.cpp, gc_layout_table.cpp); see "
        "docs/adding-a-go-version.md\n");
    if (status == 0) status = 1;
  }
  return status;
}
