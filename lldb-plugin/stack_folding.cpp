#include "lldb-plugin/stack_folding.h"

#include <fmt/format.h>

#include <iterator>

namespace cgo {

std::string folding_key(const Stack& stack) {
  fmt::memory_buffer key;
  auto out = std::back_inserter(key);
  if (stack.goroutine)
    fmt::format_to(out, "{}\x1f{}", stack.goroutine->state,
                   stack.goroutine->wait_reason.value_or(""));
  for (const StackElement& element : stack.elements) {
    if (const Frame* frame = std::get_if<Frame>(&element))
      fmt::format_to(out, "\x1e{}\x1f{}\x1f{}\x1f{}", frame->function, frame->module, frame->file,
                     frame->line);
    else
      fmt::format_to(out, "\x1e{}", std::get<Gap>(element).why);
  }
  fmt::format_to(out, "\x1e{}", format_stop_reason(stack.end));
  return fmt::to_string(key);
}

std::string format_members(const std::vector<std::uint64_t>& goroutines, std::size_t shown) {
  std::string text = goroutines.size() == 1 ? "goroutine " : "goroutines ";
  for (std::size_t i = 0; i < goroutines.size() && i < shown; ++i)
    text += (i == 0 ? "" : ", ") + std::to_string(goroutines[i]);
  if (goroutines.size() > shown) text += fmt::format(" and {} more", goroutines.size() - shown);
  return text;
}

}  // namespace cgo
