#include "values/evaluator_walk.h"
#include "values/opaque_structure.h"

namespace cgo {

using Kind = Expression::Kind;

namespace {

/// A variable, or a constant of a package. Debug information calls constants without a type ints.
Operand named_operand(const MemoryReader& memory, Datum datum) {
  const bool is_constant = !datum.address && datum.holes.empty() && datum.type != nullptr &&
                           datum.type->is_go() && datum.bytes;
  if (is_constant && datum.type->name() == "int")
    if (auto number = load_number(memory, datum)) return Operand::of_constant(*number);
  Operand out = Operand::of(std::move(datum));
  out.constant = is_constant;
  return out;
}

}  // namespace

Result<Operand> EvaluatorWalk::name(const Tree& tree) {
  auto found = variable(tree.text);
  if (found) return Operand::of(*std::move(found));
  if (found.error().code != ErrorCode::not_found) return fail(tree, std::move(found).error());
  if (tree.text == "true" || tree.text == "false") return Operand::of_truth(tree.text == "true");
  if (tree.text == "nil" || tree.text == "NULL" || tree.text == "nullptr")
    return Operand{.kind = Operand::Kind::nil};
  if (type(tree)) {
    failed_at_.reset();
    return fail(tree, ErrorCode::malformed_data, "\"" + tree.text + "\" is a type, not a value");
  }
  failed_at_.reset();
  return fail(tree, unknown_name(tree.text));
}

/// A variable of the frame, then of its package: what hides a package of the same name.
std::optional<Result<Datum>> EvaluatorWalk::near_variable(const std::string& name) {
  if (scope_ == nullptr) return std::nullopt;
  auto local = scope_->variable(name);
  if (local || local.error().code != ErrorCode::not_found) return local;
  if (const std::string package = scope_->package(); !package.empty())
    if (auto found = context_.variable_named(package + "." + name)) return found;
  return std::nullopt;
}

/// A variable of the frame, then of its package, then of any C file.
Result<Datum> EvaluatorWalk::variable(const std::string& name) {
  if (auto near = near_variable(name)) return *std::move(near);
  auto found = context_.variable_named(name);
  if (found || found.error().code != ErrorCode::not_found) return found;
  // From C frames package main is meant: a name of C comes first.
  return context_.variable_named("main." + name);
}

Error EvaluatorWalk::unknown_name(const std::string& name) {
  std::string message = "no variable \"" + name + "\" here";
  const std::vector<std::string> names = scope_ ? scope_->names() : std::vector<std::string>();
  const std::vector<std::string> similar = similar_names(name, names);
  for (std::size_t i = 0; i < similar.size(); ++i)
    message += (i == 0 ? "; did you mean \"" : ", \"") + similar[i] + "\"";
  if (!similar.empty()) return {ErrorCode::not_found, message + "?"};
  constexpr std::size_t kMostNames = 12;
  for (std::size_t i = 0; i < names.size() && i < kMostNames; ++i)
    message += (i == 0 ? " (there are " : ", ") + names[i];
  if (names.empty()) return {ErrorCode::not_found, std::move(message)};
  return {ErrorCode::not_found, message + (names.size() > kMostNames ? ", …)" : ")")};
}

Result<Operand> EvaluatorWalk::field(const Tree& tree) {
  const Tree& left = *tree.parts[0];
  const bool may_qualify = left.kind == Kind::name || left.kind == Kind::string;
  if (may_qualify) {
    if (left.kind == Kind::name && !near_variable(left.text)) {
      auto qualified = package_variable(left.text, tree.text);
      if (qualified) return named_operand(memory(), *std::move(qualified));
      if (qualified.error().code != ErrorCode::not_found)
        return fail(tree, std::move(qualified).error());
    }
    auto known = left.kind == Kind::name ? variable(left.text)
                                         : Result<Datum>(Error{ErrorCode::not_found, ""});
    if (!known && known.error().code == ErrorCode::not_found) {
      auto qualified = context_.variable_named(left.text + "." + tree.text);
      if (qualified) return named_operand(memory(), *std::move(qualified));
      if (qualified.error().code != ErrorCode::not_found || left.kind == Kind::string)
        return fail(tree, std::move(qualified).error());
      // Neither a variable nor a package: what is said about the name alone helps more, unless the
      // name may well be that of a package.
      auto alone = name(left);
      if (!alone) {
        failed_at_.reset();
        Error error = std::move(alone).error();
        error.message += ", and no \"" + left.text + "." + tree.text + "\" in any package";
        return fail(left, std::move(error));
      }
    }
  }
  auto datum = value(left);
  if (!datum) return std::move(datum).error();
  for (int step = 0; step < 2; ++step) {
    const TypeKind kind = kind_of(datum->type);
    if (kind != TypeKind::pointer && kind != TypeKind::reference) break;
    auto target = pointee_in(context_, *datum);
    if (!target) return fail(tree, std::move(target).error());
    datum = std::move(target);
    // Go follows one pointer; a reference of C++ may be to a pointer.
    if (kind == TypeKind::pointer) break;
  }
  if (kind_of(datum->type) == TypeKind::go_interface) {
    auto held = dynamic_value(context_, *datum);
    std::string message = "an interface has no fields";
    if (held && *held)
      message += "; it holds " + format_type(*(*held)->type) + ": assert that first, .(" +
                 format_type(*(*held)->type) + ")";
    return fail(tree, ErrorCode::malformed_data, std::move(message));
  }
  auto found = field_of(memory(), *datum, tree.text);
  if (!found && found.error().code == ErrorCode::not_found)
    // Go has no fields for bit-fields of C.
    if (const Type* c = c_counterpart(context_, *datum->type)) {
      Datum whole = *datum;
      whole.type = c;
      if (auto of_c = field_of(memory(), whole, tree.text)) found = std::move(of_c);
    }
  auto member = at(tree, std::move(found));
  if (!member) return std::move(member).error();
  return Operand::of(*std::move(member));
}

/// The whole name of a type that is written without a package: a predeclared one, one of C, or one
/// of the frame's package.
std::string EvaluatorWalk::near_type(const std::string& name, const std::string& whole) {
  if (name == "any") return "interface {}";
  if (const Type* known = types_.predeclared(name)) return std::string(known->name());
  const std::string package = scope_ != nullptr ? scope_->package() : std::string();
  if (package.empty() || context_.type_named(whole)) return whole;
  const std::string own = package + "." + whole;
  return context_.type_named(own) ? own : whole;
}

/// The whole name of what Go's source calls C.name: cgo's type of the package, or C's own; empty
/// where there is neither.
std::string EvaluatorWalk::c_type(const std::string& name) const {
  const std::string made = "._Ctype_" + name;
  const std::string package = scope_ != nullptr ? scope_->package() : std::string();
  for (const std::string& whole : {(package.empty() ? "main" : package) + made, name})
    if (context_.type_named(whole)) return whole;
  for (const std::string_view tag : {"struct_", "union_", "enum_"}) {
    if (!name.starts_with(tag)) continue;
    std::string own = name;
    own[tag.size() - 1] = ' ';
    if (context_.type_named(own)) return own;
  }
  return {};
}

Result<std::string> EvaluatorWalk::type_name(const Tree& tree) {
  const auto part = [&](std::size_t i) { return type_name(*tree.parts[i]); };
  switch (tree.kind) {
    case Kind::name:
      return near_type(tree.text, tree.text);
    case Kind::string:  // An import path.
      return tree.text;
    case Kind::field: {
      if (tree.parts[0]->kind == Kind::name && tree.parts[0]->text == "C")
        if (std::string c = c_type(tree.text); !c.empty()) return c;
      if (tree.parts[0]->kind == Kind::name)
        return at(tree, package_type(tree.parts[0]->text, tree.text));
      auto left = part(0);
      if (!left) return left;
      return *left + "." + tree.text;
    }
    case Kind::dereference:
    case Kind::slice_type:
    case Kind::chan_type: {
      auto element = part(0);
      if (!element) return element;
      return (tree.kind == Kind::dereference  ? "*"
              : tree.kind == Kind::slice_type ? "[]"
                                              : "chan ") +
             *element;
    }
    case Kind::array_type: {
      auto element = part(1);
      if (!element) return element;
      return "[" + tree.parts[0]->text + "]" + *element;
    }
    case Kind::map_type: {
      auto key = part(0), element = part(1);
      if (!key) return key;
      if (!element) return element;
      return "map[" + *key + "]" + *element;
    }
    case Kind::interface_type:
      return std::string("interface {}");
    case Kind::struct_type:
      return tree.text.empty() ? "struct {}" : tree.text;
    case Kind::index: {
      std::string arguments;
      for (std::size_t i = 1; i < tree.parts.size(); ++i) {
        auto argument = part(i);
        if (!argument) return argument;
        arguments += (i == 1 ? "[" : ",") + *argument;
      }
      arguments += ']';
      const Tree& generic = *tree.parts[0];
      if (generic.kind == Kind::field && generic.parts[0]->kind == Kind::name)
        return at(tree, package_type(generic.parts[0]->text, generic.text + arguments));
      if (generic.kind == Kind::name) return near_type(generic.text, generic.text + arguments);
      auto name = part(0);
      if (!name) return name;
      return *name + arguments;
    }
    default:
      return fail(tree, ErrorCode::malformed_data, "a type is expected");
  }
}

Result<const Type*> EvaluatorWalk::type(const Tree& tree) {
  auto name = type_name(tree);
  if (!name) return std::move(name).error();
  if (const Type* known = types_.predeclared(*name)) return known;
  if (auto found = context_.type_named(*name)) return found;
  if (*name == "interface {}") return types_.interface_named(*name);
  if (auto made = made_type(tree)) return made;
  failed_at_.reset();
  return fail(tree, ErrorCode::not_found, "no type \"" + *name + "\"");
}

/// Pointers, slices and arrays of known types that the program itself has no description of.
Result<const Type*> EvaluatorWalk::made_type(const Tree& tree) {
  const bool array = tree.kind == Kind::array_type;
  if (tree.kind != Kind::dereference && tree.kind != Kind::slice_type && !array)
    return Error{ErrorCode::not_found, "no such type"};
  auto element = type(*tree.parts[array ? 1 : 0]);
  if (!element) return element;
  const bool is_go = plain(*element)->is_go();
  const std::string text = format_type(**element);
  if (tree.kind == Kind::dereference)
    return types_.pointer_to(*element, is_go ? "*" + text : text + " *", is_go);
  if (tree.kind == Kind::slice_type) return types_.slice_of(*element, "[]" + text);
  auto length = operand(*tree.parts[0]);
  if (!length) return std::move(length).error();
  auto number = number_of(memory(), *length);
  constexpr WideInteger kMost = WideInteger{1} << 40;
  const auto whole = number ? number->whole() : std::nullopt;
  if (!whole || *whole < 0 || *whole > kMost)
    return fail(*tree.parts[0], ErrorCode::malformed_data, "no length of an array");
  const auto count = static_cast<std::uint64_t>(*whole);
  return types_.array_of(*element, count, "[" + std::to_string(count) + "]" + text, is_go);
}

}  // namespace cgo
