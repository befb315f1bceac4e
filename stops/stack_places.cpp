#include "stops/stack_places.h"

#include <fmt/format.h>

#include "target/demangle.h"
#include "unwind/format.h"

namespace cgo {
namespace {

std::string function_text(const Frame& frame) {
  if (!frame.function.empty()) return escaped(frame.function);
  return hex(frame.pc.address) + (frame.module.empty() ? "" : " in " + escaped(frame.module));
}

}  // namespace

bool is_libc(std::string_view module) {
  return module.starts_with("libc.so") || module.starts_with("libc-2.") ||
         module.starts_with("libpthread");
}

std::string_view plain_name(std::string_view function) {
  constexpr std::string_view kPrefix = "__interceptor_";
  if (const auto at = function.find(kPrefix); at < 2) function.remove_prefix(at + kPrefix.size());
  return function;
}

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
        frame != nullptr && frame->physical >= physical && !frame->plumbing && !frame->tail_call)
      return place_text(*frame);
  return "?";
}

std::string code_text(const ImageMap& images, const DwarfSource& dwarf, CodeAddress pc) {
  const Image* image = images.find(pc.for_lookup());
  const auto info = image != nullptr && dwarf
                        ? dwarf(*image)
                        : Result<std::shared_ptr<const DwarfInfo>>(Error{ErrorCode::not_found, ""});
  if (info) {
    const auto frames = (*info)->frames_at(image->to_file(pc.for_lookup()));
    if (frames && !frames->empty() && !frames->front().function.empty())
      return fmt::format("{} at {}:{}", escaped(frames->front().function),
                         escaped(frames->front().file), frames->front().line);
  }
  const ElfSymbol* symbol = images.symbol_at(pc.for_lookup());
  if (symbol == nullptr)
    return hex(pc.address) + (image == nullptr ? "" : " in " + escaped(image->name()));
  return escaped(demangle(symbol->name).value_or(std::string(symbol->name)));
}

}  // namespace cgo
