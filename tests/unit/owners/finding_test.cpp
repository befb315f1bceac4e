#include "owners/finding.h"

#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

namespace cgo {
namespace {

Finding hostile() {
  return {.id = "dangling.go-holds-freed",
          .level = FindingLevel::warning,
          .title = "2 pointers: main.\x1b[31mT.\"f\"",
          .explanation = "why",
          .evidence = {"0x10 → 0x20", "second\nline"},
          .stacks = {{"freed", 7}},
          .address = Address{0x1234},
          .hint = "set it to nil",
          .go_type = "main.T",
          .bytes = 96,
          .subjects = {{{0x10}, 1}, {{0x18}, 2}}};
}

}  // namespace

TEST_CASE("a finding as text has nothing that a terminal would obey") {
  const std::string text = format_finding(hostile(), nullptr, true);
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.starts_with("warning: 2 pointers: main."));
  CHECK(text.find("[dangling.go-holds-freed]\n") != std::string::npos);
  // Nothing was recorded: no stack is made up.
  CHECK(text.find("freed, by a stack not recorded\n") != std::string::npos);
  CHECK(text.find("try: set it to nil\n") != std::string::npos);
}

TEST_CASE("a finding as JSON has all of its parts") {
  const auto json = nlohmann::json::parse(finding_json(hostile(), nullptr));
  CHECK(json["id"] == "dangling.go-holds-freed");
  CHECK(json["level"] == "warning");
  CHECK(json["evidence"][1] == "second\nline");
  CHECK(json["stacks"].empty());
  CHECK(json["address"] == "0x1234");
  CHECK(json["go_type"] == "main.T");
  CHECK(json["bytes"] == 96);
  CHECK(json["count"] == 2);
}

TEST_CASE("what is not known of a finding is null in JSON") {
  const auto json = nlohmann::json::parse(finding_json({.id = "x", .title = "t"}, nullptr));
  CHECK(json["address"].is_null());
  CHECK(json["go_type"].is_null());
  CHECK(json["count"] == 0);
}

}  // namespace cgo
