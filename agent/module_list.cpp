#include "agent/module_list.h"

#include <cstring>

#include "agent/go_code.h"
#include "agent/loaded_code.h"
#include "agent/tables.h"

namespace cgo::agent {

std::uint32_t module_epoch;

namespace {

constexpr std::uint32_t kLoaded = 0xffffffffu;

bool covers(const Module& module, std::uint64_t pc) {
  return __atomic_load_n(&module.ready, __ATOMIC_ACQUIRE) == 1 && module.last_epoch == kLoaded &&
         pc >= module.begin && pc < module.end;
}

void add(const LoadedFile& file) {
  Module* module = new_module();
  if (module == nullptr) return;
  module->begin = file.begin;
  module->end = file.end;
  module->first_epoch = module_epoch;
  module->last_epoch = kLoaded;
  const Bytes id = build_id(file);
  if (id.count <= sizeof(module->build_id)) {
    module->build_id_bytes = static_cast<std::uint32_t>(id.count);
    if (id.count != 0) std::memcpy(module->build_id, id.begin, id.count);
  }
  std::strncpy(module->path, file.path, sizeof(module->path) - 1);
  __atomic_store_n(&module->ready, 1, __ATOMIC_RELEASE);
}

void next_epoch() {
  header().module_epoch = __atomic_add_fetch(&module_epoch, 1, __ATOMIC_ACQ_REL);
}

}  // namespace

void note_modules(const std::uint64_t* frames, unsigned count) {
  const std::uint32_t modules = module_count();
  std::uint32_t last = 1;
  for (unsigned i = 0; i < count; ++i) {
    const std::uint64_t pc = (frames[i] & kAddressMask) - 1;
    if (last < modules && covers(module_at(last), pc)) continue;
    std::uint32_t found = 1;
    while (found < modules && !covers(module_at(found), pc)) ++found;
    last = found;
    LoadedFile file;
    if (found == modules && file_at(pc, file)) {
      add(file);
      return note_modules(frames + i, count - i);
    }
  }
}

void begin_unload() { next_epoch(); }

void end_unload() {
  for (std::uint32_t i = 1; i < module_count(); ++i) {
    Module& module = module_at(i);
    LoadedFile file;
    if (!covers(module, module.begin)) continue;
    const bool there = file_at(module.begin, file) && file.begin == module.begin &&
                       file.end == module.end &&
                       std::strncmp(file.path, module.path, sizeof(module.path) - 1) == 0;
    if (!there) module.last_epoch = module_epoch;
  }
  forget_unloaded_go_modules();
  next_epoch();
}

}  // namespace cgo::agent
