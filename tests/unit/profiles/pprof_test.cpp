#include "profiles/pprof.h"

#include <zlib.h>

#include <catch2/catch_test_macros.hpp>
#include <map>

#include "sample_profile.h"

namespace cgo {
namespace {

/// The fields of a protocol buffers message, as its specification has them.
struct Fields {
  std::map<unsigned, std::vector<std::uint64_t>> numbers;
  std::map<unsigned, std::vector<std::string>> texts;

  std::uint64_t number(unsigned field) const {
    const auto found = numbers.find(field);
    return found == numbers.end() ? 0 : found->second.back();
  }
  const std::vector<std::string>& all(unsigned field) const {
    static const std::vector<std::string> kNone;
    const auto found = texts.find(field);
    return found == texts.end() ? kNone : found->second;
  }
};

std::uint64_t varint(const std::string& bytes, std::size_t& at) {
  std::uint64_t value = 0;
  for (unsigned shift = 0;; shift += 7) {
    REQUIRE(at < bytes.size());
    const auto byte = static_cast<unsigned char>(bytes[at++]);
    value |= std::uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return value;
  }
}

Fields fields(const std::string& bytes) {
  Fields out;
  for (std::size_t at = 0; at < bytes.size();) {
    const std::uint64_t tag = varint(bytes, at);
    const auto field = static_cast<unsigned>(tag >> 3);
    if ((tag & 7) == 0) {
      out.numbers[field].push_back(varint(bytes, at));
      continue;
    }
    REQUIRE((tag & 7) == 2);
    const std::uint64_t length = varint(bytes, at);
    REQUIRE(length <= bytes.size() - at);
    out.texts[field].push_back(bytes.substr(at, length));
    at += length;
  }
  return out;
}

std::vector<std::uint64_t> packed(const std::string& bytes) {
  std::vector<std::uint64_t> out;
  for (std::size_t at = 0; at < bytes.size();) out.push_back(varint(bytes, at));
  return out;
}

std::string uncompressed(const std::string& bytes) {
  z_stream stream{};
  REQUIRE(inflateInit2(&stream, 15 + 16) == Z_OK);
  std::string out(1 << 22, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(inflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return out;
}

Profile real_looking() {
  ProfileBuilder builder;
  const std::uint32_t mapping = builder.mapping({.range = {{0x400000}, {0x500000}},
                                                 .file_offset = 0x1000,
                                                 .file = "/bin/program",
                                                 .build_id = "abcd01"});
  const std::uint32_t inner = builder.function("inlined", "a.c", StepKind::c);
  const std::uint32_t outer = builder.function("outer", "a.c", StepKind::c);
  const std::uint32_t main = builder.function("main.main", "main.go", StepKind::go);
  const std::uint32_t of_c =
      builder.place({.pc = {0x401000}, .mapping = mapping, .lines = {{inner, 3}, {outer, 300}}});
  const std::uint32_t of_go =
      builder.place({.pc = {0x402000}, .mapping = mapping, .lines = {{main, 70000}}});
  builder.add({.stack = builder.stack({of_c, of_go}),
               .labels = builder.labels({{"go_type", "main.Owner"}, {"field", "Blob"}}),
               .blocks = 3,
               .bytes = 300,
               .retained_bytes = 1ull << 40});
  builder.note("a note");
  return builder.finish("C memory", {});
}

TEST_CASE("a profile for pprof has all that the profile has") {
  const Profile profile = real_looking();
  const auto file = pprof_file(profile);
  REQUIRE(file);
  const std::string message = uncompressed(*file);
  CHECK(message == pprof_message(profile));
  const Fields all = fields(message);
  const std::vector<std::string>& strings = all.all(6);
  REQUIRE(!strings.empty());
  CHECK(strings[0].empty());
  const auto text = [&](std::uint64_t index) { return strings.at(index); };

  std::vector<std::string> types;
  for (const std::string& one : all.all(1))
    types.push_back(text(fields(one).number(1)) + "/" + text(fields(one).number(2)));
  CHECK(types == std::vector<std::string>{"inuse_objects/count", "inuse_space/bytes",
                                          "retained_space/bytes"});
  CHECK(text(all.number(14)) == "inuse_space");

  REQUIRE(all.all(2).size() == 1);
  const Fields sample = fields(all.all(2)[0]);
  CHECK(packed(sample.all(2)[0]) == std::vector<std::uint64_t>{3, 300, 1ull << 40});
  std::map<std::string, std::string> labels;
  for (const std::string& one : sample.all(3))
    labels[text(fields(one).number(1))] = text(fields(one).number(2));
  CHECK(labels == std::map<std::string, std::string>{{"field", "Blob"}, {"go_type", "main.Owner"}});

  std::map<std::uint64_t, Fields> locations, functions;
  for (const std::string& one : all.all(4)) locations[fields(one).number(1)] = fields(one);
  for (const std::string& one : all.all(5)) functions[fields(one).number(1)] = fields(one);
  std::vector<std::string> steps;
  for (const std::uint64_t id : packed(sample.all(1)[0])) {
    REQUIRE(locations.contains(id));
    CHECK(locations[id].number(2) == 1);
    for (const std::string& one : locations[id].all(4)) {
      const Fields line = fields(one);
      const Fields& function = functions.at(line.number(1));
      steps.push_back(text(function.number(2)) + " " + text(function.number(4)) + ":" +
                      std::to_string(line.number(2)));
    }
  }
  CHECK(steps ==
        std::vector<std::string>{"inlined a.c:3", "outer a.c:300", "main.main main.go:70000"});
  CHECK(locations[packed(sample.all(1)[0])[0]].number(3) == 0x401000);

  const Fields mapping = fields(all.all(3).at(0));
  CHECK(mapping.number(2) == 0x400000);
  CHECK(mapping.number(3) == 0x500000);
  CHECK(mapping.number(4) == 0x1000);
  CHECK(text(mapping.number(5)) == "/bin/program");
  CHECK(text(mapping.number(6)) == "abcd01");
  CHECK(text(packed(all.all(13)[0])[1]) == "a note");
}

TEST_CASE("a profile of nothing is one that pprof reads") {
  const auto file = pprof_file(SampleProfile().finish());
  REQUIRE(file);
  const Fields all = fields(uncompressed(*file));
  CHECK(all.all(1).size() == 3);
  CHECK(all.all(2).empty());
}

TEST_CASE("a large profile is compressed whole") {
  SampleProfile sample;
  for (int i = 0; i < 40'000; ++i) sample.add({"f" + std::to_string(i * 7919), "main"}, 1, 8);
  const Profile profile = sample.finish();
  const auto file = pprof_file(profile);
  REQUIRE(file);
  CHECK(pprof_message(profile).size() > (1 << 20));
  CHECK(uncompressed(*file) == pprof_message(profile));
}

TEST_CASE("texts in a profile for pprof are UTF-8 without control characters") {
  SampleProfile sample;
  sample.add({kHostile}, 1, 10, {{"go_type", kHostile}});
  const Fields all = fields(pprof_message(sample.finish()));
  for (const std::string& one : all.all(6)) {
    CHECK(one.find('\n') == std::string::npos);
    CHECK(one.find('\xff') == std::string::npos);
  }
}

}  // namespace
}  // namespace cgo
