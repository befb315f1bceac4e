#include "lldb-plugin/function_place.h"

#include <fmt/format.h>

#include "target/demangle.h"
#include "unwind/format.h"

namespace cgo {
namespace {

void find_in_go(const GoRuntime& runtime, FunctionPlace& place) {
  const auto function = runtime.function_at(place.address);
  if (!function || function->entry != place.address) return;
  place.function = std::string(function->name);
  const auto at = function->module->source_frames(*function, function->entry);
  if (!at || at->empty()) return;
  place.file = std::string(at->back().file);
  place.line = function->start_line != 0 ? function->start_line : at->back().line;
}

void find_in_c(const Program& program, const Image& image, FunctionPlace& place) {
  if (!image.file || image.mismatch) return;
  const Address at = image.to_file(place.address);
  const auto dwarf = program.dwarf(image);
  if (dwarf)
    if (const auto frames = (*dwarf)->frames_at(at); frames && !frames->empty()) {
      const SourceFrame& frame = frames->back();
      place.file = frame.file;
      place.line = frame.line;
      if (frame.entry == at) place.function = frame.function;
    }
  if (!place.function.empty()) return;
  for (const ElfFile* file : {image.file.get(), dwarf ? (*dwarf)->file() : nullptr}) {
    const ElfSymbol* symbol = file == nullptr ? nullptr : file->symbol_at(at);
    if (symbol == nullptr || symbol->file_address != at) continue;
    place.function = demangle(symbol->name).value_or(std::string(symbol->name));
    return;
  }
}

}  // namespace

FunctionPlace place_of_function(const Program& program, Address entry) {
  FunctionPlace out{.address = entry};
  const Image* image = program.images->find(entry);
  if (image != nullptr) out.module = std::string(image->name());
  if (const GoRuntime* runtime = program.runtimes.at(entry)) find_in_go(*runtime, out);
  if (image != nullptr && out.function.empty()) find_in_c(program, *image, out);
  return out;
}

std::string format_place(const FunctionPlace& place) {
  std::string out = place.function.empty() ? hex(place.address) : escaped(place.function);
  out += place.module.empty() ? "  outside of all modules" : "  " + escaped(place.module);
  if (!place.file.empty())
    out +=
        fmt::format("  {}:{}", escaped(place.file.substr(place.file.rfind('/') + 1)), place.line);
  return out;
}

}  // namespace cgo
