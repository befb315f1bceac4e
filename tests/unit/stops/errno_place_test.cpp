#include "stops/errno_place.h"

#include <dlfcn.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <cerrno>
#include <cstdint>

#include "target/elf.h"
#include "target/process_memory.h"

namespace cgo {
namespace {

struct CLibrary {
  ImageMap images;
  bool found = false;
};

CLibrary this_c_library() {
  Dl_info where{};
  if (dladdr(reinterpret_cast<void*>(&__errno_location), &where) == 0) return {};
  auto file = ElfFile::open(where.dli_fname);
  if (!file) return {};
  Image image{.path = where.dli_fname, .file = *file};
  image.bias = reinterpret_cast<std::uintptr_t>(where.dli_fbase);
  image.range = {{image.bias}, {image.bias + (1 << 24)}};
  return {ImageMap({std::move(image)}), true};
}

std::uint64_t thread_pointer() {
  std::uint64_t value = 0;
  __asm__("mov %%fs:0,%0" : "=r"(value));
  return value;
}

}  // namespace

TEST_CASE("errno is where the C library of this process keeps it") {
  const CLibrary library = this_c_library();
  REQUIRE(library.found);
  const ProcessMemory memory(getpid());
  const auto offset = errno_offset(memory, library.images);
  REQUIRE(offset);
  CHECK(reinterpret_cast<std::uintptr_t>(&errno) ==
        thread_pointer() + static_cast<std::uint64_t>(*offset));
}

TEST_CASE("without a C library there is no errno") {
  const ProcessMemory memory(getpid());
  const auto offset = errno_offset(memory, ImageMap());
  REQUIRE_FALSE(offset);
  CHECK(offset.error().code == ErrorCode::not_found);
}

}  // namespace cgo
