#include <catch2/catch_test_macros.hpp>

#include "support/test_context.h"
#include "values/error_text.h"
#include "values/format_value.h"
#include "values/time_text.h"

namespace cgo {

const TimeZone kUtc{"UTC", 0};

TEST_CASE("times and durations are written as package time writes them") {
  CHECK(time_text(1715941230, 400'000'000, kUtc) == "2024-05-17 10:20:30.4 +0000 UTC");
  CHECK(time_text(0, 0, kUtc) == "1970-01-01 00:00:00 +0000 UTC");
  CHECK(time_text(-1, 999'999'999, kUtc) == "1969-12-31 23:59:59.999999999 +0000 UTC");
  CHECK(time_text(951782400, 0, kUtc) == "2000-02-29 00:00:00 +0000 UTC");
  CHECK(time_text(-62135596800, 0, kUtc) == "0001-01-01 00:00:00 +0000 UTC");
  // As package time writes time.Date(-44, 3, 15, …).
  CHECK(time_text(-63549360000, 0, kUtc) == "-0044-03-15 00:00:00 +0000 UTC");
  CHECK(time_text(-62167219201, 0, kUtc) == "-0001-12-31 23:59:59 +0000 UTC");
  CHECK(time_text(253402300800, 0, kUtc) == "10000-01-01 00:00:00 +0000 UTC");
  CHECK(duration_text(0) == "0s");
  CHECK(duration_text(1) == "1ns");
  CHECK(duration_text(1500) == "1.5µs");
  CHECK(duration_text(-2'000'000) == "-2ms");
  CHECK(duration_text(1'500'000'000) == "1.5s");
  CHECK(duration_text(3'723'000'000'000) == "1h2m3s");
  CHECK(duration_text(60'000'000'000) == "1m0s");
  CHECK(duration_text(std::int64_t{1} << 63) == "-2562047h47m16.854775808s");
}

TEST_CASE("error numbers have the words of package syscall") {
  CHECK(errno_text(2) == "no such file or directory");
  CHECK(errno_text(132) == "operation not possible due to RF-kill");
  CHECK(errno_text(0) == "");
  CHECK(errno_text(1u << 20) == "");
}

namespace {

struct Built {
  TypeBuilder build{{27, 4}};
  Address int32 = build.basic(GoKind::int32, 4, "int32");
  Address int64 = build.basic(GoKind::int64, 8, "int64");
  Address uint64 = build.basic(GoKind::uint64, 8, "uint64");
  Address text = build.basic(GoKind::string, 16, "string");

  Address words(std::initializer_list<std::uint64_t> values) {
    const Address at = build.data(values.size() * 8);
    std::uint64_t i = 0;
    for (const std::uint64_t value : values) build.memory().u64({at.value + 8 * i++}, value);
    return at;
  }
  std::string summary(Address type, Address at) const {
    const TestContext context(build);
    return read_value(context, "x", context.datum(type, at)).summary;
  }
};

}  // namespace

TEST_CASE("locks say who holds them, in the old and the new layout") {
  Built b;
  const Address old_mutex =
      b.build.structure({{"state", b.int32, 0}, {"sema", b.int32, 4}}, 8, "sync.Mutex", "sync");
  const Address inner = b.build.structure({{"state", b.int32, 0}, {"sema", b.int32, 4}}, 8,
                                          "sync.Mutex", "internal/sync");
  const Address mutex = b.build.structure({{"mu", inner, 0}}, 8, "sync.Mutex", "sync");
  for (const Address type : {old_mutex, mutex}) {
    CHECK(b.summary(type, b.words({0})) == "unlocked");
    CHECK(b.summary(type, b.words({1})) == "locked");
    CHECK(b.summary(type, b.words({1 | 4 | 3 << 3})) == "locked, starving, 3 waiting");
  }
  const Address counter = b.build.structure({{"v", b.int32, 0}}, 4, "atomic.Int32", "sync/atomic");
  const Address rw = b.build.structure({{"readerCount", counter, 0}, {"readerWait", counter, 4}}, 8,
                                       "sync.RWMutex", "sync");
  CHECK(b.summary(rw, b.words({0})) == "unlocked");
  CHECK(b.summary(rw, b.words({2})) == "read-locked by 2");
  CHECK(b.summary(rw, b.words({0xc0000000})) == "write-locked");
  CHECK(b.summary(rw, b.words({0xc0000001})) == "write-locked, 1 readers waiting");
  CHECK(b.summary(rw, b.words({0xc0000001 | 1ull << 32})) == "a writer waits for 1 readers");
}

TEST_CASE("time.Time has seconds in either of its forms") {
  Built b;
  const Address time = b.build.structure({{"wall", b.uint64, 0},
                                          {"ext", b.int64, 8},
                                          {"loc", b.build.pointer(b.uint64, "*time.Location"), 16}},
                                         24, "time.Time", "time");
  CHECK(b.summary(time, b.words({0, 0, 0})) == "0001-01-01 00:00:00 +0000 UTC (zero)");
  CHECK(b.summary(time, b.words({400000000, 63851538030, 0})) == "2024-05-17 10:20:30.4 +0000 UTC");
  const std::uint64_t since_1885 = 63851538030 - 59453308800;
  CHECK(b.summary(time, b.words({1ull << 63 | since_1885 << 30 | 7, 12345, 0})) ==
        "2024-05-17 10:20:30.000000007 +0000 UTC m=+0.000012345");
  // As Go prints time.Unix(1<<55, 5).UTC().
  CHECK(b.summary(time, b.words({5, 36028859154560768, 0})) ==
        "1141709097-06-13 06:26:08.000000005 +0000 UTC");
  const TestContext context(b.build);
  const Value nowhere =
      read_value(context, "t", context.datum(time, b.words({400000000, 63851538030, 0x3b9ac9ff})));
  CHECK(nowhere.summary.empty());
  CHECK(nowhere.notes == std::vector<std::string>{"damaged, or not set: no zone is at 0x3b9ac9ff"});
  const Value damaged =
      read_value(context, "t", context.datum(time, b.words({1'073'741'823, 63851538030, 0})));
  CHECK(damaged.summary.empty());
  CHECK(damaged.notes == std::vector<std::string>{"damaged: 1073741823 nanoseconds in one second"});
  CHECK(format_inline(damaged) == "{wall: 1073741823, ext: 63851538030, loc: nil}");
}

TEST_CASE("big numbers are written in decimal") {
  Built b;
  const Address boolean = b.build.basic(GoKind::boolean, 1, "bool");
  const Address list = b.build.slice(b.uint64, "[]uint64");
  const Address big =
      b.build.structure({{"neg", boolean, 0}, {"abs", list, 8}}, 32, "big.Int", "math/big");
  const Address words = b.words({14083847773837265618u, 6692605942});
  CHECK(b.summary(big, b.words({1, words.value, 2, 2})) == "-123456789012345678901234567890");
  CHECK(b.summary(big, b.words({0, 0, 0, 0})) == "0");
  CHECK(b.summary(big, b.words({0, words.value, 1u << 20, 1u << 20})) == "1048576 words");
}

TEST_CASE("an error says what it wraps; one that wraps itself ends") {
  Built b;
  const Address error = b.build.interface({"Error"}, "error");
  const Address plain_type =
      b.build.structure({{"s", b.text, 0}}, 16, "errors.errorString", "errors");
  const Address wrap_type =
      b.build.structure({{"msg", b.text, 0}, {"err", error, 16}}, 32, "fmt.wrapError", "fmt");
  const Address path_type = b.build.structure(
      {{"Op", b.text, 0}, {"Path", b.text, 16}, {"Err", error, 32}}, 48, "fs.PathError", "io/fs");
  const auto itab = [&](Address type, const char* name) {
    const Address pointer = b.build.pointer(type, name);
    const Address at = b.words({0, pointer.value, 0});
    b.build.memory().u32({at.value + 16}, static_cast<std::uint32_t>(pointer.value));
    return at.value;
  };
  const Address letters = b.build.data(8);
  b.build.memory().text(letters, "abcdefgh");
  const std::uint64_t plain_itab = itab(plain_type, "*errors.errorString");
  const std::uint64_t path_itab = itab(path_type, "*fs.PathError");
  const std::uint64_t wrap_itab = itab(wrap_type, "*fmt.wrapError");
  const Address inner = b.words({letters.value, 3});
  const Address path = b.words({letters.value, 1, letters.value + 3, 2, plain_itab, inner.value});
  const Address wrap = b.words({letters.value, 8, path_itab, path.value});
  const TestContext context(b.build);
  const Value value =
      read_value(context, "err", context.datum(error, b.words({wrap_itab, wrap.value})));
  CHECK(value.summary == "\"abcdefgh\"");
  REQUIRE(value.notes.size() == 1);
  CHECK(value.notes[0] == "wraps *io/fs.PathError ← *errors.errorString");
  CHECK(b.summary(error, b.words({path_itab, path.value})) == "\"a de: abc\"");

  b.build.memory().u64({path.value + 32}, path_itab).u64({path.value + 40}, path.value);
  CHECK(b.summary(error, b.words({path_itab, path.value})).empty());
}

namespace {

/// Types of packages fmt and context, and values of them.
struct Chains : Built {
  Address any = build.interface({}, "interface {}");
  Address error = build.interface({"Error"}, "error");
  Address context_type = build.interface({"Value"}, "context.Context");
  Address wrap =
      build.structure({{"msg", text, 0}, {"err", error, 16}}, 32, "fmt.wrapError", "fmt");
  Address value_context =
      build.structure({{"Context", context_type, 0}, {"key", any, 16}, {"val", any, 32}}, 48,
                      "context.valueCtx", "context");
  std::uint64_t wrap_table = table(wrap, "*fmt.wrapError");
  std::uint64_t context_table = table(value_context, "*context.valueCtx");

  /// A method table for pointers to `type`.
  std::uint64_t table(Address type, const char* name) {
    const Address pointer = build.pointer(type, name), at = words({0, pointer.value, 0});
    build.memory().u32({at.value + 16}, static_cast<std::uint32_t>(pointer.value));
    return at.value;
  }
  /// `layers` values, each in the next, around what lies at `innermost`.
  std::uint64_t contexts(int layers, std::uint64_t innermost) {
    const Address number = words({5});
    for (int i = 0; i < layers; ++i)
      innermost =
          words({context_table, innermost, int64.value, number.value, int64.value, number.value})
              .value;
    return innermost;
  }
  Value read(Address type, std::uint64_t table, std::uint64_t at) {
    const Address variable = words({table, at});
    const TestContext context(build);
    return read_value(context, "x", context.datum(type, variable), {.depth = 1});
  }
};

constexpr std::uint64_t kNowhere = 0x7000000;

}  // namespace

TEST_CASE("a chain of contexts that leads to missing memory does not end in nil") {
  Chains c;
  const Value value = c.read(c.context_type, c.context_table, c.contexts(1, kNowhere));
  CHECK(value.summary.starts_with(
      "value int64(5): int64(5) ← value <cannot read 16 bytes at 0x7000010>"));
  CHECK(value.summary.ends_with(" ← <cannot read 16 bytes at 0x7000000>"));
  CHECK(value.unread == 3);
  CHECK(unreadable_parts(value) >= 3);
  const Address last = c.words({0, 0, c.int64.value, 0, c.int64.value, 0});
  CHECK(c.read(c.context_type, c.context_table, last.value).summary.ends_with(" ← nil"));
}

TEST_CASE("a long chain of contexts says where it was cut, one in a circle that it is one") {
  Chains c;
  const Address none = c.words({0, 0, 0, 0, 0, 0});
  const Value all = c.read(c.context_type, c.context_table, c.contexts(30, none.value));
  CHECK(all.summary.ends_with("value nil: nil ← nil"));
  CHECK(all.notes.empty());
  const Value cut = c.read(c.context_type, c.context_table, c.contexts(40, none.value));
  CHECK(cut.summary.ends_with(" ← …"));
  CHECK(cut.notes ==
        std::vector<std::string>{"cut after 32 contexts; 'cgo print --context' shows more"});
  c.build.memory().u64(none, c.context_table).u64({none.value + 8}, none.value);
  const Value circle = c.read(c.context_type, c.context_table, none.value);
  CHECK(circle.summary == "value nil: nil ← …");
  CHECK(circle.notes == std::vector<std::string>{"the contexts go in a circle"});
}

TEST_CASE("a chain of errors says where it was cut, and what could not be read") {
  Chains c;
  const Address letters = c.build.data(8);
  c.build.memory().text(letters, "abcdefgh");
  const auto wrapped = [&](int layers, std::uint64_t at, std::uint64_t text) {
    for (int i = 0; i < layers; ++i) at = c.words({text, 3, c.wrap_table, at}).value;
    return at;
  };
  const Value cut = c.read(c.error, c.wrap_table, wrapped(50, kNowhere, letters.value));
  CHECK(cut.summary == "\"abc\"");
  REQUIRE(cut.notes.size() == 1);
  CHECK(cut.notes[0].starts_with("wraps *fmt.wrapError ← "));
  CHECK(cut.notes[0].ends_with("← *fmt.wrapError ← … (cut after 32)"));

  const Value lost = c.read(c.error, c.wrap_table, wrapped(2, kNowhere, letters.value));
  CHECK(lost.notes == std::vector<std::string>{"wraps *fmt.wrapError ← *fmt.wrapError ← "
                                               "<cannot read 16 bytes at 0x7000010>"});
  CHECK(lost.unread == 1);
  // What it wraps is known also where its own text is not.
  const Address none = c.words({letters.value, 3, 0, 0});
  const Value wordless = c.read(c.error, c.wrap_table, wrapped(1, none.value, kNowhere));
  CHECK(wordless.summary.empty());
  CHECK(wordless.notes == std::vector<std::string>{"wraps *fmt.wrapError"});
}

}  // namespace cgo
