#include "owners/typed_path.h"

#include <fmt/format.h>

#include <algorithm>

#include "goruntime/go_interface.h"
#include "owners/element_fit.h"
#include "owners/go_roots.h"

namespace cgo {
namespace {

constexpr std::size_t kMostSteps = 40;

/// The map that the runtime keeps values in such a structure for: "map[string]*main.T" of
/// "noalg.map.group[string]*main.T" and "bucket<string,*main.T>"; nothing for other types.
/// Source: src/cmd/compile/internal/reflectdata/map.go; src/cmd/link/internal/ld/dwarf.go.
std::optional<std::string> map_of(std::string_view name) {
  if (name.starts_with("noalg.")) name.remove_prefix(6);
  for (const std::string_view prefix : {"map.group[", "map.bucket["})
    if (name.starts_with(prefix)) return "map[" + std::string(name.substr(prefix.size()));
  for (const std::string_view prefix : {"group<", "bucket<"})
    if (name.starts_with(prefix) && name.ends_with('>')) {
      std::string inner(name.substr(prefix.size(), name.size() - prefix.size() - 1));
      const auto comma = inner.find(',');
      if (comma == std::string::npos) return std::nullopt;
      return "map[" + inner.substr(0, comma) + "]" + inner.substr(comma + 1);
    }
  return std::nullopt;
}

/// ".slots[3].elem.name" → "[…].name"; keys are told from values.
std::string cell_of(std::string_view path) {
  for (const std::string_view part : {".elems[", ".values[", ".keys[", ".elem", ".key"}) {
    const auto at = path.rfind(part);
    if (at == std::string_view::npos) continue;
    std::string_view rest = path.substr(at + part.size());
    if (part.ends_with('[')) rest = rest.substr(std::min(rest.size(), rest.find(']') + 1));
    return (part.starts_with(".key") ? "[key]" : "[…]") + std::string(rest);
  }
  return std::string(path);
}

std::string field_of(std::string_view path) {
  return std::string(path.starts_with('.') ? path.substr(1) : path);
}

}  // namespace

std::string type_and_field(const std::string& go_type, const std::string& field) {
  return go_type + (field.empty() ? "" : field.starts_with('[') ? field : "." + field);
}

std::string TypedPaths::element_text(std::uint64_t object, std::uint64_t offset) const {
  return fmt::format("({} bytes into an object of {} bytes)", offset,
                     go_.heap.element(object).bytes());
}

/// What the heap itself keeps.
TypedPaths::Content TypedPaths::own_type(std::uint64_t object) {
  const GcSpan* span = go_.heap.span_of(object);
  if (span == nullptr) return {};
  const auto descriptor = pointers_.pointers().type_of(*span, object - span->first_object);
  if (!descriptor || !*descriptor) return {};
  const auto type = types_.dynamic_type(**descriptor);
  if (!type) return {};
  const std::uint64_t header = pointers_.pointers().header_bytes(*span);
  const bool several = go_.heap.element(object).bytes() - header >= 2 * (*type)->bytes();
  return {*type, header, several};
}

TypedPaths::Found TypedPaths::find(const Content& content, std::uint64_t object,
                                   std::uint64_t offset) const {
  Found out{.text = element_text(object, offset)};
  if (content.type == nullptr || content.type->bytes() == 0) return out;
  const auto bytes = static_cast<std::int64_t>(content.type->bytes());
  const auto from_first =
      static_cast<std::int64_t>(offset) - static_cast<std::int64_t>(content.first);
  // Small values without pointers share an element: only one of them is known.
  // Source: src/runtime/malloc.go, mallocgcTiny.
  const GcSpan* span = go_.heap.span_of(object);
  const bool shared = span != nullptr && span->without_pointers() && span->element_bytes == 16;
  if (shared && !content.counted && (from_first < 0 || from_first >= bytes)) return out;
  const std::int64_t within = (from_first % bytes + bytes) % bytes;
  const std::int64_t index = (from_first - within) / bytes;
  auto place = word_in(*content.type, static_cast<std::uint64_t>(within));
  if (!place) return out;
  out.text = (content.counted || index != 0 ? fmt::format("[{}]", index) : "") + place->path;
  out.place = *std::move(place);
  return out;
}

/// What the data word of the interface at `at` leads to; null when that is not known.
const Type* TypedPaths::held_by_interface(const Type& interface, Address at) const {
  const auto empty = types_.is_empty_interface(interface);
  const auto words = read_bytes(go_.memory(), at, 16, 16);
  if (!empty || !words) return nullptr;
  const auto contents = decode_interface(go_.memory(), *words, *empty);
  if (!contents || !*contents) return nullptr;
  const auto type = types_.dynamic_type((*contents)->type.address);
  if (!type) return nullptr;
  if (!(*contents)->direct()) return *type;
  // The word is the value itself, which is a pointer.
  const auto place = word_in(**type, 0);
  const auto target = place ? behind_word(*place) : Result<const Type*>(place.error());
  return target ? *target : nullptr;
}

/// What the word at `word` says of the object that it leads to.
TypedPaths::Content TypedPaths::behind(const WordPlace& place, Address word, std::uint64_t object) {
  const auto value = read_pointer(go_.memory(), word);
  if (!value) return {};
  const Address begin = go_.heap.element(object).begin;
  const Type* type = nullptr;
  if (place.type->kind() == TypeKind::go_interface && place.offset == 8)
    type = held_by_interface(*place.type, {word.value - 8});
  else if (const auto target = behind_word(place))
    type = *target;
  if (type == nullptr || type->bytes() == 0 || *value < begin) return {};
  return {type, value->value - begin.value, place.type->kind() == TypeKind::go_slice};
}

TypedPaths::Found TypedPaths::variable(const GoRoot& root, TypedWord& out) const {
  const ElfSymbol* symbol = data_symbol(go_.debuggee.images(), root.at);
  Found found{.text = format_root(go_, root)};
  if (root.kind != RootKind::global || symbol == nullptr) return found;
  const auto variable = types_.variable_named(symbol->name);
  if (!variable || !variable->address || variable->type == nullptr) return found;
  if (root.at < *variable->address) return found;
  auto place = word_in(*variable->type, root.at.value - variable->address->value);
  if (!place) return found;
  found.text = std::string(symbol->name) + place->path;
  out.go_type = format_type(*variable->type);
  out.field = field_of(place->path);
  found.place = *std::move(place);
  return found;
}

TypedWord TypedPaths::of_root(const GoRoot& root) {
  TypedWord out;
  const Found found = variable(root, out);
  out.path.push_back(found.text);
  if (found.place) out.word_type = format_type(*found.place->type);
  return out;
}

/// Where the type of what holds an object is not known, the word in front of the one that leads to
/// it may be the first of an interface: one that leads to a type with a pointer to the very begin
/// of an object of its size.
TypedPaths::Content TypedPaths::held_by_some_interface(Address word, std::uint64_t object) const {
  const auto value = read_pointer(go_.memory(), word);
  const auto words = read_bytes(go_.memory(), {word.value - 8}, 16, 16);
  const AddressRange element = go_.heap.element(object);
  if (!value || !words || *value != element.begin) return {};
  for (const bool empty : {false, true}) {
    const auto contents = decode_interface(go_.memory(), *words, empty);
    if (!contents || !*contents || !in_types((*contents)->type.address)) continue;
    const auto type = types_.dynamic_type((*contents)->type.address);
    const auto place = type && (*contents)->direct()
                           ? word_in(**type, 0)
                           : Result<WordPlace>(Error{ErrorCode::not_found, "no pointer"});
    const auto target = place ? behind_word(*place) : Result<const Type*>(place.error());
    if (target && fits_element((*target)->bytes(), element.bytes())) return {*target, 0, false};
  }
  return {};
}

bool TypedPaths::in_types(Address descriptor) const {
  return std::ranges::any_of(go_.runtime.parts().modules, [&](const auto& module) {
    return module->tables().types.contains(descriptor);
  });
}

/// What lies in the element that the word at `word`, which is `from`, leads to.
TypedPaths::Content TypedPaths::content_at(const Found& from, Address word, std::uint64_t object) {
  Content content = from.place ? behind(*from.place, word, object) : Content{};
  if (content.type == nullptr) content = own_type(object);
  return content.type != nullptr || from.place ? content : held_by_some_interface(word, object);
}

/// Found on the way down from the nearest object whose content is known, and kept.
const TypedPaths::Content& TypedPaths::content_of(std::uint64_t object) {
  std::vector<std::pair<std::uint64_t, HolderPaths::Link>> above;
  auto known = contents_.find(object);
  while (known == contents_.end()) {
    const auto link = paths_.above(object);
    if (!link) {
      known = contents_.emplace(object, own_type(object)).first;
      break;
    }
    above.emplace_back(object, *link);
    if (link->root != nullptr) break;
    object = link->holder->object;
    known = contents_.find(object);
  }
  for (; !above.empty(); above.pop_back()) {
    const auto& [held, link] = above.back();
    Found from;
    Address word;
    TypedWord unused;
    if (link.root != nullptr) {
      from = variable(*link.root, unused);
      word = link.root->at;
    } else {
      from = find(known->second, link.holder->object, link.holder->offset);
      word = {go_.heap.element(link.holder->object).begin.value + link.holder->offset};
    }
    known = contents_.insert_or_assign(held, content_at(from, word, held)).first;
  }
  return known->second;
}

TypedWord TypedPaths::in_object(std::uint64_t object, std::uint64_t offset) {
  TypedWord out;
  const Content& content = content_of(object);
  const Found found = find(content, object, offset);
  out.path.push_back(found.text);
  if (content.type == nullptr) return out;
  out.go_type = format_type(*content.type);
  out.field = found.place ? field_of(found.place->path) : found.text;
  if (const auto map = map_of(out.go_type)) {
    out.go_type = *map;
    out.field = cell_of(out.field);
  }
  if (found.place) out.word_type = format_type(*found.place->type);
  return out;
}

TypedWord TypedPaths::of_object(std::uint64_t object, std::uint64_t offset) {
  TypedWord out = in_object(object, offset);
  const auto way = paths_.to(object, kMostSteps);
  if (!way) return out;
  TypedWord unused;
  std::vector<std::string> path{variable(way->root, unused).text};
  if (way->left_out != 0) path.push_back(fmt::format("({} more objects)", way->left_out));
  for (const Holder& holder : way->holders)
    path.push_back(find(content_of(holder.object), holder.object, holder.offset).text);
  path.push_back(std::move(out.path.back()));
  out.path = std::move(path);
  return out;
}

}  // namespace cgo
