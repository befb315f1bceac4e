// dwarf-query FILE [CACHE_DIRECTORY] < QUESTIONS: what target/dwarf.h says about a file, one JSON
// value for each line of input: "frames PC", "tail RETURN_PC CALLEE", "from CALLED CALLEE",
// "struct NAME", "functions NAME", "scopes PC", "call RETURN_PC", "type NAME", "types TEXT",
// "descriptor OFFSET", "variable NAME", "at ADDRESS". Addresses are file addresses in hexadecimal.
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

std::string bytes_as_text(cgo::ByteView bytes) {
  std::string out;
  for (const std::byte byte : bytes) {
    out += "0123456789abcdef"[static_cast<unsigned>(byte) >> 4];
    out += "0123456789abcdef"[static_cast<unsigned>(byte) & 15];
  }
  return out;
}

json type_name(const cgo::Result<const cgo::Type*>& type) {
  if (!type) return nullptr;
  return cgo::format_type(**type);
}

json as_json(const cgo::Type* type) {
  json out{{"name", cgo::format_type(*type)},
           {"kind", static_cast<int>(type->kind())},
           {"bytes", type->bytes()},
           {"complete", type->complete()},
           {"signed", type->is_signed()},
           {"runtime_type", type->runtime_type()},
           {"target", type_name(type->target())},
           {"key", type_name(type->key())},
           {"representation", type_name(type->representation())}};
  if (type->length()) out["length"] = *type->length();
  if (auto members = type->members()) {
    out["members"] = json::array();
    for (std::size_t i = 0; i < members->size(); ++i) {
      const cgo::TypeMember& member = (*members)[i];
      out["members"].push_back({{"name", member.name},
                                {"offset", member.offset},
                                {"bits", {member.bit_offset, member.bit_size}},
                                {"type", type_name(type->member_type(i))},
                                {"embedded", member.embedded},
                                {"base", member.base_class},
                                {"static", member.is_static},
                                {"computed", member.computed}});
    }
  } else if (members.error().code != cgo::ErrorCode::not_found) {
    out["error"] = members.error().message;
  }
  for (const cgo::Enumerator& one : type->enumerators()) out["values"][one.name] = one.value;
  return out;
}

json as_json(const cgo::Variable& variable) {
  json out{{"name", variable.name},     {"parameter", variable.parameter},
           {"result", variable.result}, {"line", variable.declared_line},
           {"depth", variable.depth},   {"location", bytes_as_text(variable.location.code)}};
  if (variable.type) out["type"] = cgo::format_type(*variable.type);
  if (variable.constant) out["value"] = bytes_as_text(variable.value);
  if (variable.error) out["error"] = variable.error->message;
  return out;
}

json as_json(const cgo::GlobalVariable& global) {
  json out = as_json(global.variable);
  out["name"] = global.name;
  out["unit"] = global.unit;
  return out;
}

json as_json(const cgo::Scope& scope);
json as_json(const cgo::CallSiteParameter& parameter);

template <class T>
json as_json(const std::vector<T>& all) {
  json out = json::array();
  for (const T& one : all) out.push_back(as_json(one));
  return out;
}

json as_json(const cgo::Scope& scope) {
  return {{"variables", as_json(scope.variables)},
          {"frame_base", bytes_as_text(scope.frame_base.code)},
          {"entry", scope.entry.value}};
}

json as_json(const cgo::CallSiteParameter& parameter) {
  return {bytes_as_text(parameter.location.code), bytes_as_text(parameter.value.code)};
}

json as_json(const cgo::CallSite& site) {
  return {{"parameters", as_json(site.parameters)},
          {"targets", as_json(site.targets)},
          {"target", bytes_as_text(site.target.code)}};
}

json as_json(const cgo::TypeMatches& matches) {
  json names = json::array();
  for (const cgo::Type* type : matches.types) names.push_back(cgo::format_type(*type));
  return {{"types", names}, {"more", matches.more}};
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
  if (what == "scopes") return as_json(dwarf.scopes_at(read_address(in)));
  if (what == "call") return as_json(dwarf.call_site(read_address(in)));
  if (what == "descriptor") return as_json(dwarf.type_with_descriptor(read_address(in).value));
  if (what == "at") return as_json(dwarf.variable_at(read_address(in)));
  std::getline(in >> std::ws, name);
  if (what == "type") return as_json(dwarf.type_named(name));
  if (what == "types") return as_json(dwarf.types_matching(name, 100));
  if (what == "variable") return as_json(dwarf.variables_named(name));
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
