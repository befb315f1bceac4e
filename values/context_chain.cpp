#include "values/context_chain.h"

#include <algorithm>
#include <set>

#include "values/error_text.h"
#include "values/evaluate.h"
#include "values/quote.h"

namespace cgo {
namespace {

constexpr std::size_t kLongest = 1000;

/// What the types of package context add. Source: src/context/context.go, Go 1.19 to 1.27.
std::string_view addition(std::string_view type) {
  if (type == "context.valueCtx") return "value";
  if (type == "context.cancelCtx") return "cancel";
  if (type == "context.timerCtx") return "deadline";
  if (type == "context.afterFuncCtx") return "AfterFunc";
  if (type == "context.withoutCancelCtx") return "WithoutCancel";
  if (type == "context.stopCtx") return "stop";
  if (type == "context.backgroundCtx") return "background";
  if (type == "context.todoCtx") return "TODO";
  if (type == "context.emptyCtx") return "background or TODO";  // Up to 1.20.
  return "custom";
}

class ChainReader {
 public:
  ChainReader(const ValueContext& context, const ReadLimits& limits)
      : context_(context), limits_(limits) {}

  /// Reads one layer; `next` becomes the context that it was made from.
  Value layer(std::string name, Datum interface, std::optional<Datum>& next) {
    next.reset();
    Value out{.name = std::move(name), .datum = interface, .type_name = "context.Context"};
    auto held = dynamic_value(context_, interface);
    if (!held) {
      out.error = std::move(held).error();
      return out;
    }
    if (!*held) {
      out.text = "nil";
      return out;
    }
    out.type_name = format_type(*(*held)->type);
    Datum datum = **std::move(held);
    if (kind_of(datum.type) == TypeKind::pointer) {
      auto target = pointee_of(memory(), datum);
      if (!target) {
        out.error = std::move(target).error();
        return out;
      }
      datum = *std::move(target);
    }
    out.datum = datum;
    out.shape = Value::Shape::fields;
    const std::string type(datum.type->name());
    std::string_view kind = addition(type);
    if (type == "context.emptyCtx")
      kind = empty_context(context_, datum.address.value_or(Address{}));
    out.text = std::string(kind) + " (" + out.type_name + ")";
    if (!is_new(datum)) {
      out.error = Error{ErrorCode::malformed_data, "the chain goes in a circle"};
      return out;
    }
    for (const char* field : {"key", "val", "deadline"})
      if (kind != "custom")
        if (auto part = own_field_of(datum, field)) add(out, field, *part);
    if (kind == "cancel" || kind == "deadline" || kind == "AfterFunc") add_cancellation(out, datum);
    next = parent_of(datum, kind, out);
    return out;
  }

 private:
  const MemoryReader& memory() const { return context_.memory(); }

  bool is_new(const Datum& datum) {
    return !datum.address || datum.type->bytes() == 0 || seen_.insert(*datum.address).second;
  }

  void add(Value& out, std::string name, const Datum& part) {
    out.children.push_back(read_part(name == "val" ? "value" : name, part));
  }

  Value read_part(std::string name, const Datum& part) {
    limits_.values = std::min(limits_.values, room_);
    Value value = read_value(context_, std::move(name), part, limits_);
    room_ -= std::min(room_, count_values(value));
    return value;
  }

  /// `err` is an error, and an atomic.Value that holds one in later releases.
  void add_cancellation(Value& out, const Datum& datum) {
    auto error = field_of(memory(), datum, "err");
    if (error && kind_of(error->type) == TypeKind::structure) error = own_field_of(*error, "v");
    auto held = error ? dynamic_value(context_, *error) : std::move(error).error();
    if (!held) {
      out.error = Error(held.error()).in("whether it is cancelled");
      return;
    }
    out.text += *held ? ", cancelled" : ", not cancelled";
    if (!*held) return;
    add_error(out, "error", *error);
    auto cause = field_of(memory(), datum, "cause");
    if (!cause) return;  // Up to Go 1.19 there is none.
    const auto word = load_word(memory(), *cause);
    if (!word || *word) add_error(out, "cause", *cause);
  }

  void add_error(Value& out, std::string name, const Datum& interface) {
    Value part = read_part(std::move(name), interface);
    if (const ErrorText error = error_text(context_, interface); error.text && !part.error)
      part.summary = quoted(*error.text);
    out.children.push_back(std::move(part));
  }

  std::optional<Datum> parent_of(const Datum& datum, std::string_view kind, Value& out) const {
    if (kind == "background" || kind == "TODO" || kind == "background or TODO") return std::nullopt;
    auto parent =
        kind == "WithoutCancel" ? own_field_of(datum, "c") : field_of(memory(), datum, "Context");
    if (parent && kind_of(parent->type) == TypeKind::go_interface) return *parent;
    out.notes.emplace_back("what it was made from is not known");
    return std::nullopt;
  }

  const ValueContext& context_;
  ReadLimits limits_;
  std::uint64_t room_ = kMostValues;
  std::set<Address> seen_;
};

}  // namespace

std::string_view empty_context(const ValueContext& context, Address at) {
  for (const std::string_view name : {"background", "todo"}) {
    auto variable = context.variable_named("context." + std::string(name));
    auto word = variable ? load_word(context.memory(), *variable) : std::move(variable).error();
    if (word && *word && *word == at) return name == "todo" ? "TODO" : name;
  }
  return "background or TODO";
}

Value read_context_chain(const ValueContext& context, std::string name, const Datum& interface,
                         const ReadLimits& limits) {
  Value out{.name = std::move(name),
            .datum = interface,
            .type_name = format_type(*interface.type),
            .shape = Value::Shape::elements};
  if (kind_of(interface.type) != TypeKind::go_interface) {
    out.error = Error{ErrorCode::unsupported, out.type_name + " is no context.Context"};
    return out;
  }
  ChainReader reader(context, limits);
  std::optional<Datum> next = interface;
  while (next && out.children.size() < kLongest)
    out.children.push_back(reader.layer(std::to_string(out.children.size()), *next, next));
  if (next) out.notes.push_back("only " + std::to_string(kLongest) + " layers are shown");
  if (!next) out.length = out.children.size();
  out.text = out.children.size() == 1 ? "1 layer" : std::to_string(out.children.size()) + " layers";
  if (next) out.text = "over " + out.text;
  return out;
}

}  // namespace cgo
