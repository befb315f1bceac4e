#include "stops/python_runtime.h"

#include <fmt/format.h>

#include <charconv>

namespace cgo {
namespace {

constexpr std::size_t kMostInterpreters = 1'000, kMostThreads = 10'000;
// PyThreadState, the same in all releases.
constexpr std::uint64_t kThreadNext = 8, kThreadInterpreter = 16;
/// PyThreadState._status.active.
constexpr std::uint32_t kActive = 1U << 4;

struct Version {
  unsigned major = 0, minor = 0;
  bool finished = true;  // No alpha or beta, whose layouts still moved.
};

Address load_address(const Image& image, std::string_view symbol) {
  const ElfSymbol* found = image.file->find_symbol(symbol);
  return found == nullptr ? Address{} : image.to_load(found->file_address);
}

/// "libpython3.9.so.1.0". Python has a symbol that tells since 3.11.
std::optional<Version> version_of_name(std::string_view name) {
  constexpr std::string_view kPrefix = "libpython3.";
  if (!name.starts_with(kPrefix)) return std::nullopt;
  name.remove_prefix(kPrefix.size());
  Version out{.major = 3};
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), out.minor);
  if (error != std::errc{}) return std::nullopt;
  name.remove_prefix(static_cast<std::size_t>(end - name.data()));
  if (!name.starts_with(".so")) return std::nullopt;
  return out;
}

Result<Version> version_of(const MemoryReader& memory, const Image& image) {
  const Address at = load_address(image, "Py_Version");
  if (!at) {
    if (const auto named = version_of_name(image.name())) return *named;
    return Error{ErrorCode::unsupported,
                 fmt::format("which CPython {} has cannot be told", image.name())};
  }
  const auto number = read_unsigned<std::uint64_t>(memory, at);
  if (!number) return Error(number.error()).in("Py_Version");
  constexpr std::uint64_t kCandidate = 0xc;
  return Version{.major = static_cast<unsigned>(*number >> 24 & 0xff),
                 .minor = static_cast<unsigned>(*number >> 16 & 0xff),
                 .finished = (*number >> 4 & 0xf) >= kCandidate};
}

/// What a build has that adds to its structures, or nothing.
std::string_view unusual_build(const Image& image) {
  for (const char* symbol : {"_Py_NegativeRefcount", "_Py_AddToAllObjects"})
    if (image.file->find_symbol(symbol) != nullptr) return "a debug build";
  return {};
}

/// What CPython 3.13 says of itself at the beginning of _PyRuntime (_Py_DebugOffsets): where the
/// lists are is taken from it, as these are no part of its API; the rest must be as measured.
/// Source: Include/internal/pycore_runtime.h of 3.13.
Result<void> take_own_offsets(const MemoryReader& memory, Address state, PythonLayout& layout) {
  constexpr unsigned kFirst = 13;
  if (layout.minor < kFirst) return {};
  constexpr std::uint64_t kMost = 1 << 20;
  constexpr std::size_t kWords = 40;
  enum Word : std::uint8_t {
    cookie = 0,
    free_threaded = 2,
    interpreters_head = 5,
    interpreter_next = 8,
    threads_head = 9,
    thread_next = 21,
    thread_interpreter = 22,
    thread_id = 24,
    thread_status = 27,
    code_filename = 35,
    code_name = 36,
    code_line_table = 38,
    code_first_line = 39,
  };
  std::vector<std::uint64_t> words(kWords);
  if (auto done = memory.read(state, std::as_writable_bytes(std::span(words))); !done)
    return Error(done.error()).in("_PyRuntime");
  constexpr std::uint64_t kCookie = 0x7970'6775'6265'6478;  // "xdebugpy"
  if (words[cookie] != kCookie)
    return Error{ErrorCode::malformed_data, "_PyRuntime does not begin as that of CPython 3.13",
                 state};
  if (words[free_threaded] != 0)
    return Error{ErrorCode::unsupported, "CPython 3.13 without a GIL is not known"};
  const bool fits =
      words[thread_next] == kThreadNext && words[thread_interpreter] == kThreadInterpreter &&
      words[thread_id] == layout.thread_id && words[thread_status] == layout.status &&
      words[code_filename] == layout.filename && words[code_name] == layout.name &&
      words[code_line_table] == layout.line_table && words[code_first_line] == layout.first_line;
  for (const Word one : {interpreters_head, interpreter_next, threads_head})
    if (words[one] >= kMost || !fits)
      return Error{ErrorCode::unsupported, "this build of CPython 3.13 has another layout"};
  layout.interpreters_head = words[interpreters_head];
  layout.interpreter_next = words[interpreter_next];
  layout.threads_head = words[threads_head];
  return {};
}

Result<PythonRuntime> runtime_in(const MemoryReader& memory, const Image& image, Address state) {
  const auto version = version_of(memory, image);
  if (!version) return version.error();
  PythonRuntime out{.version = fmt::format("{}.{}", version->major, version->minor),
                    .state = state};
  const PythonLayout* layout = python_layout_for(version->major, version->minor);
  if (layout == nullptr || !version->finished)
    return Error{ErrorCode::unsupported,
                 fmt::format("exceptions of CPython {}{} are not known, only of 3.9 to 3.13",
                             out.version, version->finished ? "" : " before its release")};
  if (const auto what = unusual_build(image); !what.empty())
    return Error{
        ErrorCode::unsupported,
        fmt::format("this CPython {} is {}, whose layout is not known", out.version, what)};
  out.layout = *layout;
  if (auto done = take_own_offsets(memory, state, out.layout); !done) return done.error();
  out.base_exception = load_address(image, "PyExc_BaseException");
  out.key_error = load_address(image, "PyExc_KeyError");
  out.os_error = load_address(image, "PyExc_OSError");
  out.syntax_error = load_address(image, "PyExc_SyntaxError");
  out.import_error = load_address(image, "PyExc_ImportError");
  return out;
}

/// The thread states of one thread, of all interpreters.
Result<std::vector<Address>> states_of(const MemoryReader& memory, const PythonRuntime& python,
                                       Address thread_pointer) {
  const PythonLayout& layout = python.layout;
  const auto word = [&](Address base, std::uint64_t offset) {
    return read_pointer(memory, wrapping_add(base, offset));
  };
  std::vector<Address> out;
  std::size_t threads = 0, interpreters = 0;
  auto interpreter = word(python.state, layout.interpreters_head);
  for (; interpreter && *interpreter; interpreter = word(*interpreter, layout.interpreter_next)) {
    if (++interpreters > kMostInterpreters)
      return Error{ErrorCode::malformed_data, "the list of interpreters has no end"};
    auto thread = word(*interpreter, layout.threads_head);
    for (; thread && *thread; thread = word(*thread, kThreadNext)) {
      if (++threads > kMostThreads)
        return Error{ErrorCode::malformed_data, "the list of thread states has no end"};
      const auto owner = word(*thread, kThreadInterpreter);
      const auto id = word(*thread, layout.thread_id);
      if (!owner || !id) return owner ? id.error() : owner.error();
      if (*owner != *interpreter)
        return Error{ErrorCode::malformed_data, "a thread state names another interpreter",
                     *thread};
      if (*id == thread_pointer) out.push_back(*thread);
    }
    if (!thread) return thread.error();
  }
  if (!interpreter) return interpreter.error();
  return out;
}

}  // namespace

Result<PythonRuntime> find_python(const MemoryReader& memory, const ImageMap& images) {
  for (const Image& image : images.all()) {
    if (!image.file || image.mismatch) continue;
    const Address state = load_address(image, "_PyRuntime");
    if (state) return runtime_in(memory, image, state);
  }
  return Error{ErrorCode::not_found, "no CPython is loaded"};
}

Result<Address> python_thread(const MemoryReader& memory, const PythonRuntime& python,
                              Address thread_pointer) {
  auto states = states_of(memory, python, thread_pointer);
  if (!states) return std::move(states).error().in("Python's threads");
  if (states->empty()) return Address{};
  const PythonLayout& layout = python.layout;
  for (const Address state : *states) {
    if (layout.status) {
      const auto status = read_unsigned<std::uint32_t>(memory, wrapping_add(state, *layout.status));
      if (!status) return status.error();
      if (*status & kActive) return state;
    } else if (layout.current_thread) {
      const auto current = read_pointer(memory, wrapping_add(python.state, *layout.current_thread));
      if (!current) return current.error();
      if (*current == state) return state;
    }
  }
  if (states->size() == 1) return states->front();
  return Error{ErrorCode::not_found, fmt::format("the thread has {} Python thread states, and "
                                                 "none of them is attached",
                                                 states->size())};
}

}  // namespace cgo
