#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <sstream>

#include "profiles/dot_graph.h"
#include "profiles/flame_graph.h"
#include "profiles/folded_stacks.h"
#include "profiles/frame_tree.h"
#include "sample_profile.h"

namespace cgo {
namespace {

std::size_t count(const std::string& text, std::string_view part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

Profile three_stacks() {
  SampleProfile sample;
  sample.add({"main", "open"}, 2, 200, {{"verdict", "held"}});
  sample.add({"main", "open"}, 1, 50, {{"verdict", "unknown"}});
  sample.add({"main", "read", "buffer"}, 1, 1000);
  sample.add({"main"}, 7, 7);
  return sample.finish();
}

/// Every tag is closed, in order, and only these entities occur: what any XML reader asks for.
void check_xml(const std::string& text) {
  std::vector<std::string> open;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.compare(i, 9, "<![CDATA[") == 0) {
      i = text.find("]]>", i);
      REQUIRE(i != std::string::npos);
      continue;
    }
    if (text[i] == '&')
      REQUIRE((text.compare(i, 4, "&lt;") == 0 || text.compare(i, 4, "&gt;") == 0 ||
               text.compare(i, 5, "&amp;") == 0 || text.compare(i, 6, "&quot;") == 0));
    if (text[i] != '<') continue;
    const std::size_t end = text.find('>', i);
    REQUIRE(end != std::string::npos);
    const std::string tag = text.substr(i + 1, end - i - 1);
    i = end;
    if (tag[0] == '?' || tag.back() == '/') continue;
    if (tag[0] == '/') {
      REQUIRE(!open.empty());
      REQUIRE(open.back() == tag.substr(1));
      open.pop_back();
    } else {
      open.push_back(tag.substr(0, tag.find(' ')));
    }
  }
  CHECK(open.empty());
}

TEST_CASE("equal stacks with equal labels are one sample, names are safe") {
  SampleProfile sample;
  sample.add({"a", "b"}, 1, 10, {{"x", "1"}, {"y", ""}});
  sample.add({"a", "b"}, 2, 20, {{"x", "1"}});
  sample.add({"a", "b"}, 4, 40, {{"x", "2"}});
  sample.add({kHostile, ""}, 8, 80, {{"x", kHostile}});
  const Profile profile = sample.finish();
  REQUIRE(profile.samples.size() == 3);
  CHECK(profile.samples[0].blocks == 3);
  CHECK(profile.samples[0].bytes == 30);
  CHECK(profile.blocks() == 15);
  CHECK(profile.bytes() == 150);
  CHECK(profile.stacks.size() == 2);
  for (const Profile::Function& function : profile.functions) {
    CHECK(!function.name.empty());
    CHECK(!has(function.name, "\n"));
    CHECK(!has(function.name, "\xff"));
  }
}

TEST_CASE("stacks lie over each other from the outermost step on") {
  const Profile profile = three_stacks();
  const FrameTree tree = FrameTree::of(profile);
  REQUIRE(tree.nodes().size() == 5);
  CHECK(tree.nodes()[0].all.bytes == 1257);
  CHECK(tree.nodes()[0].own.bytes == 0);
  CHECK(profile.functions[tree.nodes()[1].function].name == "main");
  CHECK(tree.nodes()[1].own.bytes == 7);
  CHECK(tree.nodes()[1].all.blocks == 11);
  for (std::size_t i = 1; i < tree.nodes().size(); ++i) CHECK(tree.nodes()[i].parent < i);
  const auto starts = tree.starts(profile, Weight::bytes);
  for (std::size_t i = 1; i < tree.nodes().size(); ++i)
    if (profile.functions[tree.nodes()[i].function].name == "open") CHECK(starts[i] == 1000);
}

TEST_CASE("what is kept of a tree has its parents kept") {
  SampleProfile sample;
  for (int i = 0; i < 300; ++i)
    sample.add({"a" + std::to_string(i % 7), "b" + std::to_string(i % 31), std::to_string(i)}, 1,
               static_cast<std::uint64_t>(i * i % 97));
  const FrameTree tree = FrameTree::of(sample.finish());
  for (const std::size_t most : {0u, 1u, 2u, 50u, 1000u}) {
    const auto kept = tree.largest(Weight::bytes, most, 1);
    CHECK(kept[0]);
    CHECK(static_cast<std::size_t>(std::count(kept.begin(), kept.end(), true)) <=
          std::max<std::size_t>(most, 1));
    for (std::size_t i = 1; i < kept.size(); ++i)
      if (kept[i]) CHECK(kept[tree.nodes()[i].parent]);
  }
}

TEST_CASE("folded stacks are one line a stack") {
  CHECK(folded_stacks(three_stacks(), Weight::bytes) ==
        "main 7\nmain;open 250\nmain;read;buffer 1000\n");
  CHECK(folded_stacks(three_stacks(), Weight::blocks) ==
        "main 7\nmain;open 3\nmain;read;buffer 1\n");
  CHECK(folded_stacks(SampleProfile().finish(), Weight::bytes).empty());
}

TEST_CASE("names cannot break a folded line") {
  SampleProfile sample;
  sample.add({kHostile, "x"}, 1, 10);
  const std::string text = folded_stacks(sample.finish(), Weight::bytes);
  CHECK(count(text, "\n") == 1);
  CHECK(count(text, ";") == 1);
  CHECK(text.ends_with(";x 10\n"));
}

TEST_CASE("a graph has a node a step, and says what it leaves out") {
  const std::string whole = dot_graph(three_stacks());
  CHECK(has(whole, "[label=\"main\\n11 blocks, 1257 bytes\\nof these here 7 blocks, 7 bytes\""));
  CHECK(has(whole, "[label=\"buffer\\n1 block, 1000 bytes\""));
  CHECK(count(whole, " -> ") == 4);
  CHECK(!has(whole, "left_out"));
  const std::string cut = dot_graph(three_stacks(), 3);
  CHECK(has(cut, "left_out [label=\"2 more are left out\\n4 blocks, 1250 bytes\""));
  CHECK(has(dot_graph(SampleProfile().finish()), "nothing\\n0 blocks, 0 bytes"));
}

TEST_CASE("names stay within the quotes of a graph") {
  SampleProfile sample;
  sample.add({kHostile, "\\", "\""}, 1, 10);
  std::istringstream lines(dot_graph(sample.finish()));
  for (std::string line; std::getline(lines, line);) {
    bool quoted = false;
    for (std::size_t i = 0; i < line.size(); ++i) {
      if (line[i] == '\\')
        ++i;
      else if (line[i] == '"')
        quoted = !quoted;
      else if (!quoted)
        CHECK(line[i] != '<');
    }
    CHECK(!quoted);
  }
}

TEST_CASE("a flame graph draws each step once") {
  const std::string text = flame_graph(three_stacks(), {});
  check_xml(text);
  CHECK(count(text, "class=\"frame\"") == 5);
  CHECK(has(text, "<title>open (3 blocks, 250 bytes, 19.89%)</title>"));
  CHECK(!has(text, "left out"));
  CHECK(!has(text, "http://www.w3.org/1999/xlink"));
  const std::string by_blocks = flame_graph(three_stacks(), {.weight = Weight::blocks});
  CHECK(has(by_blocks, "<title>open (3 blocks, 250 bytes, 27.27%)</title>"));
}

TEST_CASE("a flame graph of nothing is a picture that says so") {
  const std::string text = flame_graph(SampleProfile().finish(), {});
  check_xml(text);
  CHECK(has(text, "0 blocks, 0 bytes"));
  CHECK(count(text, "class=\"frame\"") == 0);
}

TEST_CASE("names stay within the text of a flame graph") {
  SampleProfile sample;
  sample.add({kHostile, "</title><script>alert(1)</script>"}, 1, 10);
  sample.builder.note(kHostile);
  const std::string text = flame_graph(sample.finish(), {});
  check_xml(text);
  CHECK(count(text, "<script>") == 1);
  CHECK(!has(text, "\xef\xbf\xbf"));
}

TEST_CASE("long names are cut between characters") {
  SampleProfile sample;
  std::string name;
  for (int i = 0; i < 400; ++i) name += "ä";
  sample.add({name}, 1, 10);
  const std::string text = flame_graph(sample.finish(), {});
  CHECK(has(text, "ä…</text>"));
}

TEST_CASE("of very many stacks a flame graph has what can be seen, and says so") {
  SampleProfile sample;
  for (int i = 0; i < 100'000; ++i)
    sample.add({"main", "f" + std::to_string(i % 1000), "g" + std::to_string(i)}, 1, 8);
  sample.add({"main", "large"}, 1, 1'000'000);
  const Profile profile = sample.finish();
  const std::string text = flame_graph(profile, {});
  check_xml(text);
  CHECK(text.size() < 3'000'000);
  CHECK(count(text, "class=\"frame\"") == 5000);
  // "all", "main", "large", a thousand and a hundred thousand.
  CHECK(has(text, "96003 frames too narrow to see are left out: 8 bytes at most each"));
  const std::string visible = flame_graph(profile, {.narrow_frames = 0});
  CHECK(has(visible, "100000 frames too narrow to see are left out: 8 bytes at most each"));
  CHECK(count(flame_graph(profile, {.most_frames = 10}), "class=\"frame\"") == 10);
}

}  // namespace
}  // namespace cgo
