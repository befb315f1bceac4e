#include "stops/c_locale.h"

#include <locale.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>

#include "support/this_c_library.h"
#include "target/process_memory.h"

namespace cgo {
namespace {

CLocale locale_now() {
  const CLibrary library = this_c_library();
  const ProcessMemory memory(getpid());
  const auto offset = locale_offset(memory, library.images);
  REQUIRE(offset);
  const auto locale =
      read_c_locale(memory, {thread_pointer() + static_cast<std::uint64_t>(*offset)});
  REQUIRE(locale);
  return *locale;
}

using Changes = std::vector<std::string>;

}  // namespace

TEST_CASE("the locale is the one that the C library of this process tells") {
  const CLocale first = locale_now();
  CHECK(first.names[LC_NUMERIC] == setlocale(LC_NUMERIC, nullptr));
  CHECK(locale_changes(first, first).empty());

  REQUIRE(setlocale(LC_NUMERIC, "C.UTF-8") != nullptr);
  const CLocale numeric = locale_now();
  CHECK(numeric.names[LC_NUMERIC] == setlocale(LC_NUMERIC, nullptr));
  CHECK(locale_changes(first, numeric) ==
        Changes{"the locale changed: LC_NUMERIC C before, C.UTF-8 now"});
  REQUIRE(setlocale(LC_ALL, "C.UTF-8") != nullptr);
  CHECK(locale_changes(first, locale_now()) ==
        Changes{"the locale changed: LC_ALL C before, C.UTF-8 now"});
  REQUIRE(setlocale(LC_ALL, "C") != nullptr);
  CHECK(locale_changes(first, locale_now()).empty());

  const locale_t own = newlocale(LC_TIME_MASK | LC_CTYPE_MASK, "C.UTF-8", nullptr);
  REQUIRE(own != nullptr);
  uselocale(own);
  CHECK(locale_changes(first, locale_now()) ==
        Changes{"the thread's locale changed: LC_CTYPE, LC_TIME C before, C.UTF-8 now"});
  const locale_t same = newlocale(LC_ALL_MASK, "C", nullptr);
  uselocale(same);
  CHECK(locale_changes(first, locale_now()) ==
        Changes{"the thread's locale is another one of the same names (uselocale)"});
  uselocale(LC_GLOBAL_LOCALE);
  freelocale(own);
}

TEST_CASE("what is no locale is an error") {
  const ProcessMemory memory(getpid());
  CHECK_FALSE(locale_offset(memory, ImageMap()));
  CHECK_FALSE(read_c_locale(memory, {8}));
  const std::uint64_t no_pointers[64] = {};
  const Address at{reinterpret_cast<std::uintptr_t>(&no_pointers)};
  CHECK_FALSE(read_c_locale(memory, at));
}

}  // namespace cgo
