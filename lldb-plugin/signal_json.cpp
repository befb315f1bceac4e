#include <fmt/format.h>

#include "lldb-plugin/signal_report.h"
#include "unwind/format.h"

namespace cgo {
namespace {

using Action = SignalRow::Action;
using Certainty = SignalRow::Certainty;
using Owner = SignalRow::Owner;
using StackKind = ThreadSignalRow::StackKind;

const char* action_name(Action action) {
  switch (action) {
    case Action::unknown:
      return "null";
    case Action::by_default:
      return R"("default")";
    case Action::ignored:
      return R"("ignored")";
    case Action::handler:
      return R"("handler")";
  }
  return "null";
}

const char* certainty_name(Certainty certainty) {
  if (certainty == Certainty::none) return "null";
  return certainty == Certainty::exact ? R"("exact")" : R"("noted")";
}

const char* owner_name(const SignalRow& row) {
  if (row.owner == Owner::unknown) return "null";
  return row.owner == Owner::go ? R"("go")" : R"("other")";
}

template <class List, class Format>
std::string array(const List& list, const Format& format) {
  std::string out = "[";
  for (const auto& one : list) out += (out.size() == 1 ? "" : ",") + format(one);
  return out + "]";
}

std::string set_json(const std::optional<SignalSet>& set) {
  if (!set) return "null";
  return array(signals_in(*set), [](int number) { return json_string(signal_name(number)); });
}

std::string place_json(const std::optional<FunctionPlace>& place) {
  if (!place) return "null";
  const auto text = [](const std::string& part) {
    return part.empty() ? std::string("null") : json_string(part);
  };
  return fmt::format(R"({{"address":"{}","function":{},"module":{},"file":{},"line":{}}})",
                     hex(place->address), text(place->function), text(place->module),
                     text(place->file), place->file.empty() ? 0 : place->line);
}

const char* known(const std::optional<bool>& value) {
  if (!value) return "null";
  return *value ? "true" : "false";
}

std::string note_json(const GoSignalNote& one) {
  const char* found = !one.note.found              ? "null"
                      : one.note.found->value == 0 ? R"("default")"
                      : one.note.found->value == 1 ? R"("ignored")"
                                                   : R"("handler")";
  return fmt::format(
      R"({{"runtime":{},"handling":{},"found":{},"found_handler":{},"forwards":{},"notify":{},)"
      R"("ignored":{}}})",
      one.runtime, one.note.handling, found, place_json(one.found), one.note.forwards,
      known(one.note.notify), known(one.note.ignored));
}

std::string signal_json(const SignalRow& row) {
  std::string out = fmt::format(
      R"({{"number":{},"name":{},"action":{},"owner":{},"certainty":{},"runtime":{},)"
      R"("handler":{},)",
      row.number, json_string(signal_name(row.number)), action_name(row.action), owner_name(row),
      certainty_name(row.certainty), row.go_runtime ? std::to_string(*row.go_runtime) : "null",
      place_json(row.handler));
  if (row.kernel) {
    const auto quoted = [](const std::string& text) { return json_string(text); };
    out +=
        fmt::format(R"("flags":{},"mask":{},"restorer":{},"on_stack":{},)",
                    array(signal_action_flags(row.kernel->flags), quoted),
                    set_json(row.kernel->mask), place_json(row.restorer), row.kernel->on_stack());
  }
  return out + fmt::format(R"("breaks_go":{},"blocked_in_go":{},"replaced":{},"go":{}}})",
                           row.kernel ? (row.breaks_go ? "true" : "false") : "null",
                           row.blocked_in_go, row.replaced, array(row.notes, note_json));
}

std::string stack_json(const ThreadSignalRow& row) {
  if (row.stack_kind == StackKind::none)
    return fmt::format(R"({{"kind":"none","certainty":{}}})", certainty_name(row.stack_certainty));
  if (row.stack.empty())
    return fmt::format(R"({{"kind":null,"certainty":null,"why":{}}})", json_string(row.why));
  const char* kind = row.stack_kind == StackKind::unknown ? "null"
                     : row.stack_kind == StackKind::go    ? R"("go")"
                                                          : R"("other")";
  return fmt::format(
      R"({{"kind":{},"certainty":{},"base":"{}","bytes":{},"what":{},"on_it_now":{}}})", kind,
      certainty_name(row.stack_certainty), hex(row.stack.begin), row.stack.bytes(),
      json_string(row.stack_text), row.on_stack);
}

std::string thread_json(const ThreadSignalRow& row) {
  return fmt::format(
      R"({{"index":{},"tid":{},"name":{},"runtime":{},"machine":{},"got":{},"blocked":{},"pending":{},)"
      R"("alternate_stack":{}}})",
      row.thread.index, row.thread.tid, json_string(row.thread.name),
      row.runtime ? std::to_string(*row.runtime) : "null",
      row.machine ? std::to_string(*row.machine) : "null",
      row.got ? json_string(signal_name(*row.got)) : "null", set_json(row.signals.blocked),
      set_json(row.signals.pending), stack_json(row));
}

}  // namespace

std::string signals_json(const SignalReport& report) {
  return fmt::format(R"("asked":{},"runtimes":{},"signals":{},"process_pending":{},"threads":{})",
                     report.asked ? std::to_string(report.asked_in) : "null",
                     array(report.runtimes,
                           [](const GoRuntime* one) {
                             return fmt::format(R"({{"version":{},"module":{}}})",
                                                json_string(one->parts().version_text),
                                                json_string(one->parts().image_path));
                           }),
                     array(report.signals, signal_json), set_json(report.process_pending),
                     array(report.threads, thread_json));
}

}  // namespace cgo
