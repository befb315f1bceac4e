#include <fmt/format.h>

#include <algorithm>

#include "values/closure_layout.h"
#include "values/value_reader.h"

namespace cgo {
namespace {

/// The type that the method of a method value has its receiver from: "main.(*T).Name-fm" has a *T,
/// "main.T.Name-fm" a T. Empty for what is no method value.
/// Source: src/cmd/compile/internal/ir/func.go, MethodSymSuffix.
std::string receiver_type_name(std::string_view function) {
  constexpr std::string_view kSuffix = "-fm";
  if (!function.ends_with(kSuffix)) return {};
  const std::size_t dot = function.rfind('.');
  if (dot == std::string_view::npos) return {};
  std::string out(function.substr(0, dot));
  // Types without a name of their own are in a package of the linker's.
  for (const std::string_view linker : {"go:", "go."})
    if (out.starts_with(linker)) return out.substr(linker.size());
  const std::size_t open = out.rfind(".(*");
  if (open == std::string::npos || !out.ends_with(')')) return out;
  return "*" + out.substr(0, open + 1) + out.substr(open + 3, out.size() - open - 4);
}

/// How each of the captured variables, which are in the order of their places, is held.
std::vector<Held> each_held(const ValueContext& context, Address closure,
                            const std::vector<CapturedVariable>& captured,
                            std::uint64_t closure_bytes) {
  constexpr auto kAnyRoom = ~std::uint64_t{0};
  std::vector<Held> out;
  for (std::size_t i = 0; i < captured.size(); ++i) {
    const std::uint64_t offset = captured[i].offset;
    const bool last = i + 1 == captured.size() || captured[i + 1].offset <= offset;
    const std::uint64_t behind = closure_bytes > offset ? closure_bytes - offset : kAnyRoom;
    const std::uint64_t room = last ? behind : captured[i + 1].offset - offset;
    out.push_back(captured[i].type == nullptr ? Held::unknown
                                              : how_held(context, closure, captured[i], room));
  }
  return out;
}

Value not_told(const CapturedVariable& variable, Address at) {
  Value out{.name = variable.name, .type_name = format_type(*variable.type)};
  out.error = Error{
      ErrorCode::not_found,
      "captured by value or by reference, which is not told: it, or its address, is at " + hex(at)};
  return out;
}

}  // namespace

/// A func value points at a word with the code's address, which the captured variables follow.
void ValueReader::read_function(Value& value, unsigned depth) {
  value.shape = Value::Shape::fields;
  auto closure = load_word(memory(), value.datum);
  if (!closure) {
    value.error = std::move(closure).error();
    return;
  }
  if (!*closure) {
    value.shape = Value::Shape::scalar;
    value.text = "nil";
    return;
  }
  auto code = cgo::read_pointer(memory(), *closure);
  if (!code) {
    value.error = std::move(code).error().in("func value");
    return;
  }
  const auto place = context_.place_of(*code);
  if (!place || place->offset != 0) {
    value.error = Error{ErrorCode::malformed_data, "it leads to no function", *code};
    return;
  }
  value.text = place->function;
  if (!place->file.empty()) value.text += fmt::format(" {}:{}", place->file, place->line);
  read_captured(value, *closure, *code, place->function, depth);
  if (value.children.empty()) value.shape = Value::Shape::scalar;
}

void ValueReader::read_captured(Value& value, Address closure, Address code,
                                const std::string& function, unsigned depth) {
  // What captures nothing is a constant of the program.
  if (context_.in_image(closure)) return;
  std::vector<CapturedVariable> captured;
  const std::string receiver = receiver_type_name(function);
  if (!receiver.empty()) {
    // Source: src/cmd/compile/internal/typecheck/func.go, MethodValueType.
    if (auto type = context_.type_named(receiver))
      captured.push_back({.name = "receiver", .type = *type, .offset = 8});
    else
      value.notes.push_back("the type of its receiver, " + receiver + ", is not known");
  } else {
    captured = context_.captured_variables(code);
  }
  const std::uint64_t bytes = receiver.empty() ? context_.closure_bytes(code) : 0;
  const std::vector<Held> held = each_held(context_, closure, captured, bytes);
  if (receiver.empty()) say_uncaptured(value, closure, captured, held, bytes);
  if (captured.empty()) return;
  if (depth == 0) {
    value.notes.push_back("cut: nested deeper than asked for");
    return;
  }
  const std::pair<Address, const Type*> here{closure, plain(value.datum.type)};
  if (!path_.insert(here).second) {
    value.notes.push_back("points back at a value that holds it");
    return;
  }
  for (std::size_t i = 0; i < captured.size(); ++i) {
    const CapturedVariable& variable = captured[i];
    const auto at = checked_add(closure, variable.offset);
    // The dictionary of a generic function is the compiler's.
    if (!at || variable.type == nullptr || variable.name.starts_with('.') || !may_read(value))
      continue;
    if (held[i] == Held::unknown) {
      value.children.push_back(not_told(variable, *at));
      continue;
    }
    Datum datum = datum_at(variable.type, *at);
    if (held[i] == Held::address) {
      auto target = cgo::read_pointer(memory(), *at);
      if (target) datum.address = *target;
    }
    value.children.push_back(read(variable.name, std::move(datum), depth - 1));
  }
  path_.erase(here);
}

/// Says which part of the closure nothing tells about: those that the compiler optimized out of the
/// function are in no debug information, but in the closure.
void ValueReader::say_uncaptured(Value& value, Address closure,
                                 const std::vector<CapturedVariable>& captured,
                                 const std::vector<Held>& held, std::uint64_t bytes) {
  constexpr GoVersion kFirstThatTells{23, 0};
  if (captured.empty()) {
    std::string note = context_.go_version() < kFirstThatTells
                           ? "what it captured is not known: before Go 1.23 only the code that "
                             "makes it on the heap tells"
                           : "what it captured is not in debug information";
    const AddressDescriber* describer = context_.describer();
    const auto object = describer != nullptr ? describer->describe(closure) : AddressDescription{};
    if (bytes > 8)
      note += fmt::format("; it has {} bytes", bytes - 8);
    else if (object.kind == AddressDescription::Kind::go_object && object.base == closure)
      note += fmt::format("; it has {} bytes at most", object.bytes - 8);
    value.notes.push_back(std::move(note));
    return;
  }
  if (std::any_of(captured.begin(), captured.end(), [](const auto& one) { return one.nameless; }))
    value.notes.push_back("the names of X0, X1 … are not in debug information");
  std::uint64_t end = 8, missing = 0;
  for (std::size_t i = 0; i < captured.size(); ++i) {
    const CapturedVariable& variable = captured[i];
    // Less may be padding.
    if (variable.offset >= end + 8) missing += variable.offset - end;
    const bool pointer = held[i] == Held::address || variable.type == nullptr;
    end = std::max(end, variable.offset + (pointer ? 8 : variable.type->bytes()));
  }
  if (bytes >= end + 8) missing += bytes - end;
  if (missing != 0)
    value.notes.push_back(
        fmt::format("holds {} bytes more that debug information does not name", missing));
}

}  // namespace cgo
