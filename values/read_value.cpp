#include <fmt/format.h>

#include "goruntime/type_descriptor.h"
#include "target/byte_view.h"
#include "values/cxx_containers.h"
#include "values/opaque_structure.h"
#include "values/quote.h"
#include "values/value_reader.h"
#include "values/wide_text.h"

namespace cgo {
namespace {

/// How deep values may nest whatever the limits say.
constexpr unsigned kDeepest = 100;

bool is_c_character(const Type* type) {
  const Type* bare = plain(type);
  if (bare->bytes() != 1 || bare->is_go()) return false;
  return bare->kind() == TypeKind::character;
}

/// A class without data, whose place in another one says nothing.
bool holds_nothing(const Type& type, int depth = 8) {
  if (type.is_go() || type.bytes() > 1 || depth == 0) return false;
  auto members = type.members();
  if (!members || !type.complete()) return false;
  for (std::size_t i = 0; i < members->size(); ++i) {
    const TypeMember& member = (*members)[i];
    if (member.is_static) continue;
    auto base = type.member_type(i);
    if (!member.base_class || !base || !holds_nothing(*plain(*base), depth - 1)) return false;
  }
  return true;
}

/// The name of the field of `type` at `offset`: "&P::y".
std::string member_at(const Type& type, std::uint64_t offset) {
  auto members = type.members();
  for (std::size_t i = 0; members && i < members->size(); ++i) {
    const TypeMember& member = (*members)[i];
    const bool named = !member.name.empty() && !member.is_static && member.bit_size == 0;
    if (named && member.offset == offset)
      return fmt::format("&{}::{}", format_type(type), member.name);
  }
  return "a member";
}

/// Source: Itanium C++ ABI, section 2.3: an offset, -1 for none; of a function its address, or one
/// more than its offset in the table of virtual functions, and what to add to `this`.
void read_member_pointer(const ValueContext& context, Value& value) {
  const Type& type = *plain(value.datum.type);
  auto word = load_word(context.memory(), value.datum);
  if (!word) {
    value.error = std::move(word).error();
    return;
  }
  auto target = type.target();
  if (target && kind_of(*target) == TypeKind::function) {
    const auto place = context.place_of(*word);
    if (!*word)
      value.text = "NULL";
    else if (word->value % 2 == 1)
      value.text = fmt::format("a virtual function, {} bytes into their table", word->value - 1);
    else
      value.text = hex(*word) + (place && place->offset == 0 ? " " + place->function : "");
    return;
  }
  auto of = type.member_type(0);
  if (word->value == ~std::uint64_t{0})
    value.text = "NULL";
  else
    value.text = fmt::format("{} (offset {})",
                             of ? member_at(*plain(*of), word->value) : "a member", word->value);
}

}  // namespace

Value read_value(const ValueContext& context, std::string name, Datum datum,
                 const ReadLimits& limits) {
  return ValueReader(context, limits)
      .read(std::move(name), std::move(datum), std::min(limits.depth, kDeepest));
}

std::uint64_t count_values(const Value& value) {
  std::uint64_t count = 1;
  for (const Value& child : value.children) count += count_values(child);
  for (const Value& key : value.keys) count += count_values(key);
  return count;
}

std::size_t unreadable_parts(const Value& value) {
  std::size_t count = value.unread;
  if (value.error && value.error->code == ErrorCode::unreadable_memory) ++count;
  for (const Value& child : value.children) count += unreadable_parts(child);
  for (const Value& key : value.keys) count += unreadable_parts(key);
  return count;
}

bool ValueReader::may_read(Value& parent) {
  constexpr std::uint64_t kBetweenQuestions = 64;
  if (!cancelled_ && values_ < limits_.values) {
    cancelled_ =
        values_ % kBetweenQuestions == 0 && limits_.cancelled != nullptr && (*limits_.cancelled)();
    ++values_;
    if (!cancelled_) return true;
  }
  const std::string note = cancelled_ ? std::string("cut: interrupted")
                                      : fmt::format("cut: {} values were read", limits_.values);
  if (parent.notes.empty() || parent.notes.back() != note) parent.notes.push_back(note);
  return false;
}

Value ValueReader::read(std::string name, Datum datum, unsigned depth) {
  Value value{.name = std::move(name), .datum = std::move(datum)};
  if (value.datum.type == nullptr) {
    value.error = Error{ErrorCode::not_found, "its type is not known"};
    return value;
  }
  value.type_name = format_type(*value.datum.type);
  const Type* const own = value.datum.type;
  if (const Type* c = c_type_of(*own)) value.datum.type = c;
  if (auto known = stripped(value.datum.type); !known) {
    value.error = std::move(known).error();
    return value;
  }
  prefetch(memory(), value.datum);
  read_kind(value, depth);
  if (!value.error && !limits_.raw) summarize_well_known(context_, value);
  // Expressions go on with the type that Go's source has.
  value.datum.type = own;
  return value;
}

const Type* ValueReader::c_type_of(const Type& type) {
  const auto [at, added] = c_types_.try_emplace(&type, nullptr);
  if (added) at->second = c_counterpart(context_, type);
  return at->second;
}

void ValueReader::read_kind(Value& value, unsigned depth) {
  const TypeKind kind = kind_of(value.datum.type);
  switch (kind) {
    case TypeKind::none:
      value.text = plain(value.datum.type)->name().find("nullptr") != std::string_view::npos
                       ? "nullptr"
                       : "void";
      return;
    case TypeKind::boolean:
    case TypeKind::character:
    case TypeKind::signed_integer:
    case TypeKind::unsigned_integer:
      return read_number(value, kind);
    case TypeKind::enumeration:
      return read_enumeration(value);
    case TypeKind::floating:
      return read_floating(value);
    case TypeKind::complex:
      return read_complex(value);
    case TypeKind::pointer:
    case TypeKind::reference:
      return read_pointer(value, depth);
    case TypeKind::structure:
    case TypeKind::class_type:
    case TypeKind::union_type:
      if (!read_container(value, depth)) read_structure(value, depth);
      return;
    case TypeKind::array:
      return read_array(value, depth);
    case TypeKind::function:
      if (value.datum.address) describe_address(value, *value.datum.address);
      return;
    case TypeKind::go_string:
      return read_go_string(value);
    case TypeKind::go_slice:
      return read_slice(value, depth);
    case TypeKind::go_map:
      return read_map(value, depth);
    case TypeKind::go_channel:
      return read_channel(value, depth);
    case TypeKind::go_interface:
      return read_interface(value, depth);
    case TypeKind::go_function:
      return read_function(value, depth);
    case TypeKind::member_pointer:
      return read_member_pointer(context_, value);
    case TypeKind::alias:
    case TypeKind::qualified:
      break;
  }
  value.error = Error{ErrorCode::unsupported, "values of this kind of type are not shown"};
}

void ValueReader::describe_address(Value& value, Address address) {
  if (!address) return;
  const AddressDescriber* describer = context_.describer();
  if (describer == nullptr) return;
  AddressDescription what = describer->describe(address);
  // Any small number may be in a uintptr.
  const bool number = kind_of(value.datum.type) == TypeKind::unsigned_integer;
  if (number && what.kind == AddressDescription::Kind::nothing) return;
  if (!what.text.empty()) value.text += " " + what.text;
  what.address = address;
  value.points_to = std::move(what);
}

void ValueReader::note_freed(Value& value, Address address) {
  const AddressDescriber* describer = context_.describer();
  if (describer == nullptr || limits_.raw) return;
  auto what = describer->freed_at(address);
  if (!what) return;
  value.notes.push_back("points to freed memory: " + what->text);
  what->address = address;
  value.points_to = std::move(*what);
}

void ValueReader::read_pointer(Value& value, unsigned depth) {
  value.shape = Value::Shape::pointer;
  const bool is_go = plain(value.datum.type)->is_go();
  auto address = load_word(memory(), value.datum);
  if (!address) {
    value.error = std::move(address).error();
    return;
  }
  if (!*address) {
    value.text = is_go ? "nil" : "NULL";
    return;
  }
  value.text = hex(*address);
  auto pointee = pointee_in(context_, value.datum);
  if (!pointee || kind_of(pointee->type) == TypeKind::function) {
    const auto place = context_.place_of(*address);
    if (place && place->offset == 0) {
      value.text += " " + place->function;
      value.points_to = AddressDescription{
          AddressDescription::Kind::code, place->function, *address, 0, {}, {}, *address};
    } else {
      describe_address(value, *address);
    }
    return;
  }
  note_freed(value, *address);
  const Type* const c_pointee = c_type_of(*pointee->type);
  if (is_c_character(c_pointee != nullptr ? c_pointee : pointee->type)) {
    auto text = load_c_text(memory(), *address, limits_.text_bytes);
    if (!text) {
      value.error = std::move(text).error();
      return;
    }
    value.text += " " + quoted(text->text);
    if (text->length > text->text.size())
      value.notes.push_back(fmt::format("cut after {} bytes", text->text.size()));
    return;
  }
  follow(value, *pointee, depth);
}

void ValueReader::follow(Value& value, const Datum& pointee, unsigned depth) {
  const std::pair<Address, const Type*> place{*pointee.address, plain(pointee.type)};
  if (path_.contains(place)) {
    value.notes.push_back("points back at a value that holds it");
    return;
  }
  if (depth == 0 || !may_read(value)) return;
  path_.insert(place);
  value.children.push_back(read("*", pointee, depth - 1));
  path_.erase(place);
}

void ValueReader::read_structure(Value& value, unsigned depth) {
  value.shape = Value::Shape::fields;
  const Type* type = plain(value.datum.type);
  if (!type->complete()) {
    value.error = Error{ErrorCode::not_found, "only declared, its definition is not known"};
    return;
  }
  auto members = type->members();
  if (!members) {
    value.error = std::move(members).error();
    return;
  }
  if (!limits_.raw && is_cxx_container(*type) && read_libstdcxx(value, depth)) return;
  if (depth == 0 && !members->empty()) {
    value.notes.push_back("cut: nested deeper than asked for");
    return;
  }
  std::uint64_t nameless = 0;
  for (std::size_t i = 0; i < members->size(); ++i) {
    const TypeMember& member = (*members)[i];
    if (member.name == "_" && is_made_by_cgo(*type)) {
      const auto gap = type->member_type(i);
      if (gap) nameless += plain(*gap)->bytes();
    }
    if (member.is_static || member.name == "_") continue;
    auto of = member.base_class ? type->member_type(i) : Error{};
    if (of && !limits_.raw && holds_nothing(*plain(*of))) continue;
    if (!may_read(value)) continue;
    const std::string name = of ? "<" + format_type(**of) + ">" : std::string(member.name);
    auto part = member_of(value.datum, i);
    if (part) {
      value.children.push_back(read(name, *std::move(part), depth - 1));
    } else {
      Value broken{.name = name};
      broken.error = std::move(part).error();
      value.children.push_back(std::move(broken));
    }
  }
  if (nameless != 0)
    value.notes.push_back(
        fmt::format("{} bytes of it have no field in Go: padding, or fields of C", nameless));
  // Go has a field without a name and size there.
  if (type->bytes() == 0 && is_made_by_cgo(*type))
    value.notes.push_back(
        "its fields are not known: Go has none, and no definition of C was found");
}

/// False: it is shown with its own fields, which is said.
bool ValueReader::read_libstdcxx(Value& value, unsigned depth) {
  auto done = read_cxx_container(*this, value, depth);
  if (done) return true;
  value.notes.push_back("shown by its fields: " + done.error().message);
  if (done.error().code == ErrorCode::unreadable_memory) ++value.unread;
  return false;
}

void ValueReader::read_array(Value& value, unsigned depth) {
  value.shape = Value::Shape::elements;
  const Type* type = plain(value.datum.type);
  auto element = type->target();
  if (!element) {
    value.error = std::move(element).error();
    return;
  }
  const auto length = type->length();
  if (!length) {
    // What C calls a flexible array: as many as its user knows of.
    value.text = "[]";
    if (value.datum.address) value.text += " at " + hex(*value.datum.address);
    if (type->has_length_in_frame()) value.notes.push_back("how many elements it has is not known");
    return;
  }
  value.length = *length;
  if (is_c_character(*element)) {
    const std::uint64_t shown = std::min(*length, limits_.text_bytes);
    auto bytes = load_part(memory(), value.datum, 0, shown);
    if (bytes) {
      const std::string_view text(reinterpret_cast<const char*>(bytes->data()), bytes->size());
      const std::size_t end = text.find('\0');
      // What follows the NUL is shown too, where it is not all zero.
      const bool zero_after = end != text.npos && text.find_first_not_of('\0', end) == text.npos;
      value.shape = Value::Shape::scalar;
      value.text = quoted(zero_after ? text.substr(0, end) : text);
      if (shown < *length)
        value.notes.push_back(fmt::format("cut after {} of {} bytes", shown, *length));
      return;
    }
  }
  read_elements(value, value.datum, *element, *length, depth);
}

void ValueReader::read_elements(Value& value, const Datum& first, const Type* type,
                                std::uint64_t count, unsigned depth) {
  if (count == 0) return;
  if (depth == 0) {
    value.notes.push_back("cut: nested deeper than asked for");
    return;
  }
  const std::uint64_t wanted = std::min(count, limits_.elements), bytes = type->bytes();
  std::uint64_t shown = 0;
  for (; shown < wanted && may_read(value); ++shown)
    value.children.push_back(
        read(fmt::format("[{}]", shown), part_of(first, type, shown * bytes), depth - 1));
  if (shown < count) value.notes.push_back(fmt::format("cut after {} of {}", shown, count));
}

}  // namespace cgo
