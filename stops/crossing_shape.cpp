#include "stops/crossing_shape.h"

#include <algorithm>

#include "target/dwarf.h"

namespace cgo {
namespace {

// cmd/cgo's own stub of malloc calls it otherwise. Source: src/cmd/cgo/out.go, cMallocDefC.
constexpr std::string_view kBlock = "_cgo_a", kBlockOfMalloc = "a";

/// The variables of the function at a load address, without those inlined into it there.
Result<std::vector<Variable>> variables_of(const ImageMap& images, const DwarfSource& dwarf,
                                           Address entry) {
  const Image* image = images.find(entry);
  if (image == nullptr || !dwarf)
    return Error{ErrorCode::not_found, "no file has the code at " + hex(entry), entry};
  const auto info = dwarf(*image);
  if (!info) return info.error();
  auto scopes = (*info)->scopes_at(image->to_file(entry));
  if (!scopes) return std::move(scopes).error();
  if (scopes->empty())
    return Error{ErrorCode::not_found, "no debug information for the code at " + hex(entry), entry};
  return std::move(scopes->back().variables);
}

std::vector<Variable> parameters_of(const ImageMap& images, const DwarfSource& dwarf,
                                    Address entry) {
  auto all = entry ? variables_of(images, dwarf, entry) : Result<std::vector<Variable>>({});
  if (!all) return {};
  std::erase_if(*all, [](const Variable& one) { return !one.parameter; });
  return *std::move(all);
}

/// The structure behind `_cgo_a`: a pointer to it in stubs for Go, itself in those for C.
Result<const Type*> block_of(const std::vector<Variable>& variables) {
  const auto found = std::ranges::find_if(variables, [](const Variable& one) {
    return !one.parameter && (one.name == kBlock || one.name == kBlockOfMalloc);
  });
  if (found == variables.end() || found->type == nullptr)
    return Error{ErrorCode::not_found, "the stub has no _cgo_a"};
  auto type = stripped(found->type);
  if (type && (*type)->kind() == TypeKind::pointer) {
    auto target = (*type)->target();
    if (!target) return std::move(target).error();
    type = stripped(*target);
  }
  if (type && (*type)->kind() != TypeKind::structure)
    return Error{ErrorCode::malformed_data, "_cgo_a is no structure"};
  return type;
}

/// Whether the Go side is known, and has neither parameters nor results: its stub has no block
/// then.
bool passes_nothing(const ImageMap& images, const DwarfSource& dwarf,
                    const CrossingPoint& crossing) {
  const auto go = variables_of(images, dwarf, crossing.entry);
  return go &&
         std::ranges::none_of(*go, [](const Variable& one) { return one.parameter || one.result; });
}

bool is_numbered(std::string_view name, char letter) {
  return name.size() > 1 && name[0] == letter &&
         std::ranges::all_of(name.substr(1), [](char c) { return c >= '0' && c <= '9'; });
}

void name_arguments(const std::vector<Variable>& c, const std::vector<Variable>& go,
                    CrossingShape& shape) {
  if (c.size() == shape.arguments.size())
    for (std::size_t i = 0; i < c.size(); ++i)
      if (!c[i].name.empty()) shape.arguments[i].name = c[i].name;
  std::size_t next = 0;
  for (const Variable& one : go) {
    if (one.type == nullptr) continue;
    if (!one.result && next < shape.arguments.size())
      shape.arguments[next++].go_type = go_type_text(*one.type);
    else if (one.result && shape.result && shape.result->go_type.empty())
      shape.result->go_type = go_type_text(*one.type);
  }
}

}  // namespace

std::string go_type_text(const Type& type) {
  std::string text = format_type(type);
  // "main._Ctype_int", behind any number of stars and brackets.
  constexpr std::string_view kMark = "._Ctype_";
  const std::size_t at = text.find(kMark);
  if (at == text.npos) return text;
  std::size_t begin = at;
  while (begin > 0 && text[begin - 1] != '*' && text[begin - 1] != ']') --begin;
  return text.substr(0, begin) + "C." + text.substr(at + kMark.size());
}

Result<CrossingShape> shape_of_call(const ImageMap& images, const DwarfSource& dwarf,
                                    const CrossingPoint& crossing) {
  const auto variables = variables_of(images, dwarf, crossing.stub);
  if (!variables) return variables.error();
  const auto block = block_of(*variables);
  if (!block && passes_nothing(images, dwarf, crossing)) return CrossingShape{};
  if (!block) return block.error();
  const auto members = (*block)->members();
  if (!members) return members.error();
  CrossingShape shape{.bytes = (*block)->bytes()};
  for (std::size_t i = 0; i < members->size(); ++i) {
    const TypeMember& member = (*members)[i];
    const bool argument = is_numbered(member.name, 'p');
    if (!argument && member.name != "r" && member.name != "r1") continue;  // Padding.
    const auto type = (*block)->member_type(i);
    if (!type) return type.error();
    CrossingPart part{std::string(member.name), std::string(member.name), *type, {}, member.offset};
    if (argument)
      shape.arguments.push_back(std::move(part));
    else
      shape.result = std::move(part);
  }
  name_arguments(parameters_of(images, dwarf, crossing.c.entry),
                 parameters_of(images, dwarf, crossing.entry), shape);
  return shape;
}

Result<std::vector<CrossingPart>> parameters_of_export(const ImageMap& images,
                                                       const DwarfSource& dwarf,
                                                       const CrossingPoint& crossing) {
  const auto variables = variables_of(images, dwarf, crossing.stub);
  if (!variables) return variables.error();
  std::vector<CrossingPart> out;
  for (const Variable& one : *variables) {
    if (!one.parameter) continue;
    if (one.type == nullptr)
      return one.error.value_or(Error{ErrorCode::not_found, "a parameter has no type"});
    out.push_back({.name = std::string(one.name), .type = one.type});
  }
  return out;
}

namespace {

std::uint64_t plain_bytes(const Type& type) {
  const auto plain = stripped(&type);
  return plain ? (*plain)->bytes() : 0;
}

/// Of C's types for Go's results: words of up to eight bytes, or structures of such.
std::uint64_t alignment_of(std::uint64_t bytes) {
  return bytes == 1 || bytes == 2 || bytes == 4 ? bytes : sizeof(std::uint64_t);
}

}  // namespace

Result<ExportResult> result_of_export(const ImageMap& images, const DwarfSource& dwarf,
                                      const CrossingPoint& crossing) {
  const auto variables = variables_of(images, dwarf, crossing.stub);
  if (!variables) return variables.error();
  const auto block = block_of(*variables);
  if (!block) return block.error();
  const auto members = (*block)->members();
  if (!members) return members.error();
  ExportResult out;
  for (std::size_t i = 0; i < members->size(); ++i) {
    if (!is_numbered((*members)[i].name, 'r')) continue;
    const auto type = (*block)->member_type(i);
    if (!type) return type.error();
    if (out.count++ == 0) out.type = *type;
    const std::uint64_t size = plain_bytes(**type), align = alignment_of(size);
    out.bytes = (out.bytes + align - 1) / align * align + size;
  }
  return out;
}

}  // namespace cgo
