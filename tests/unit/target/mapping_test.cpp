#include "target/mapping.h"

#include <catch2/catch_test_macros.hpp>

namespace cgo {

TEST_CASE("the lines of /proc/PID/maps become mappings") {
  const auto maps = parse_proc_maps(
      "00400000-00452000 r-xp 00001000 08:02 173521      /usr/bin/a b\n"
      "7ffe0000-7fff0000 rw-p 00000000 00:00 0           [stack]\n"
      "7fff0000-7fff1000 ---p 00000000 00:00 0 \n"
      "80000000-80001000 r--s 00000000 08:02 1           /tmp/new\\012line (deleted)\n"
      "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]\n");
  REQUIRE(maps);
  REQUIRE(maps->size() == 5);
  const Mapping& code = maps->at(0);
  CHECK(code.range == AddressRange{{0x400000}, {0x452000}});
  CHECK(code.readable);
  CHECK_FALSE(code.writable);
  CHECK(code.executable);
  CHECK(code.file_offset == 0x1000);
  CHECK(code.path == "/usr/bin/a b");
  CHECK(maps->at(1).path == "[stack]");
  CHECK(maps->at(1).writable);
  CHECK(maps->at(2).path.empty());
  CHECK_FALSE(maps->at(2).readable);
  CHECK(maps->at(3).path == "/tmp/new\nline");
  CHECK(maps->at(3).deleted);
  CHECK_FALSE(maps->at(4).deleted);

  const MappingList list(*maps);
  CHECK(list.find({0x451fff}) == &list.all()[0]);
  CHECK(list.find({0x452000}) == nullptr);
}

TEST_CASE("text that is not /proc/PID/maps is refused") {
  for (const auto* text : {"hello", "1000-2000", "1000-2000 rwxp", "2000-1000 r--p 0 0:0 0 ",
                           "1000-2000 rwxp zz 00:00 0 ", "\n", "1-2 r 0 0 0 "})
    CHECK_FALSE(parse_proc_maps(text));
  const auto nothing = parse_proc_maps("");
  REQUIRE(nothing);
  CHECK(nothing->empty());
}

}  // namespace cgo
