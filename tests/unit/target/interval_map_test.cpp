#include "target/interval_map.h"

#include <catch2/catch_test_macros.hpp>

namespace cgo {
namespace {

using Map = IntervalMap<char>;

std::string covering(const Map& map, std::uint64_t begin, std::uint64_t end) {
  std::string text;
  for (std::uint64_t at = begin; at < end; ++at) {
    const auto* piece = map.find({at});
    text += piece ? piece->value : '.';
  }
  return text;
}

}  // namespace

TEST_CASE("of overlapping ranges the one that begins later wins") {
  CHECK(covering(Map({{{{1}, {9}}, 'a'}, {{{3}, {5}}, 'b'}}), 0, 10) == ".aabbaaaa.");
  CHECK(covering(Map({{{{1}, {5}}, 'a'}, {{{3}, {8}}, 'b'}}), 0, 10) == ".aabbbbb..");
  CHECK(covering(Map({{{{1}, {5}}, 'a'}, {{{1}, {3}}, 'b'}}), 0, 10) == ".bbaa.....");
  CHECK(covering(Map({{{{1}, {5}}, 'a'}, {{{1}, {8}}, 'b'}}), 0, 10) == ".bbbbbbb..");
  CHECK(covering(Map({{{{6}, {8}}, 'c'}, {{{1}, {9}}, 'a'}, {{{2}, {4}}, 'b'}}), 0, 10) ==
        ".abbaacca.");
  CHECK(covering(Map({{{{5}, {5}}, 'a'}, {{{7}, {6}}, 'b'}}), 0, 10) == "..........");
}

TEST_CASE("the next piece is the first one above") {
  const Map map({{{{2}, {4}}, 'a'}, {{{6}, {8}}, 'b'}});
  REQUIRE(map.next({0}));
  CHECK(map.next({0})->value == 'a');
  CHECK(map.next({2})->value == 'b');
  CHECK(map.next({6}) == nullptr);
  CHECK(Map().find({0}) == nullptr);
}

}  // namespace cgo
