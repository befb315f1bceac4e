#include "stops/stack_places.h"

#include <fmt/format.h>

#include "unwind/format.h"

namespace cgo {
namespace {

std::string function_text(const Frame& frame) {
  return frame.function.empty() ? hex(frame.pc.address) : escaped(frame.function);
}

}  // namespace

std::string function_in(const Stack& stack, std::size_t physical) {
  for (const StackElement& element : stack.elements)
    if (const auto* frame = std::get_if<Frame>(&element);
        frame != nullptr && frame->physical == physical && !frame->inlined)
      return function_text(*frame);
  return "?";
}

std::string place_text(const Frame& frame) {
  std::string out = function_text(frame);
  if (!frame.file.empty()) out += fmt::format(" at {}:{}", escaped(frame.file), frame.line);
  return out;
}

std::string place_in(const Stack& stack, std::size_t physical) {
  for (const StackElement& element : stack.elements)
    if (const auto* frame = std::get_if<Frame>(&element);
        frame != nullptr && frame->physical >= physical && !frame->plumbing)
      return place_text(*frame);
  return "?";
}

}  // namespace cgo
