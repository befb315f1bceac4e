// frame-values CORE [EXE]: the variables of every frame of the deepest stack of a core, as JSON: an
// array of frames.
#include <iostream>
#include <nlohmann/json.hpp>

#include "lldb-plugin/core_subject.h"
#include "values/format_value.h"
#include "values/frame_variables.h"
#include "values/program_context.h"

namespace {

using namespace cgo;
using nlohmann::json;

json as_json(const FrameVariable& variable, const ValueContext& context) {
  json out{{"name", variable.name},         {"parameter", variable.parameter},
           {"result", variable.result},     {"escaped", variable.escaped},
           {"shadowed", variable.shadowed}, {"later", variable.declared_later},
           {"hidden", variable.hidden}};
  if (variable.type != nullptr) out["type"] = format_type(*variable.type);
  if (!variable.note.empty()) out["note"] = variable.note;
  if (variable.error) out["error"] = variable.error->message;
  if (variable.datum)
    out["value"] =
        json::parse(format_json(read_value(context, variable.name, *variable.datum, {.depth = 4})));
  return out;
}

json as_json(const Frame& frame, const FrameSource& source,
             const std::vector<StackElement>& elements, std::size_t index,
             const ValueContext& context) {
  json out{{"function", frame.function},
           {"language", format_language(frame.language)},
           {"line", frame.line},
           {"inlined", frame.inlined},
           {"tail_call", frame.tail_call}};
  const auto position = position_of(elements, index);
  auto variables = position ? frame_variables(source, *position) : std::move(position).error();
  if (!variables) {
    out["error"] = variables.error().message;
    return out;
  }
  out["variables"] = json::array();
  for (const FrameVariable& variable : *variables)
    out["variables"].push_back(as_json(variable, context));
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const auto subject = open_core_subject(argv[1], argc > 2 ? argv[2] : "");
  auto stop = subject ? (*subject)->stop() : std::move(subject).error();
  if (!stop) {
    std::cerr << stop.error().message << '\n';
    return 1;
  }
  const Program& program = *(*stop)->program;
  const Debuggee& debuggee = *(*stop)->debuggee;
  std::optional<Unwinder::ThreadWalk> longest;
  for (const ThreadInfo& thread : debuggee.threads()) {
    auto walk = (*stop)->unwinder->thread(thread.tid);
    if (!longest || walk.walk.elements.size() > longest->walk.elements.size())
      longest = std::move(walk);
  }
  if (!longest) return 1;
  const ProgramContext context({.memory = &debuggee.memory(),
                                .images = program.images.get(),
                                .runtimes = &program.runtimes,
                                .dwarf = program.dwarf});
  const FrameSource source{.memory = &debuggee.memory(),
                           .images = program.images.get(),
                           .dwarf = program.dwarf,
                           .walk = &longest->walk};
  const auto elements = program.symbolizer->symbolize(longest->walk);
  json out = json::array();
  for (std::size_t i = 0; i < elements.size(); ++i)
    if (const auto* frame = std::get_if<Frame>(&elements[i]))
      out.push_back(as_json(*frame, source, elements, i, context));
  std::cout << out.dump(-1, ' ', false, json::error_handler_t::replace) << '\n';
  return 0;
}
