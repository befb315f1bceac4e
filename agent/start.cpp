#include "agent/start.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>

#include <cerrno>
#include <cstring>

#include "agent/block_index.h"
#include "agent/kernel.h"
#include "agent/loaded_code.h"
#include "agent/module_list.h"
#include "agent/next_functions.h"
#include "agent/next_operators.h"
#include "agent/options.h"
#include "agent/tables.h"
#include "agent/thread_memory.h"

namespace cgo::agent {
namespace {

std::uint32_t starting;

void in_child() {
  Header& h = header();
  h.pid = process_id();
  ++h.forks;
  keep_only_this_thread();
}

void copy_path(char (&to)[256], const char* path) {
  std::strncpy(to, *path == '\0' ? "(the program)" : path, sizeof(to) - 1);
}

/// Whose malloc the program calls, and whose serves it.
void look_at_allocator() {
  Header& h = header();
  LoadedFile ours, bound, serving;
  void* default_malloc = dlsym(RTLD_DEFAULT, "malloc");
  const bool found = file_at(reinterpret_cast<std::uint64_t>(&lldb_cgo_agent_tables), ours) &&
                     file_at(reinterpret_cast<std::uint64_t>(default_malloc), bound);
  if (found && ours.begin != bound.begin) {
    h.flags |= kBypassed;
    copy_path(h.allocator, bound.path);
  } else if (file_at(reinterpret_cast<std::uint64_t>(next.malloc), serving)) {
    copy_path(h.allocator, serving.path);
  }
  if (own_operators) h.flags |= kOwnOperators;
}

void take_options() {
  const Options options = parse_options(secure_getenv("LLDB_CGO_AGENT"));
  Header& h = header();
  h.sample_bytes = options.sample_bytes;
  h.quarantine_bytes = options.quarantine_bytes;
  h.kept_frees = options.kept_frees;
  h.most_frames = options.most_frames;
}

}  // namespace

bool start_agent() {
  if (__atomic_exchange_n(&starting, 1, __ATOMIC_ACQ_REL) != 0) return false;
  const int error = errno;
  find_next_functions();
  prepare_file_search();
  find_next_operators();
  take_options();
  const bool made = make_tables() && make_block_index() && prepare_threads();
  if (made) {
    look_at_allocator();
    pthread_atfork(nullptr, nullptr, in_child);
    header().state = State::recording;
  }
  errno = error;
  return made;
}

}  // namespace cgo::agent

__attribute__((constructor(101))) static void begin() { cgo::agent::start_agent(); }
