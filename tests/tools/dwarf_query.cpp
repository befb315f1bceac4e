// dwarf-query FILE [CACHE_DIRECTORY] < QUESTIONS: what target/dwarf.h says about a file, one JSON
// value for each line of input: "frames PC", "tail RETURN_PC CALLEE", "from CALLED CALLEE",
// "struct NAME", "functions NAME". Addresses are file addresses in hexadecimal.
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "target/debug_files.h"
#include "target/dwarf.h"

namespace {

using cgo::Address;
using nlohmann::json;

json as_json(const cgo::SourceFrame& frame) {
  return {{"function", frame.function},
          {"file", frame.file},
          {"line", frame.line},
          {"inlined", frame.inlined},
          {"entry", frame.entry.value}};
}

json as_json(const cgo::DwarfStruct& type) {
  json members = json::array();
  for (const cgo::DwarfMember& member : type.members)
    members.push_back({member.name, member.offset, member.bytes});
  return {{"bytes", type.bytes}, {"members", members}};
}

json as_json(Address address) { return address.value; }

template <class T>
json as_json(const std::vector<T>& all) {
  json out = json::array();
  for (const T& one : all) out.push_back(as_json(one));
  return out;
}

template <class T>
json as_json(const cgo::Result<T>& result) {
  if (!result) return {{"error", result.error().message}};
  return as_json(*result);
}

Address read_address(std::istream& in) {
  Address address;
  in >> std::hex >> address.value;
  return address;
}

json answer(const cgo::DwarfInfo& dwarf, const std::string& line) {
  std::istringstream in(line);
  std::string what, name;
  in >> what;
  if (what == "frames") return as_json(dwarf.frames_at(read_address(in)));
  if (what == "tail" || what == "from") {
    const Address first = read_address(in), callee = read_address(in);
    return as_json(what == "tail" ? dwarf.tail_calls(first, callee)
                                  : dwarf.tail_calls_from(first, callee));
  }
  std::getline(in >> std::ws, name);
  if (what == "struct") return as_json(dwarf.struct_type(name));
  if (what == "functions") return as_json(dwarf.functions_named(name));
  return {{"error", "not a question: " + line}};
}

/// The DWARF of a file, or of its separate debug file.
cgo::Result<std::shared_ptr<const cgo::DwarfInfo>> open(const std::string& path,
                                                        const std::string& cache) {
  auto file = cgo::ElfFile::open(path);
  if (!file) return std::move(file).error();
  auto own = cgo::DwarfInfo::open(*file, cache);
  if (own) return own;
  auto separate = cgo::find_debug_file(**file);
  if (!separate) return std::move(separate).error();
  return cgo::DwarfInfo::open(*separate, cache);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const auto dwarf = open(argv[1], argc > 2 ? argv[2] : "");
  if (!dwarf) {
    std::cerr << dwarf.error().message << '\n';
    return 1;
  }
  for (std::string line; std::getline(std::cin, line);) std::cout << answer(**dwarf, line) << '\n';
  return 0;
}
