#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "lldb-plugin/command_context.h"
#include "target/type.h"
#include "unwind/format.h"
#include "unwind/frame.h"
#include "values/datum.h"

namespace cgo {
namespace {

constexpr std::size_t kUsualLimit = 20, kMostLookedAt = 10'000;

struct Found {
  std::vector<const Type*> types;
  std::size_t more = 0;
  std::vector<std::string> looked_in;
  std::vector<std::string> problems;
};

/// What the compiler made for maps, and pointers: shown only where they are asked for.
bool is_internal(const Type& type, std::string_view text) {
  const std::string_view name = type.name();
  if (name.starts_with('*')) return !text.starts_with('*');
  if (text.find('<') != text.npos || text.starts_with("noalg.")) return false;
  const bool made = name.starts_with("noalg.") || name.starts_with("map.") ||
                    name.starts_with("map<") || name.starts_with("table<") ||
                    name.starts_with("groupReference<") || name.starts_with("hash<") ||
                    name.starts_with("bucket<") || name.starts_with("hchan<") ||
                    name.starts_with("waitq<") || name.starts_with("sudog<");
  return type.is_go() && made;
}

/// "point" for "struct point": names are looked for without the word that C writes before them.
std::string without_keyword(std::string_view text) {
  for (const std::string_view word : {"struct ", "union ", "enum ", "class "})
    if (text.starts_with(word)) text.remove_prefix(word.size());
  return std::string(text);
}

Found find_types(const Stop& stop, const std::string& text, std::size_t limit) {
  Found out;
  for (const Image& image : stop.program->images->all()) {
    if (image.mismatch)
      out.problems.push_back(std::string(image.name()) +
                             " was not looked at: " + image.mismatch->message);
    if (!image.file || image.mismatch || !stop.program->dwarf) continue;
    auto dwarf = stop.program->dwarf(image);
    if (!dwarf || !*dwarf) continue;
    out.looked_in.emplace_back(image.name());
    auto matches = (*dwarf)->types_matching(text, kMostLookedAt);
    if (!matches) {
      out.problems.push_back(std::string(image.name()) + ": " + matches.error().message);
      continue;
    }
    if (matches->incomplete)
      out.problems.push_back(std::string(image.name()) +
                             ": not all could be read: " + matches->incomplete->message);
    std::ranges::copy_if(matches->types, std::back_inserter(out.types),
                         [&](const Type* type) { return !is_internal(*type, text); });
    out.more += matches->more;
  }
  // The type that has just this name would be lost among many that contain it.
  std::ranges::stable_partition(
      out.types, [&](const Type* type) { return without_keyword(type->name()) == text; });
  if (out.types.size() > limit) {
    out.more += out.types.size() - limit;
    out.types.resize(limit);
  }
  return out;
}

/// "struct point" for "main._Ctype_struct_point": what cgo made the Go type from.
std::string c_name_of(std::string_view name) {
  if (name.starts_with('*') || name.starts_with('[')) return {};
  constexpr std::string_view kMark = "._Ctype_";
  const std::size_t mark = name.find(kMark);
  if (mark == name.npos) return {};
  std::string c(name.substr(mark + kMark.size()));
  for (const std::string_view word : {"struct_", "union_", "enum_"})
    if (c.starts_with(word)) c[word.size() - 1] = ' ';
  return c;
}

const char* kind_word(const Type& type) {
  switch (kind_of(&type)) {
    case TypeKind::structure:
      return "struct";
    case TypeKind::class_type:
      return "class";
    case TypeKind::union_type:
      return "union";
    case TypeKind::enumeration:
      return "enum";
    case TypeKind::pointer:
      return "pointer";
    case TypeKind::array:
      return "array";
    case TypeKind::go_string:
      return "string";
    case TypeKind::go_slice:
      return "slice";
    case TypeKind::go_map:
      return "map";
    case TypeKind::go_channel:
      return "chan";
    case TypeKind::go_interface:
      return "interface";
    case TypeKind::go_function:
    case TypeKind::function:
      return "func";
    case TypeKind::none:
      return "void";
    default:
      return "basic";
  }
}

bool has_fields(const Type& type) {
  const TypeKind kind = kind_of(&type);
  return kind == TypeKind::structure || kind == TypeKind::class_type ||
         kind == TypeKind::union_type;
}

/// Calls `visit(member, type text, bytes)` for each member.
template <class Visit>
void each_field(const Type& type, const Visit& visit) {
  const Type* bare = plain(&type);
  const auto members = bare->members();
  if (!members) return;
  for (std::size_t i = 0; i < members->size(); ++i) {
    const auto member_type = bare->member_type(i);
    visit((*members)[i], member_type ? format_type(**member_type) : "?",
          member_type ? (*member_type)->bytes() : 0);
  }
}

/// Whether its offset is that in every object.
bool lies_in(const TypeMember& member) { return !member.is_static && !member.computed; }

std::string type_text(const Type& type) {
  std::string out =
      fmt::format("{}  {}, {} bytes", escaped(format_type(type)), kind_word(type), type.bytes());
  if (const std::string c = c_name_of(type.name()); !c.empty())
    out += fmt::format(", {} in C", escaped(c));
  out += '\n';
  if (!has_fields(type)) return out;
  each_field(type, [&](const TypeMember& member, const std::string& text, std::uint64_t bytes) {
    std::string size = fmt::format("{} bytes", bytes);
    if (member.bit_size != 0)
      size =
          fmt::format("bits {} to {}", member.bit_offset, member.bit_offset + member.bit_size - 1);
    if (member.base_class) size += member.computed ? ", virtual base" : ", base";
    if (member.is_static) size += ", static";
    out +=
        fmt::format("  {:>5}  {} {}  ({})\n", lies_in(member) ? std::to_string(member.offset) : "-",
                    escaped(member.name), escaped(text), size);
  });
  for (const Enumerator& one : plain(&type)->enumerators())
    out += fmt::format("  {} = {}\n", escaped(one.name), one.value);
  return out;
}

nlohmann::ordered_json type_json(const Type& type) {
  using Json = nlohmann::ordered_json;
  const std::string c = c_name_of(type.name());
  Json out{{"name", format_type(type)},
           {"kind", kind_word(type)},
           {"size", type.bytes()},
           {"language", format_language(type.language())},
           {"c_name", c.empty() ? Json() : Json(c)}};
  if (!has_fields(type)) return out;
  out["fields"] = Json::array();
  each_field(type, [&](const TypeMember& member, const std::string& text, std::uint64_t bytes) {
    Json field{{"name", std::string(member.name)},
               {"offset", lies_in(member) ? Json(member.offset) : Json()},
               {"size", bytes},
               {"type", text}};
    if (member.base_class) field["base"] = true;
    if (member.is_static) field["static"] = true;
    if (member.bit_size != 0) {
      field["bit_offset"] = member.bit_offset;
      field["bit_size"] = member.bit_size;
    }
    out["fields"].push_back(std::move(field));
  });
  return out;
}

}  // namespace

Answer run_types(CommandContext& context, const CommandLine& line) {
  const auto stop = context.subject.stop();
  if (!stop) return no_stop(stop.error());
  const std::size_t limit = line.number("--limit").value_or(kUsualLimit);
  const Found found = find_types(**stop, without_keyword(line.positionals.at(0)), limit);
  Answer answer;
  answer.warnings = found.problems;
  finish(answer, **stop);
  if (line.has("--json")) {
    nlohmann::ordered_json out{{"schema", "lldb-cgo/types/1"},
                               {"types", nlohmann::ordered_json::array()},
                               {"more", found.more}};
    for (const Type* type : found.types) out["types"].push_back(type_json(*type));
    answer.out = out.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
    answer.out.pop_back();
    answer.out += partial_json(answer) + "}\n";
  } else {
    for (const Type* type : found.types) answer.out += type_text(*type);
    if (found.types.empty()) {
      std::string where;
      for (const std::string& name : found.looked_in) where += (where.empty() ? "" : ", ") + name;
      answer.out = fmt::format("0 types found (looked in the debug information of {})\n",
                               where.empty() ? "no image: none has any" : escaped(where));
    }
    if (found.more != 0)
      answer.out += fmt::format("and {} more; --limit N shows more\n", found.more);
  }
  return answer;
}

}  // namespace cgo
