#include "lldb-plugin/process_memory.h"

#include "lldb-plugin/sb_memory.h"

namespace cgo {

std::shared_ptr<const MemoryReader> raw_process_memory(lldb::SBProcess process) {
  return std::make_shared<SbMemory>(process);
}

ProcessMemory process_memory(lldb::SBProcess process, std::shared_ptr<const ImageMap> images) {
  ProcessMemory memory;
  auto through_lldb = raw_process_memory(process);
  auto files = image_file_reader(std::move(images));
  memory.reader = std::make_shared<SplicedReader>(
      std::vector<std::shared_ptr<const MemoryReader>>{through_lldb, files});
  memory.how = "LLDB, then files";
  return memory;
}

}  // namespace cgo
