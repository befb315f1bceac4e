#include "stops/library_event.h"

#include <catch2/catch_test_macros.hpp>

#include "support/memory_image.h"

namespace cgo {
namespace {

TEST_CASE("a text is read as it is, or said to be missing") {
  MemoryImage memory;
  memory.text({0x103c}, "abc").u8({0x103f}, 0);
  CHECK(text_at(memory, {0x103c}).text == "abc");
  CHECK(text_at(memory, {0x103c}, 2).text == "ab");
  CHECK_FALSE(text_at(memory, {}).text);
  CHECK(text_at(memory, {}).why.empty());
  CHECK_FALSE(text_at(memory, {0x2000}).text);
  CHECK_FALSE(text_at(memory, {0x2000}).why.empty());
  CHECK_FALSE(text_at(memory, {0x1000}, UINT64_MAX).text);
  CHECK(text_at(memory, {0x2000}, 0).text == "");
}

TEST_CASE("flags and handles have names") {
  CHECK(dlopen_flags(0x102) == "RTLD_NOW|RTLD_GLOBAL");
  CHECK(dlopen_flags(0x1001) == "RTLD_LAZY|RTLD_NODELETE");
  CHECK(dlopen_flags(0x42) == "RTLD_NOW|0x40");
  CHECK(dlopen_flags(0) == "0x0");
  CHECK(dlsym_handle(0) == "RTLD_DEFAULT");
  CHECK(dlsym_handle(UINT64_MAX) == "RTLD_NEXT");
  CHECK(dlsym_handle(0x1234) == "0x1234");
}

TEST_CASE("what is not known of a call is null") {
  LibraryEvent event{.event = "dlopen", .function = "dlopen", .tid = 7, .is_path = true};
  event.name.why = "cannot be read";
  event.result = 0;
  event.error = "no \"file\"";
  CHECK(event_keys(event) ==
        R"("event":"dlopen","function":"dlopen","goroutine":null,"thread":7,"caller":null,)"
        R"("go_caller":null,"path":null,"path_error":"cannot be read","result":null,"module":null,)"
        R"("error":"no \"file\"","duration_ns":null)");
}

}  // namespace
}  // namespace cgo
