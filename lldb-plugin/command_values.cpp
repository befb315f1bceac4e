#include <fmt/format.h>

#include <algorithm>

#include "lldb-plugin/value_place.h"
#include "unwind/format.h"
#include "values/context_chain.h"
#include "values/evaluate.h"
#include "values/format_value.h"
#include "values/frame_scope.h"

namespace cgo {
namespace {

ReadLimits limits_of(const CommandContext& context, const CommandLine& line) {
  ReadLimits limits = context.limits;
  if (const auto depth = line.number("--depth")) limits.set_depth(*depth);
  if (const auto elements = line.number("--elements")) limits.set_elements(*elements);
  if (const auto bytes = line.number("--string")) limits.set_text_bytes(*bytes);
  limits.raw = line.has("--raw");
  return limits;
}

std::string frame_line(const ValuePlace& place) {
  if (!place.has_frame()) return {};
  const Frame& frame = place.frame();
  std::string text =
      fmt::format("frame #{} {}", place.number,
                  frame.function.empty() ? hex(frame.pc.address) : escaped(frame.function));
  if (!frame.file.empty()) text += fmt::format(" at {}:{}", escaped(frame.file), frame.line);
  return text + "\n";
}

/// Warns of what the command did not come to. A pointer to nowhere is no such thing, unless memory
/// is known to be missing.
void finish_values(Answer& answer, CommandContext& context, const ValuePlace& place,
                   const std::vector<Value>& values, std::size_t all) {
  const std::size_t read = values.size();
  std::size_t unreadable = 0;
  for (const Value& value : values) unreadable += unreadable_parts(value);
  const bool lost = unreadable != 0 && context.activity.lost();
  if (lost || context.activity.cancelled())
    answer.warnings.push_back(cut_short(context.activity, read, all, "values"));
  else if (unreadable != 0 && !place.stop->provenance.lacks.empty())
    answer.warnings.push_back(
        fmt::format("{} parts of values are in memory that cannot be read", unreadable));
  finish(answer, *place.stop);
}

/// {"schema":"lldb-cgo/values/1","frame":{…},"values":[…]}
std::string values_json(const ValuePlace& place, const std::vector<Value>& values,
                        const Answer& answer, const std::optional<NamedValue>& named = {}) {
  std::string out = R"({"schema":"lldb-cgo/values/1","frame":)";
  if (place.has_frame())
    append_frame_json(out, place.frame(), place.number);
  else
    out += "null";
  out += ",\"values\":[";
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i != 0) out += ',';
    out += format_json(values[i]);
  }
  out += ']';
  if (named)
    out += fmt::format(R"(,"lldb":{{"name":{},"type":{}}})", json_string(named->name),
                       json_string(named->type));
  return out + partial_json(answer) + "}\n";
}

/// Whether nothing shows that something else lies there.
bool is_whole(const Value& value) {
  const bool damaged = std::ranges::any_of(
      value.notes, [](const std::string& note) { return note.starts_with("damaged"); });
  return !damaged && !value.error && value.unread == 0 &&
         std::ranges::all_of(value.children, is_whole) && std::ranges::all_of(value.keys, is_whole);
}

Value value_of(const ValuePlace& place, const FrameVariable& variable, const ReadLimits& limits) {
  Value value{.name = variable.name};
  if (variable.datum) {
    value = read_value(*place.context, variable.name, *variable.datum, limits);
  } else {
    if (variable.type != nullptr) value.type_name = format_type(*variable.type);
    value.error = variable.error.value_or(Error{ErrorCode::not_found, "its value is not known"});
  }
  std::string note = variable.note;
  // Never as the value: the slot may never have been written.
  if (variable.stale) {
    constexpr std::size_t kColumns = 60;
    const Value held = read_value(*place.context, variable.name, *variable.stale,
                                  {.depth = 1, .elements = 8, .text_bytes = 32});
    note += is_whole(held) ? ", with " + format_inline(held, kColumns)
                           : ", and that holds no such value: it was never written, or since then";
  }
  if (!note.empty()) value.notes.push_back(std::move(note));
  if (variable.shadowed)
    value.notes.push_back(fmt::format("shadowed; declared in line {}", variable.declared_line));
  if (variable.declared_later) value.notes.push_back("declared below the line that runs");
  return value;
}

Answer variables_answer(CommandContext& context, const CommandLine& line, bool parameters,
                        bool locals, const char* none) {
  FoundPlace found = find_value_place(context, line);
  if (!found.place) return Answer::failed(*std::move(found.failure));
  const ValuePlace& place = *found.place;
  const auto variables = place.variables();
  if (!variables)
    return Answer::failed({"no variables in this frame", variables.error().message,
                           "'cgo locals --frame N' looks at another; 'cgo bt' numbers them",
                           ExitStatus::no_target});
  ReadLimits limits = limits_of(context, line);
  const std::function<bool()> cancelled = [&] { return context.activity.cancelled(); };
  limits.cancelled = &cancelled;
  std::vector<Value> values;
  std::size_t all = 0;
  std::uint64_t room = kMostValues;
  for (const FrameVariable& variable : *variables) {
    if (variable.hidden && !limits.raw) continue;
    if (variable.parameter || variable.result ? !parameters : !locals) continue;
    ++all;
    if (cancelled()) continue;
    limits.values = std::min(limits.values, room);
    values.push_back(value_of(place, variable, limits));
    room -= std::min(room, count_values(values.back()));
  }
  Answer answer;
  if (room == 0)
    answer.warnings.push_back(fmt::format("cut: one answer has {} values at most", kMostValues));
  finish_values(answer, context, place, values, all);
  if (line.has("--json")) {
    answer.out = values_json(place, values, answer);
  } else {
    answer.out = frame_line(place);
    for (const Value& value : values) answer.out += format_text(value);
    if (all == 0) answer.out += std::string("0 ") + none + " found in this frame\n";
  }
  return answer;
}

/// What a debugger's name for a value stands for: a pointer is used as it is, anything else by its
/// address.
struct NamedPlace {
  const Type* type = nullptr;
  Address address;
};

Result<NamedPlace> place_to_name(const ValueContext& context, const Datum& datum) {
  if (kind_of(datum.type) == TypeKind::pointer) {
    const auto target = plain(datum.type)->target();
    if (target && plain(*target)->bytes() != 0) {
      auto to = load_word(context.memory(), datum);
      if (!to) return std::move(to).error();
      if (to->value == 0) return Error{ErrorCode::not_found, "it is a null pointer"};
      return NamedPlace{*target, *to};
    }
  }
  if (datum.bit_size != 0)
    return Error{ErrorCode::unsupported, "it is a bit-field, which has no address"};
  if (!datum.address)
    return Error{ErrorCode::not_found, "it is not in memory: in a register, or computed"};
  return NamedPlace{datum.type, *datum.address};
}

struct Naming {
  std::optional<NamedValue> named;
  std::optional<Failure> failure;
};

Naming name_in_debugger(CommandContext& context, const ValuePlace& place, const std::string& name,
                        const Datum& datum, unsigned depth) {
  const std::string what = "cannot name the value in LLDB";
  const auto at = place_to_name(*place.context, datum);
  if (!at)
    return {{},
            Failure{what, at.error().message, "only what lies in memory can have a name there",
                    ExitStatus::no_target}};
  auto named = context.naming->give(name, *place.context, *at->type, depth, at->address);
  if (!named)
    return {{},
            Failure{what, named.error().message, "another name: 'cgo print --lldb NAME EXPR'",
                    ExitStatus::no_target}};
  return {*std::move(named), {}};
}

/// How to go on with it: LLDB's own `p` does not work in frames of Go.
std::string named_text(const NamedValue& named, Language language) {
  const bool go = language == Language::go;
  const std::string part = named.fields ? "&" + named.name + "->FIELD" : named.name;
  return fmt::format("{0} is a {1} in LLDB:  {2} *{0}   watchpoint set expression {3}-- {4}\n",
                     named.name, named.type, go ? "expr -l c --" : "p", go ? "-l c " : "", part);
}

/// What follows the command's name; LLDB and shells have taken it apart at spaces.
std::string expression_of(const CommandLine& line) {
  std::string text;
  for (const std::string& word : line.positionals) text += (text.empty() ? "" : " ") + word;
  return text;
}

}  // namespace

Answer run_locals(CommandContext& context, const CommandLine& line) {
  return variables_answer(context, line, !line.has("--no-args"), true, "variables");
}

Answer run_args(CommandContext& context, const CommandLine& line) {
  return variables_answer(context, line, true, false, "arguments");
}

Answer run_print(CommandContext& context, const CommandLine& line) {
  const auto name = line.text("--lldb");
  if (name && context.naming == nullptr)
    return Answer::failed({"--lldb needs LLDB", "there are no expressions of LLDB to name it in",
                           "'cgo print --lldb NAME EXPR' inside LLDB, with the plugin loaded",
                           ExitStatus::bad_arguments});
  FoundPlace found = find_value_place(context, line);
  if (!found.place) return Answer::failed(*std::move(found.failure));
  const ValuePlace& place = *found.place;
  const auto variables = place.variables();
  const Language language = place.has_frame() ? place.frame().language : Language::unknown;
  const FrameScope scope(variables ? *variables : std::vector<FrameVariable>(), language,
                         place.has_frame() ? place.frame().function : std::string_view());
  const std::string text = expression_of(line);
  Evaluator evaluator(*place.context, &scope);
  Evaluation result = evaluator.evaluate(text);
  if (result.failure) {
    const std::string where = format_expression_error(text, *result.failure);
    const std::size_t lines = where.find('\n');
    Failure failure{"cannot evaluate", where.substr(0, lines), "", ExitStatus::no_target};
    if (!variables) failure.why += " (" + variables.error().message + ")";
    if (result.failure->error.code == ErrorCode::unreadable_memory)
      for (const std::string& lack : place.stop->provenance.lacks) failure.why += "; " + lack;
    Answer answer = Answer::failed(std::move(failure));
    // The place is shown as it is: escaping would move the mark.
    if (lines != where.npos && !line.has("--json") && escaped(text) == text)
      answer.out = where.substr(lines + 1) + "\n";
    return answer;
  }
  ReadLimits limits = limits_of(context, line);
  const std::function<bool()> cancelled = [&] { return context.activity.cancelled(); };
  limits.cancelled = &cancelled;
  std::vector<Value> values;
  values.push_back(line.has("--context")
                       ? read_context_chain(*place.context, text, *result.datum, limits)
                       : read_value(*place.context, text, *result.datum, limits));
  if (line.has("--context") && values[0].error)
    return Answer::failed({"cannot list the layers", values[0].error->message,
                           "without --context it is shown as any other value",
                           ExitStatus::no_target});
  std::optional<NamedValue> named;
  if (name) {
    Naming naming = name_in_debugger(context, place, *name, *result.datum, limits.depth);
    if (naming.failure) return Answer::failed(*std::move(naming.failure));
    named = std::move(naming.named);
  }
  Answer answer;
  finish_values(answer, context, place, values, 1);
  answer.out =
      line.has("--json") ? values_json(place, values, answer, named) : format_text(values[0]);
  if (named && !line.has("--json")) answer.out += named_text(*named, language);
  return answer;
}

}  // namespace cgo
