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

bool overlaps(const Module& one, const LoadedFile& other) {
  return one.begin < other.end && other.begin < one.end;
}

/// The file was at the same place before, and no stack had other code there since.
Module* known_before(const LoadedFile& file, const Bytes& id) {
  Module* found = nullptr;
  for (std::uint32_t i = 1; i < module_count(); ++i) {
    Module& module = module_at(i);
    if (__atomic_load_n(&module.ready, __ATOMIC_ACQUIRE) != 1 || !overlaps(module, file)) continue;
    const bool same = module.last_epoch != kLoaded && module.begin == file.begin &&
                      module.end == file.end && id.count != 0 &&
                      module.build_id_bytes == id.count &&
                      std::memcmp(module.build_id, id.begin, id.count) == 0;
    found = same ? &module : nullptr;
  }
  return found;
}

/// False when there is no room.
bool add(const LoadedFile& file) {
  Bytes id = build_id(file);
  if (id.count > sizeof(Module::build_id)) id = {};
  if (Module* before = known_before(file, id)) {
    before->last_epoch = kLoaded;
    return true;
  }
  Module* module = new_module();
  if (module == nullptr) return false;
  module->begin = file.begin;
  module->end = file.end;
  module->first_epoch = module_epoch;
  module->last_epoch = kLoaded;
  module->build_id_bytes = static_cast<std::uint32_t>(id.count);
  if (id.count != 0) std::memcpy(module->build_id, id.begin, id.count);
  std::strncpy(module->path, file.path, sizeof(module->path) - 1);
  __atomic_store_n(&module->ready, 1, __ATOMIC_RELEASE);
  return true;
}

/// The module of `pc`, which is added when it is none yet; null outside all files, and when there
/// is no room.
const Module* module_for(std::uint64_t pc) {
  for (bool again = false;; again = true) {
    const std::uint32_t modules = module_count();
    for (std::uint32_t i = 1; i < modules; ++i)
      if (covers(module_at(i), pc)) return &module_at(i);
    LoadedFile file;
    if (again || !file_at(pc, file) || !add(file)) return nullptr;
  }
}

void next_epoch() {
  header().module_epoch = __atomic_add_fetch(&module_epoch, 1, __ATOMIC_ACQ_REL);
}

}  // namespace

std::uint32_t note_modules(const std::uint64_t* frames, unsigned count) {
  const Module* last = nullptr;
  std::uint32_t epoch = 0;
  for (unsigned i = 0; i < count; ++i) {
    const std::uint64_t pc = (frames[i] & kAddressMask) - 1;
    if (last == nullptr || !covers(*last, pc)) last = module_for(pc);
    if (last != nullptr && last->first_epoch > epoch) epoch = last->first_epoch;
  }
  return epoch;
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
    // Its code ran in the epoch before this unload began; what comes to lie there may be noted in
    // this one already.
    if (!there) module.last_epoch = module_epoch - 1;
  }
  forget_unloaded_go_modules();
  next_epoch();
}

}  // namespace cgo::agent
