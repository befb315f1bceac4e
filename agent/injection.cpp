#include "agent/injection.h"

#include <dlfcn.h>
#include <pthread.h>
#include <sys/auxv.h>

#include <cstring>
#include <initializer_list>

#include "agent/dynamic_part.h"
#include "agent/kernel.h"
#include "agent/loaded_code.h"
#include "agent/next_functions.h"
#include "agent/next_operators.h"
#include "agent/options.h"
#include "agent/recorder.h"
#include "agent/slot_table.h"
#include "agent/start.h"

namespace cgo::agent {

namespace {

using Dlopen = void* (*)(const char*, int);
using Dlsym = void* (*)(void*, const char*);

SlotTable old_values;
bool injected, knows_fork;
unsigned long long seen_loads;
std::uint32_t looking;

/// dlopen and dlsym tell when there is more to write to. Both ask who calls them, so they are
/// reached by a jump where that matters.
void look_again();
Replacement loader_functions[2];

void* dlopen_and_look(const char* file, int flags) {
  const auto real = reinterpret_cast<Dlopen>(loader_functions[0].theirs);
  // A name without a slash is looked for where the caller says; dlsym comes next.
  if (file == nullptr || std::strchr(file, '/') == nullptr || std::strchr(file, '$') != nullptr)
    return real(file, flags);
  void* handle = real(file, flags);
  look_again();
  return handle;
}

void* look_and_dlsym(void* handle, const char* name) {
  look_again();
  return reinterpret_cast<Dlsym>(loader_functions[1].theirs)(handle, name);
}

bool is_ours(const DynamicPart& part) {
  return part.covers(reinterpret_cast<std::uint64_t>(&lldb_cgo_agent_tables));
}

template <class Visit>
void for_each_replacement(Visit&& visit) {
  for (Replacement& one : functions) visit(one);
  for (Replacement& one : operators) visit(one);
  for (Replacement& one : loader_functions) visit(one);
}

Replacement* replacement_of(const char* name) {
  Replacement* found = nullptr;
  for_each_replacement([&](Replacement& one) {
    if (one.theirs != 0 && std::strcmp(one.name, name) == 0) found = &one;
  });
  return found;
}

bool write_slot(const DynamicPart& part, std::uint64_t* slot, std::uint64_t value) {
  constexpr std::uint64_t kPage = 4096;
  const auto at = reinterpret_cast<std::uint64_t>(slot);
  if (writable(at)) {
    __atomic_store_n(slot, value, __ATOMIC_RELEASE);
    return true;
  }
  if (at < part.relro || at >= part.relro_end) return false;
  const std::uint64_t page = at & ~(kPage - 1);
  if (!protect_pages(page, kPage, /*writable=*/true)) return false;
  __atomic_store_n(slot, value, __ATOMIC_RELEASE);
  protect_pages(page, kPage, /*writable=*/false);
  return true;
}

std::uint64_t value_of(const std::uint64_t* slot) {
  return __atomic_load_n(slot, __ATOMIC_ACQUIRE);
}

/// The loader calls malloc by words of its own, which have no relocation.
template <class Visit>
void for_each_word_of_loader(const DynamicPart& part, Visit&& visit) {
  if (part.base != getauxval(AT_BASE)) return;
  for (std::uint64_t at = (part.data + 7) & ~7ull; at + 8 <= part.data_end; at += 8)
    visit(reinterpret_cast<std::uint64_t*>(at));
}

void take_slot(const DynamicPart& part, std::uint64_t* slot, const Replacement& one) {
  const std::uint64_t value = value_of(slot);
  if (old_values.put(slot, value))
    write_slot(part, slot, reinterpret_cast<std::uint64_t>(one.ours));
}

void take_slots(const DynamicPart& part) {
  for_each_slot(part, [&](const Slot& slot) {
    const Replacement* one = replacement_of(slot.name);
    if (one == nullptr) return;
    const std::uint64_t value = value_of(slot.at);
    // Before the loader was here, it is neither: an offset.
    const bool unbound = slot.bound_late && part.covers(value) && value != one->theirs &&
                         !(slot.defined_here && part.symbolic);
    if (value == one->theirs || unbound) take_slot(part, slot.at, *one);
  });
  for_each_word_of_loader(part, [&](std::uint64_t* word) {
    for (const Replacement& one : functions)
      if (one.theirs != 0 && value_of(word) == one.theirs) take_slot(part, word, one);
  });
}

long give_slot(const DynamicPart& part, std::uint64_t* slot, const Replacement& one) {
  const std::uint64_t old = old_values.value_of(slot);
  // Another file may lie where the noted slot was: its own code leads to the loader, or nothing.
  const bool good = old == one.theirs || part.covers(old);
  return write_slot(part, slot, good ? old : one.theirs) ? 1 : 0;
}

long give_slots(const DynamicPart& part) {
  long given = 0;
  for_each_slot(part, [&](const Slot& slot) {
    const Replacement* one = replacement_of(slot.name);
    if (one != nullptr && value_of(slot.at) == reinterpret_cast<std::uint64_t>(one->ours))
      given += give_slot(part, slot.at, *one);
  });
  for_each_word_of_loader(part, [&](std::uint64_t* word) {
    for (const Replacement& one : functions)
      if (one.theirs != 0 && value_of(word) == reinterpret_cast<std::uint64_t>(one.ours))
        given += give_slot(part, word, one);
  });
  return given;
}

/// Of each file but the agent's, while none can be unloaded.
template <class Visit>
void for_each_part(Visit&& visit) {
  dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* data) {
        DynamicPart part;
        if (!read_dynamic_part(*info, part) || is_ours(part)) return 0;
        return (*static_cast<Visit*>(data))(*info, part) ? 1 : 0;
      },
      &visit);
}

bool has_loaded_more() {
  unsigned long long loads = 0;
  dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* data) {
        *static_cast<unsigned long long*>(data) = info->dlpi_adds;
        return 1;
      },
      &loads);
  return __atomic_exchange_n(&seen_loads, loads, __ATOMIC_ACQ_REL) != loads;
}

void take_all_slots() {
  for_each_part([](const dl_phdr_info&, const DynamicPart& part) {
    take_slots(part);
    return false;
  });
}

void look_again() {
  if (header().state != State::recording || !injected || !has_loaded_more()) return;
  if (__atomic_exchange_n(&looking, 1, __ATOMIC_ACQ_REL) != 0) {
    __atomic_store_n(&seen_loads, 0, __ATOMIC_RELEASE);  // Whoever comes next.
    return;
  }
  if (injected) take_all_slots();
  __atomic_store_n(&looking, 0, __ATOMIC_RELEASE);
}

/// The first file that has it, in the loader's order, is the one that serves all.
void find_theirs() {
  loader_functions[0] = {"dlopen", reinterpret_cast<void*>(dlopen_and_look), 0};
  loader_functions[1] = {"dlsym", reinterpret_cast<void*>(look_and_dlsym), 0};
  for_each_replacement([](Replacement& one) { one.theirs = 0; });
  for_each_part([](const dl_phdr_info&, const DynamicPart& part) {
    for_each_replacement([&](Replacement& one) {
      if (one.theirs == 0) one.theirs = function_in(part, one.name);
    });
    return false;
  });
}

template <class Function>
void use(Function& function, unsigned number) {
  if (functions[number].theirs != 0)
    function = reinterpret_cast<Function>(functions[number].theirs);
}

void use_theirs() {
  use(next.malloc, kMalloc);
  use(next.free, kFree);
  use(next.calloc, kCalloc);
  use(next.realloc, kRealloc);
  use(next.memalign, kMemalign);
  use(next.aligned_alloc, kAlignedAlloc);
  use(next.posix_memalign, kPosixMemalign);
  use(next.valloc, kValloc);
  use(next.pvalloc, kPvalloc);
  use(next.usable_size, kUsableSize);
  use(next.dlclose, kDlclose);
  for (unsigned i = 0; i < kNewForms; ++i) next_new[i] = reinterpret_cast<New>(operators[i].theirs);
  for (unsigned i = 0; i < kDeleteForms; ++i)
    next_delete[i] = reinterpret_cast<Delete>(operators[kNewForms + i].theirs);
}

bool in_one_file(const Replacement& one, const Replacement& other) {
  LoadedFile first, second;
  return one.theirs != 0 && other.theirs != 0 && file_at(one.theirs, first) &&
         file_at(other.theirs, second) && first.begin == second.begin;
}

/// 0, or why the agent cannot take the place of the program's allocator.
long check_theirs() {
  for (const unsigned needed : {kMalloc, kFree, kCalloc, kRealloc})
    if (!in_one_file(functions[kMalloc], functions[needed])) return kNoMalloc;
  LoadedFile file, program;
  if (!file_at(functions[kMalloc].theirs, file) || !file_at(getauxval(AT_ENTRY), program))
    return kNoMalloc;
  if (file.begin == program.begin) return kOwnMalloc;
  std::memset(header().allocator, 0, sizeof(header().allocator));
  std::strncpy(header().allocator, file.path, sizeof(header().allocator) - 1);
  own_operators = in_one_file(functions[kMalloc], operators[kNew]);
  return 0;
}

void take_options(const char* text) {
  const Options options = parse_options(text);
  Header& h = header();
  h.sample_bytes = options.sample_bytes;
  h.quarantine_bytes = options.quarantine_bytes;
  // Threads have room for as many as there were to be at first.
  if (h.threads.used == sizeof(Thread)) h.kept_frees = options.kept_frees;
  h.most_frames = options.most_frames;
}

void begin_to_record(const char* options) {
  forget_blocks();
  take_options(options);
  restart_threads();
  Header& h = header();
  h.flags = (h.flags & ~(kBypassed | kOwnOperators)) | kLateStart;
  if (own_operators) h.flags |= kOwnOperators;
  restart_clock();
  __atomic_store_n(reinterpret_cast<std::uint32_t*>(&h.state),
                   static_cast<std::uint32_t>(State::recording), __ATOMIC_RELEASE);
}

void in_child() { looking = 0; }

}  // namespace
}  // namespace cgo::agent

using namespace cgo::agent;

long lldb_cgo_agent_inject(const char* options) {
  if (header().state == State::off && !start_agent()) return kCannotStart;
  if (!injected && (header().flags & kBypassed) == 0) {
    if (header().state == State::paused) begin_to_record(options);
    return kPreloaded;
  }
  if (!injected) {
    find_theirs();
    if (const long why = check_theirs(); why != 0) return why;
    if (!old_values.make()) return kCannotStart;
    use_theirs();
    // Other operators call malloc, which is recorded.
    for (Replacement& one : operators) one.theirs = own_operators ? one.theirs : 0;
    if (!knows_fork) pthread_atfork(nullptr, nullptr, in_child);
    knows_fork = injected = true;
    begin_to_record(options);
  }
  has_loaded_more();
  take_all_slots();
  return old_values.count();
}

long lldb_cgo_agent_remove() {
  Header& h = header();
  if (h.state != State::recording) return 0;
  h.state = State::paused;
  long given = injected ? 0 : static_cast<long>(kPreloaded);
  if (injected)
    for_each_part([&given](const dl_phdr_info&, const DynamicPart& part) {
      given += give_slots(part);
      return false;
    });
  if (injected) h.flags |= kBypassed;
  injected = false;
  forget_blocks();
  return given;
}
