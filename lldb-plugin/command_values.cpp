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

ReadLimits limits_of(const CommandLine& line) {
  constexpr std::uint64_t kMost = std::uint64_t{1} << 32;
  ReadLimits limits;
  if (const auto depth = line.number("--depth"))
    limits.depth = static_cast<unsigned>(std::min<std::uint64_t>(*depth, 64));
  if (const auto elements = line.number("--elements")) {
    limits.elements = std::min(*elements, kMost);
    limits.values = std::max(limits.values, std::min(limits.elements * 16, kMost));
  }
  if (const auto bytes = line.number("--string")) limits.text_bytes = std::min(*bytes, kMost >> 8);
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

/// {"schema":"lldb-cgo/values/1","frame":{…},"values":[…]}
std::string values_json(const ValuePlace& place, const std::vector<Value>& values) {
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
  return out + "]}\n";
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
    note += ", with " + format_inline(held, kColumns);
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
  const ReadLimits limits = limits_of(line);
  std::vector<Value> values;
  for (const FrameVariable& variable : *variables) {
    if (variable.hidden && !limits.raw) continue;
    if (variable.parameter || variable.result ? !parameters : !locals) continue;
    values.push_back(value_of(place, variable, limits));
  }
  Answer answer;
  if (line.has("--json")) {
    answer.out = values_json(place, values);
  } else {
    answer.out = frame_line(place);
    for (const Value& value : values) answer.out += format_text(value);
    if (values.empty()) answer.out += std::string("0 ") + none + " found in this frame\n";
  }
  finish(answer, *place.stop);
  return answer;
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
    Answer answer = Answer::failed(std::move(failure));
    // The place is shown as it is: escaping would move the mark.
    if (lines != where.npos && !line.has("--json") && escaped(text) == text)
      answer.out = where.substr(lines + 1) + "\n";
    return answer;
  }
  const ReadLimits limits = limits_of(line);
  const Value value = line.has("--context")
                          ? read_context_chain(*place.context, text, *result.datum, limits)
                          : read_value(*place.context, text, *std::move(result.datum), limits);
  Answer answer;
  answer.out = line.has("--json") ? values_json(place, {value}) : format_text(value);
  finish(answer, *place.stop);
  return answer;
}

}  // namespace cgo
