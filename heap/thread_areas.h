#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "target/image.h"
#include "target/mapping.h"
#include "target/memory_reader.h"

namespace cgo {

/// Where a thread's thread pointer points.
struct ThreadPlace {
  std::uint64_t tid = 0;
  Address thread_pointer;
};

/// The memory the C library gave a thread.
struct ThreadArea {
  std::uint64_t tid = 0;
  AddressRange stack;  ///< With the thread's variables at its end, without the guard; may be empty.
  AddressRange guard;  ///< Below the stack; empty where the library made none.
  /// From the lowest of its variables that is known to the end of what the library keeps of it.
  AddressRange variables;
};

/// The areas of threads that pthread_create made, as the library noted them; a thread whose notes
/// make no sense is left out. `tls_bytes`: how much all images have of thread-local variables.
/// Source: glibc nptl/descr.h, struct pthread (stackblock, stackblock_size, guardsize).
std::vector<ThreadArea> thread_areas(const MemoryReader& memory,
                                     std::span<const ThreadPlace> threads, std::uint64_t tls_bytes);

/// How much all images have of thread-local variables.
std::uint64_t thread_local_bytes(const ImageMap& images);

/// The stack of the main thread as it is mapped: as the kernel calls it, else by where the loader
/// noted its end; nothing where that is not known. It has no guard: the kernel grows it, up to a
/// limit.
std::optional<AddressRange> main_stack(const MemoryReader& memory, const ImageMap& images,
                                       const MappingList& mappings);

}  // namespace cgo
