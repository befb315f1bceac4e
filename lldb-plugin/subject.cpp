#include "lldb-plugin/subject.h"

#include "lldb-plugin/dwarf_source.h"

namespace cgo {

std::shared_ptr<const Program> make_program(std::shared_ptr<const ImageMap> images,
                                            const MemoryReader& memory, LonePlugins plugins) {
  auto program = std::make_shared<Program>();
  program->images = std::move(images);
  program->dwarf = make_dwarf_source();
  program->runtimes = find_go_runtimes(memory, *program->images, program->dwarf, plugins);
  program->symbolizer = std::make_unique<const Symbolizer>(program->images, program->dwarf);
  program->unwind_cache = std::make_shared<UnwindCache>();
  return program;
}

}  // namespace cgo
