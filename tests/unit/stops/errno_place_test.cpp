#include "stops/errno_place.h"

#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <cerrno>
#include <cstdint>

#include "support/this_c_library.h"
#include "target/process_memory.h"

namespace cgo {

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
