#include "lldb-plugin/python_heap.h"

#include <fmt/format.h>

#include "lldb-plugin/heap_command.h"
#include "lldb-plugin/python_support.h"
#include "owners/heap_report.h"
#include "unwind/format.h"

namespace cgo {
namespace {

constexpr const char* kCapsule = "_lldb_cgo.heap";

/// A snapshot, for as long as a script has it. What it says is read when it is asked for: only
/// while the process is where it was.
struct KeptHeap {
  std::shared_ptr<Plugin> plugin;
  lldb::SBProcess process;
  std::uint32_t stop_id = 0;
  std::shared_ptr<const Stop> stop;
  std::unique_ptr<HeapSnapshot> heap;

  bool process_ran() { return process.GetStopID() != stop_id; }
};

void release(PyObject* capsule) {
  delete static_cast<KeptHeap*>(PyCapsule_GetPointer(capsule, kCapsule));
}

std::string joined_lines(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) out += (out.empty() ? "" : "\n") + line;
  return out;
}

/// What with_heap comes to.
enum class Done : std::uint8_t { yes, process_ran, no_heap };

/// Runs `work` with the session locked and Python's lock let go of.
template <class Work>
Done with_heap(PyObject* capsule, Work&& work) {
  auto* kept = static_cast<KeptHeap*>(PyCapsule_GetPointer(capsule, kCapsule));
  if (kept == nullptr) return Done::no_heap;
  const WithoutGil let_go;
  const auto session = kept->plugin->sessions.use(kept->process);
  if (kept->process_ran()) return Done::process_ran;
  work(*kept->heap);
  return Done::yes;
}

/// None for a heap of the past; null, with Python's error set, for what is none.
PyObject* not_done(Done done) { return done == Done::no_heap ? nullptr : Py_BuildValue(""); }

}  // namespace

PyObject* py_heap_take(PyObject* self, PyObject* arguments) {
  PyObject *of_debugger = nullptr, *of_process = nullptr;
  if (!PyArg_ParseTuple(arguments, "OO:heap_take", &of_debugger, &of_process)) return nullptr;
  const auto* process = lldb_object<lldb::SBProcess>(of_process);
  if (process == nullptr) return nullptr;
  auto kept = std::make_unique<KeptHeap>();
  kept->plugin = plugin_behind(self);
  kept->process = *process;
  Answer answer;
  std::string failure;
  {
    const WithoutGil let_go;
    const auto session = kept->plugin->sessions.use(kept->process);
    const auto stop = session->stop();
    if (stop) {
      kept->stop = *stop;
      kept->stop_id = kept->process.GetStopID();
      kept->heap = heap_of(**stop, answer, {});
      finish(answer, **stop);
    } else {
      failure = stop.error().message;
    }
  }
  if (!failure.empty()) return text_of(failure);
  PyObject* capsule = PyCapsule_New(kept.release(), kCapsule, release);
  return Py_BuildValue("(NN)", capsule, text_of(joined_lines(answer.warnings)));
}

PyObject* py_heap_about(PyObject*, PyObject* arguments) {
  PyObject* capsule = nullptr;
  if (!PyArg_ParseTuple(arguments, "O:heap_about", &capsule)) return nullptr;
  std::string out;
  const auto about = [&](HeapSnapshot& heap) {
    out = fmt::format(R"({{"blocks":{},{}}})", heap.blocks().size(),
                      totals_json(heap, owner_rows(heap)));
  };
  const Done done = with_heap(capsule, about);
  return done == Done::yes ? text_of(out) : not_done(done);
}

PyObject* py_heap_blocks(PyObject*, PyObject* arguments) {
  PyObject* capsule = nullptr;
  unsigned long long begin = 0, count = 0;
  int leaks = 0;
  if (!PyArg_ParseTuple(arguments, "OKKp:heap_blocks", &capsule, &begin, &count, &leaks))
    return nullptr;
  std::string out;
  std::uint64_t next = begin;
  const auto some = [&](HeapSnapshot& heap) {
    std::vector<std::uint32_t> numbers;
    for (; next < heap.blocks().size() && numbers.size() < count; ++next) {
      const auto number = static_cast<std::uint32_t>(next);
      if (leaks == 0 || is_leak(heap.verdict(number))) numbers.push_back(number);
    }
    out = "{" + blocks_json(heap, numbers, numbers.size()) + "}";
  };
  if (const Done done = with_heap(capsule, some); done != Done::yes) return not_done(done);
  return Py_BuildValue("(KN)", static_cast<unsigned long long>(next), text_of(out));
}

}  // namespace cgo
