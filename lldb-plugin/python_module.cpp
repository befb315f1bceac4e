#include "lldb-plugin/python_module.h"

#include <cstdio>
#include <string>
#include <vector>

#include "lldb-plugin/embedded_python.h"
#include "lldb-plugin/goroutine_threads.h"
#include "lldb-plugin/native_frames.h"
#include "lldb-plugin/python_heap.h"
#include "lldb-plugin/python_support.h"
#include "lldb-plugin/target_watch.h"

namespace cgo {
namespace {

/// Python's lock, held.
class Gil {
 public:
  Gil() : state_(PyGILState_Ensure()) {}
  ~Gil() { PyGILState_Release(state_); }
  Gil(const Gil&) = delete;
  Gil& operator=(const Gil&) = delete;

 private:
  PyGILState_STATE state_;
};

bool words_from(PyObject* list, std::vector<std::string>& words) {
  const Py_ssize_t count = PySequence_Size(list);
  for (Py_ssize_t i = 0; i < count; ++i) {
    PyObject* item = PySequence_GetItem(list, i);
    if (item == nullptr) return false;
    PyObject* bytes = PyUnicode_AsUTF8String(item);
    Py_DecRef(item);
    if (bytes == nullptr) return false;
    words.emplace_back(PyBytes_AsString(bytes));
    Py_DecRef(bytes);
  }
  return count >= 0;
}

Answer run_words(Plugin& plugin, lldb::SBDebugger debugger, lldb::SBProcess process,
                 const std::vector<std::string>& words) {
  const Command* command = find_command(words.at(0), Host::lldb);
  if (command == nullptr)
    return Answer::failed({"nothing was run", unknown_command(words[0], Host::lldb).message, "",
                           ExitStatus::bad_arguments});
  const auto line = parse_command_line(*command, std::span(words).subspan(1), Host::lldb);
  if (!line)
    return Answer::failed({"nothing was run", line.error().message, "", ExitStatus::bad_arguments});
  return run_in_lldb(plugin, debugger, process, *line, false);
}

/// run(debugger, process, words) → (status, text, problems): a command of the table.
PyObject* py_run(PyObject* self, PyObject* arguments) {
  PyObject *of_debugger = nullptr, *of_process = nullptr, *list = nullptr;
  if (!PyArg_ParseTuple(arguments, "OOO:run", &of_debugger, &of_process, &list)) return nullptr;
  const auto* debugger = lldb_object<lldb::SBDebugger>(of_debugger);
  const auto* process = lldb_object<lldb::SBProcess>(of_process);
  if (debugger == nullptr || process == nullptr) return nullptr;
  std::vector<std::string> words;
  if (!words_from(list, words) || words.empty())
    return PyErr_Occurred() ? nullptr : Py_BuildValue("");
  Answer answer;
  {
    const WithoutGil let_go;
    answer = run_words(*plugin_behind(self), *debugger, *process, words);
  }
  std::string problems;
  if (answer.failure) problems = format_failure(words[0], *answer.failure);
  for (const std::string& warning : answer.warnings)
    problems += (problems.empty() ? "" : "\n") + warning;
  return Py_BuildValue("(iNN)", static_cast<int>(answer.status), text_of(answer.out),
                       text_of(problems));
}

PyObject* physical_list(const NativeStack& native) {
  PyObject* list = PyList_New(static_cast<Py_ssize_t>(native.physical.size()));
  for (std::size_t i = 0; list != nullptr && i < native.physical.size(); ++i)
    PyList_SetItem(
        list, static_cast<Py_ssize_t>(i),
        Py_BuildValue("(KK)", native.physical[i].pc.value, native.physical[i].cfa.value));
  return list;
}

/// Go's assembly too: what LLDB knows by a symbol only.
bool is_go(const Frame& frame) {
  return frame.language == Language::go ||
         (frame.language == Language::assembly && frame.file.ends_with(".s"));
}

PyObject* element_list(const NativeStack& native) {
  PyObject* list = PyList_New(static_cast<Py_ssize_t>(native.elements.size()));
  for (std::size_t i = 0; list != nullptr && i < native.elements.size(); ++i) {
    const NativeStack::Element& element = native.elements[i];
    const Frame& frame = element.frame;
    PyObject* fields = Py_BuildValue(
        "(nnKKNNIiiii)", static_cast<Py_ssize_t>(element.physical),
        static_cast<Py_ssize_t>(element.from_outermost), frame.pc.address.value,
        frame.pc.for_lookup().value, text_of(frame.function), text_of(frame.file), frame.line,
        frame.inlined ? 1 : 0, frame.tail_call ? 1 : 0, is_go(frame) ? 1 : 0, element.gap ? 1 : 0);
    PyList_SetItem(list, static_cast<Py_ssize_t>(i), fields);
  }
  return list;
}

/// take_registers(process, tid, innermost, handed_over): see native_frames.h.
PyObject* py_take_registers(PyObject* self, PyObject* arguments) {
  PyObject *of_process = nullptr, *of_frame = nullptr;
  unsigned long long tid = 0;
  int handed_over = 0;
  if (!PyArg_ParseTuple(arguments, "OKOi:take_registers", &of_process, &tid, &of_frame,
                        &handed_over))
    return nullptr;
  const auto* process = lldb_object<lldb::SBProcess>(of_process);
  const auto* frame = lldb_object<lldb::SBFrame>(of_frame);
  if (process == nullptr || frame == nullptr) return nullptr;
  {
    const WithoutGil let_go;
    take_registers(plugin_behind(self)->sessions, *process, tid, *frame, handed_over != 0);
  }
  return Py_BuildValue("");
}

/// native_stack(process, tid) → (program, complete, physical, elements), or None for LLDB's own.
PyObject* py_native_stack(PyObject* self, PyObject* arguments) {
  PyObject* of_process = nullptr;
  unsigned long long tid = 0;
  if (!PyArg_ParseTuple(arguments, "OK:native_stack", &of_process, &tid)) return nullptr;
  const auto* process = lldb_object<lldb::SBProcess>(of_process);
  if (process == nullptr) return nullptr;
  std::optional<NativeStack> native;
  {
    const WithoutGil let_go;
    native = native_stack(plugin_behind(self)->sessions, *process, tid);
  }
  if (!native) return Py_BuildValue("");
  const auto program = reinterpret_cast<std::uintptr_t>(native->stop->program.get());
  return Py_BuildValue("(KiNN)", static_cast<unsigned long long>(program), native->complete ? 1 : 0,
                       physical_list(*native), element_list(*native));
}

/// goroutine_threads(process) → [(tid, name, pc, sp, bp)].
PyObject* py_goroutine_threads(PyObject* self, PyObject* arguments) {
  PyObject* of_process = nullptr;
  if (!PyArg_ParseTuple(arguments, "O:goroutine_threads", &of_process)) return nullptr;
  const auto* process = lldb_object<lldb::SBProcess>(of_process);
  if (process == nullptr) return nullptr;
  std::vector<GoroutineThread> threads;
  {
    const WithoutGil let_go;
    threads = goroutine_threads(*plugin_behind(self), *process);
  }
  PyObject* list = PyList_New(static_cast<Py_ssize_t>(threads.size()));
  for (std::size_t i = 0; list != nullptr && i < threads.size(); ++i)
    PyList_SetItem(list, static_cast<Py_ssize_t>(i),
                   Py_BuildValue("(KNKKK)", static_cast<unsigned long long>(threads[i].tid),
                                 text_of(threads[i].name),
                                 static_cast<unsigned long long>(threads[i].pc.value),
                                 static_cast<unsigned long long>(threads[i].sp.value),
                                 static_cast<unsigned long long>(threads[i].bp.value)));
  return list;
}

void release_lock(PyObject* capsule) {
  delete static_cast<TargetLock*>(PyCapsule_GetPointer(capsule, nullptr));
}

/// lock(target number) → what holds the target's API lock while it lives; None, or False on LLDB's
/// own thread, when it cannot be had: see lock_for_provider.
PyObject* py_lock(PyObject*, PyObject* arguments) {
  unsigned long long number = 0;
  if (!PyArg_ParseTuple(arguments, "K:lock", &number)) return nullptr;
  std::unique_ptr<TargetLock> lock;
  {
    const WithoutGil let_go;
    lock = lock_for_provider(number);
  }
  if (lock) return PyCapsule_New(lock.release(), nullptr, release_lock);
  return on_thread_that_handles_stops() ? PyBool_FromLong(0) : Py_BuildValue("");
}

/// break_addresses(number, module) → file addresses of a breakpoint on crossings in a module.
PyObject* py_break_addresses(PyObject* self, PyObject* arguments) {
  PyObject* of_module = nullptr;
  unsigned long long number = 0;
  if (!PyArg_ParseTuple(arguments, "KO:break_addresses", &number, &of_module)) return nullptr;
  const auto* module = lldb_object<lldb::SBModule>(of_module);
  if (module == nullptr) return nullptr;
  std::vector<std::uint64_t> addresses;
  if (const auto known = plugin_behind(self)->breakpoints.find(number)) {
    const WithoutGil let_go;
    addresses = known->addresses(*module);
  }
  PyObject* list = PyList_New(static_cast<Py_ssize_t>(addresses.size()));
  for (std::size_t i = 0; list != nullptr && i < addresses.size(); ++i)
    PyList_SetItem(list, static_cast<Py_ssize_t>(i), PyLong_FromUnsignedLongLong(addresses[i]));
  return list;
}

/// break_arrived(number, frame, location) → (whether the process shall stop there, event for a
/// script).
PyObject* py_break_arrived(PyObject* self, PyObject* arguments) {
  PyObject *of_frame = nullptr, *of_location = nullptr;
  unsigned long long number = 0;
  if (!PyArg_ParseTuple(arguments, "KOO:break_arrived", &number, &of_frame, &of_location))
    return nullptr;
  const auto* frame = lldb_object<lldb::SBFrame>(of_frame);
  const auto* location = lldb_object<lldb::SBBreakpointLocation>(of_location);
  if (frame == nullptr || location == nullptr) return nullptr;
  const auto plugin = plugin_behind(self);
  const auto known = plugin->breakpoints.find(number);
  CrossingBreakpoint::Outcome outcome;
  if (known) {
    const WithoutGil let_go;
    outcome = known->arrived(plugin->sessions, *frame, *location);
  }
  return Py_BuildValue("(NN)", PyBool_FromLong(outcome.stops ? 1 : 0), text_of(outcome.event));
}

/// break_telling(target, words) → (LLDB's id, number) of a breakpoint whose arrivals a script
/// decides on, or a text that says why there is none.
PyObject* py_break_telling(PyObject* self, PyObject* arguments) {
  PyObject *of_target = nullptr, *list = nullptr;
  if (!PyArg_ParseTuple(arguments, "OO:break_telling", &of_target, &list)) return nullptr;
  const auto* target = lldb_object<lldb::SBTarget>(of_target);
  std::vector<std::string> words;
  if (target == nullptr || !words_from(list, words)) return nullptr;
  const auto plugin = plugin_behind(self);
  Result<SetBreakpoint> set = Error{};
  {
    const WithoutGil let_go;
    set = set_telling_breakpoint(*plugin, *target, words);
  }
  if (!set) return text_of(set.error().message);
  return Py_BuildValue("(iK)", static_cast<int>(set->lldb.GetID()),
                       static_cast<unsigned long long>(set->number));
}

/// break_summary(number) → a line of `breakpoint list`.
PyObject* py_break_summary(PyObject* self, PyObject* arguments) {
  unsigned long long number = 0;
  if (!PyArg_ParseTuple(arguments, "K:break_summary", &number)) return nullptr;
  const auto known = plugin_behind(self)->breakpoints.find(number);
  return text_of(known ? known->summary() : std::string());
}

PyMethodDef g_methods[] = {
    {"run", py_run, METH_VARARGS, nullptr},
    {"take_registers", py_take_registers, METH_VARARGS, nullptr},
    {"native_stack", py_native_stack, METH_VARARGS, nullptr},
    {"goroutine_threads", py_goroutine_threads, METH_VARARGS, nullptr},
    {"lock", py_lock, METH_VARARGS, nullptr},
    {"break_addresses", py_break_addresses, METH_VARARGS, nullptr},
    {"break_telling", py_break_telling, METH_VARARGS, nullptr},
    {"break_arrived", py_break_arrived, METH_VARARGS, nullptr},
    {"break_summary", py_break_summary, METH_VARARGS, nullptr},
    {"heap_take", py_heap_take, METH_VARARGS, nullptr},
    {"heap_about", py_heap_about, METH_VARARGS, nullptr},
    {"heap_blocks", py_heap_blocks, METH_VARARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

/// An empty module whose functions carry the plugin: no state of the module itself.
bool add_native_module(std::shared_ptr<Plugin> plugin) {
  PyObject* module = PyImport_AddModule(kNativeModule);  // Borrowed.
  if (module == nullptr) return false;
  auto* kept = new std::shared_ptr<Plugin>(std::move(plugin));  // As long as Python runs.
  PyObject* capsule = PyCapsule_New(kept, kNativeModule, nullptr);
  for (PyMethodDef* method = g_methods; capsule != nullptr && method->ml_name != nullptr;
       ++method) {
    PyObject* function = PyCFunction_NewEx(method, capsule, nullptr);
    if (function == nullptr || PyObject_SetAttrString(module, method->ml_name, function) != 0)
      return false;
    Py_DecRef(function);
  }
  return capsule != nullptr;
}

bool add_source_module(const EmbeddedPython& source) {
  const std::string origin = std::string("<lldb-cgo>/") + source.module + ".py";
  PyObject* code = Py_CompileString(source.text, origin.c_str(), Py_file_input);
  if (code == nullptr) return false;
  PyObject* module = PyImport_ExecCodeModule(source.module, code);
  Py_DecRef(code);
  if (module == nullptr) return false;
  Py_DecRef(module);
  return true;
}

bool module_is_loaded(const char* name) {
  return PyDict_GetItemString(PyImport_GetModuleDict(), name) != nullptr;
}

}  // namespace

bool add_python_modules(lldb::SBDebugger debugger, std::shared_ptr<Plugin> plugin) {
  if (&Py_IsInitialized == nullptr || Py_IsInitialized() == 0) return false;
  {
    const Gil gil;
    bool added = module_is_loaded(kNativeModule) || add_native_module(std::move(plugin));
    for (const EmbeddedPython& source : embedded_python())
      added = added && (module_is_loaded(source.module) || add_source_module(source));
    if (!added) {
      PyErr_Print();
      return false;
    }
  }
  // LLDB looks classes up in the namespace of a debugger's scripts, where they are not by
  // themselves.
  lldb::SBCommandReturnObject result;
  lldb::SBCommandInterpreter interpreter = debugger.GetCommandInterpreter();
  for (const EmbeddedPython& source : embedded_python())
    interpreter.HandleCommand((std::string("script import ") + source.module).c_str(), result,
                              false);
  interpreter.HandleCommand("script lldb_cgo._use_debugger(lldb.debugger)", result, false);
  return true;
}

int run_script(lldb::SBDebugger debugger, std::shared_ptr<Plugin> plugin, const CommandLine& line) {
  if (!add_python_modules(debugger, std::move(plugin))) {
    std::fprintf(stderr, "lldb-cgo script: no Python\n  why: this LLDB was built without it\n");
    return static_cast<int>(ExitStatus::no_target);
  }
  const Gil gil;
  PyObject* arguments = PyList_New(0);
  for (std::size_t i = 1; i < line.positionals.size(); ++i) {
    PyObject* text = text_of(line.positionals[i]);
    PyList_Append(arguments, text);
    Py_DecRef(text);
  }
  PyObject* module = PyImport_ImportModule("lldb_cgo");
  PyObject* lldb_module = PyImport_ImportModule("lldb");
  PyObject* type =
      lldb_module == nullptr ? nullptr : PyObject_GetAttrString(lldb_module, "SBDebugger");
  PyObject* of_debugger = type == nullptr ? nullptr
                                          : PyObject_CallMethod(type, "FindDebuggerWithID", "i",
                                                                static_cast<int>(debugger.GetID()));
  PyObject* status =
      module == nullptr || of_debugger == nullptr
          ? nullptr
          : PyObject_CallMethod(module, "_run_script", "sOO", line.positionals.at(0).c_str(),
                                arguments, of_debugger);
  if (status == nullptr) {
    PyErr_Print();
    return static_cast<int>(ExitStatus::no_target);
  }
  return static_cast<int>(PyLong_AsLong(status));
}

}  // namespace cgo
