#include "stops/python_error.h"

#include <fmt/format.h>

#include "stops/python_message.h"
#include "stops/python_objects.h"

namespace cgo {
namespace {

// PyTracebackObject, in all releases.
constexpr std::uint64_t kNext = 16, kFrame = 24, kLasti = 32, kLine = 36;
constexpr std::size_t kMostEntries = 100'000, kMostPath = 4096, kMostName = 256;

/// What a thread state says is pending: the words of it, or nothing.
struct Pending {
  Address type;   // 0 from 3.12 on: the object's own.
  Address value;  // The object, or up to 3.11 what it is to be made of, if anything.
  Address traceback;
};

Result<std::optional<Pending>> pending_of(const PythonObjects& objects, const PythonLayout& layout,
                                          Address thread) {
  const auto first = objects.word(thread, layout.exception);
  if (!first) return first.error();
  if (!*first) return std::optional<Pending>();
  if (!layout.three_words()) return std::optional(Pending{.value = *first});
  const auto value = objects.word(thread, layout.exception + 8);
  const auto traceback = objects.word(thread, layout.exception + 16);
  if (!value || !traceback) return value ? traceback.error() : value.error();
  return std::optional(Pending{*first, *value, *traceback});
}

/// The last entry of a traceback, which is where it was raised.
Result<Address> innermost(const PythonObjects& objects, Address traceback) {
  for (std::size_t i = 0; i < kMostEntries; ++i) {
    const auto next = objects.word(traceback, kNext);
    if (!next) return next.error();
    if (!*next) return traceback;
    traceback = *next;
  }
  return Error{ErrorCode::malformed_data, "the traceback has no end", traceback};
}

Result<Address> code_of_frame(const PythonObjects& objects, const PythonLayout& layout,
                              Address frame) {
  const auto inner = objects.word(frame, layout.frame);
  if (!inner || !layout.inner_code) return inner;
  return objects.word(*inner, *layout.inner_code);
}

/// Where it was raised, as far as that can be read.
void read_place(const PythonObjects& objects, const PythonLayout& layout, Address traceback,
                PythonException& out) {
  const auto entry = innermost(objects, traceback);
  if (!entry) return;
  const auto type = objects.type_of(*entry);
  if (!type || type->c_name != "traceback") return;
  const auto frame = objects.word(*entry, kFrame);
  if (!frame) return;
  const auto code = code_of_frame(objects, layout, *frame);
  if (!code) return;
  const auto filename = objects.word(*code, layout.filename);
  const auto name = objects.word(*code, layout.name);
  if (!filename || !name) return;
  const auto file = objects.text(*filename, kMostPath);
  const auto function = objects.text(*name, kMostName);
  if (!file || !function || file->cut || function->cut) return;
  // Newer releases work the line out when somebody asks, and note -1 until then.
  const auto words = objects.word(*entry, kLasti);
  if (!words) return;
  static_assert(kLine == kLasti + 4);
  const auto lasti = static_cast<std::int32_t>(words->value);
  auto line = static_cast<std::int32_t>(words->value >> 32);
  if (line < 0) {
    const auto found = objects.line(*code, lasti);
    line = found ? static_cast<std::int32_t>(*found) : 0;
  }
  out.file = file->utf8;
  out.function = function->utf8;
  out.line = static_cast<std::uint32_t>(line);
}

Result<PythonException> decode(const MemoryReader& memory, const PythonRuntime& python,
                               const Pending& pending) {
  const PythonLayout& layout = python.layout;
  const PythonObjects objects(memory, layout);
  Result<PythonType> type = Error{};
  bool made = true;
  if (pending.value) type = objects.type_of(pending.value);
  if (pending.type && (!type || !type->is_exception())) {
    type = objects.type(pending.type);
    made = false;
  }
  if (!type) return std::move(type).error().in("its type");
  if (!type->is_exception())
    return Error{ErrorCode::malformed_data, "its type is no exception", type->at};
  PythonException out;
  auto name = objects.type_name(*type);
  if (!name) return std::move(name).error().in("its type");
  out.type = *std::move(name);
  out.message = python_message(objects, python, *type, pending.value, made);
  Address traceback = pending.traceback;
  if (!layout.three_words())
    if (const auto own = objects.word(pending.value, layout.traceback)) traceback = *own;
  if (traceback) read_place(objects, layout, traceback, out);
  return out;
}

Result<std::optional<Pending>> pending_on(const MemoryReader& memory, const PythonRuntime& python,
                                          Address thread_pointer) {
  const auto thread = python_thread(memory, python, thread_pointer);
  if (!thread) return thread.error();
  if (!*thread) return std::optional<Pending>();
  return pending_of(PythonObjects(memory, python.layout), python.layout, *thread);
}

}  // namespace

Result<std::optional<PythonException>> pending_python_exception(const MemoryReader& memory,
                                                                const PythonRuntime& python,
                                                                Address thread_pointer) {
  const auto pending = pending_on(memory, python, thread_pointer);
  if (!pending) return pending.error();
  if (!*pending) return std::optional<PythonException>();
  auto exception = decode(memory, python, **pending);
  if (!exception) return std::move(exception).error().in("an exception of Python's is pending");
  return std::optional(*std::move(exception));
}

Result<bool> python_exception_is_pending(const MemoryReader& memory, const PythonRuntime& python,
                                         Address thread_pointer) {
  const auto pending = pending_on(memory, python, thread_pointer);
  if (!pending) return pending.error();
  return pending->has_value();
}

std::string python_exception_text(const PythonException& exception) {
  std::string out = exception.type;
  if (exception.message && !exception.message->empty()) out += ": " + *exception.message;
  if (exception.file.empty()) return out;
  out += " (" + exception.file;
  if (exception.line != 0) out += fmt::format(":{}", exception.line);
  return out + fmt::format(" in {})", exception.function);
}

}  // namespace cgo
