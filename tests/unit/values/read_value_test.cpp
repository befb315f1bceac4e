#include <fmt/format.h>

#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

#include "support/test_context.h"
#include "values/format_value.h"
#include "values/quote.h"

namespace cgo {
namespace {

/// Types and values to take apart; put together by the tests.
struct Program {
  explicit Program(GoVersion version = {27, 4}) : build(version) {
    integer = build.basic(GoKind::int_, 8, "int");
    byte = build.basic(GoKind::uint8, 1, "uint8");
    boolean = build.basic(GoKind::boolean, 1, "bool");
    text = build.basic(GoKind::string, 16, "string");
    any = build.interface({}, "interface {}");
    point = build.structure({{"X", integer, 0}, {"Y", integer, 8}}, 16, "main.Point", "main");
    pointer = build.pointer(point, "*main.Point");
    list = build.slice(integer, "[]int");
  }

  Address word(std::uint64_t value) {
    const Address at = build.data(8);
    build.memory().u64(at, value);
    return at;
  }
  Address words(std::initializer_list<std::uint64_t> values) {
    const Address at = build.data(values.size() * 8);
    std::uint64_t i = 0;
    for (const std::uint64_t value : values) build.memory().u64({at.value + 8 * i++}, value);
    return at;
  }
  Address string(std::string_view characters) {
    const Address data = build.data(characters.size());
    build.memory().text(data, characters);
    return words({data.value, characters.size()});
  }
  Value read(Address type, Address at, const ReadLimits& limits = {}) const {
    const TestContext context(build);
    return read_value(context, "x", context.datum(type, at), limits);
  }
  std::string line(Address type, Address at, const ReadLimits& limits = {}) const {
    return format_inline(read(type, at, limits));
  }

  TypeBuilder build;
  Address integer, byte, boolean, text, any, point, pointer, list;
};

bool has_note(const Value& value, std::string_view text) {
  for (const std::string& note : value.notes)
    if (note.find(text) != std::string::npos) return true;
  return false;
}

/// Memory regions that the test knows.
struct KnownAddresses final : AddressDescriber {
  AddressDescription describe(Address address) const override {
    for (const AddressDescription& one : all)
      if (AddressRange{one.base, {one.base.value + one.bytes}}.contains(address)) return one;
    return {};
  }
  std::vector<AddressDescription> all;
};

}  // namespace

TEST_CASE("basic values") {
  Program p;
  CHECK(p.line(p.integer, p.word(~41ull)) == "-42");
  CHECK(p.line(p.byte, p.word(200)) == "200");
  CHECK(p.line(p.boolean, p.word(1)) == "true");
  CHECK(p.line(p.boolean, p.word(0)) == "false");
  CHECK(p.line(p.boolean, p.word(7)) == "true (7)");
  CHECK(p.line(p.text, p.string("h\xc3\xa9\n\x01\xff")) == "\"h\xc3\xa9\\n\\x01\\xff\"");
  CHECK(p.line(p.text, p.words({0, 0})) == "\"\"");
  const Address half = p.build.basic(GoKind::float32, 4, "float32");
  CHECK(p.line(half, p.word(0x3fa00000)) == "1.25");
  const Address complex = p.build.basic(GoKind::complex128, 16, "complex128");
  CHECK(p.line(complex, p.words({0x3ff8000000000000, 0xc000000000000000})) == "(1.5-2i)");
}

TEST_CASE("structures, pointers and slices") {
  Program p;
  const Address at = p.words({3, ~3ull});
  CHECK(p.line(p.point, at) == "{X: 3, Y: -4}");
  CHECK(p.line(p.pointer, p.word(at.value)) == hex(at) + " → {X: 3, Y: -4}");
  CHECK(p.line(p.pointer, p.word(0)) == "nil");
  const Address numbers = p.words({1, 2, 3});
  CHECK(p.line(p.list, p.words({numbers.value, 3, 4})) == "len 3, cap 4 {1, 2, 3}");
  CHECK(p.line(p.list, p.words({0, 0, 0})) == "nil");
  CHECK(p.line(p.list, p.words({numbers.value, 0, 4})) == "len 0, cap 4");
}

TEST_CASE("a structure of C that Go knows by name only is not shown as an empty one") {
  Program p;
  // As cgo declares it: src/cmd/cgo/gcc.go, runtime/cgo.Incomplete.
  const Address nothing = p.build.structure({}, 0, "sys.nih", "runtime/internal/sys");
  const Address hidden =
      p.build.structure({{"_", nothing, 0}}, 0, "main._Ctype_struct_hidden", "main");
  CHECK(has_note(p.read(hidden, p.word(0)), "its fields are not known"));
}

TEST_CASE("an interface shows its dynamic type; nil and typed nil are told apart") {
  Program p;
  const Address number = p.word(5), at = p.words({8, 9});
  CHECK(p.line(p.any, p.words({0, 0})) == "nil");
  CHECK(p.line(p.any, p.words({p.integer.value, number.value})) == "int(5)");
  CHECK(p.line(p.any, p.words({p.point.value, at.value})) == "main.Point({X: 8, Y: 9})");
  CHECK(p.line(p.any, p.words({p.pointer.value, 0})) == "*main.Point(nil)");
  CHECK(p.line(p.any, p.words({p.pointer.value, at.value})) ==
        "*main.Point(" + hex(at) + " → {X: 8, Y: 9})");
  const Value wild = p.read(p.any, p.words({0x1230, 0}));
  REQUIRE(wild.error);
  CHECK(wild.error->code == ErrorCode::unreadable_memory);
}

TEST_CASE("a channel lists what will be received, and who waits") {
  Program p;
  const Address buffer = p.words({30, 10, 20, 0});
  const Address sudog = p.words({0xc000000007, 0, 0, 0});
  const Address header =
      p.words({3, 4, buffer.value, 8, 0, p.integer.value, 0, 1, 0, 0, sudog.value, sudog.value});
  const Address type = p.build.channel(p.integer, 3, "chan int");
  const Value value = p.read(type, p.word(header.value));
  CHECK(value.text == "len 3, cap 4, 1 sender waits (goroutine 7)");
  CHECK(format_inline(value) == value.text + " {10, 20, 0}");
}

TEST_CASE("a func value names its function") {
  Program p;
  const Address type = p.build.function({}, {}, "func()");
  const Address closure = p.word(0x401000);
  const Address variable = p.word(closure.value);
  TestContext context(p.build);
  context.places[{0x401000}] = {.function = "main.f", .file = "/src/main.go", .line = 12};
  const Value value = read_value(context, "f", context.datum(type, variable));
  CHECK(value.text == "main.f /src/main.go:12");
  CHECK(read_value(TestContext(p.build), "f", context.datum(type, variable)).error);
}

TEST_CASE("a method value has its receiver") {
  Program p;
  const Address type = p.build.function({}, {}, "func()");
  const Address by_value = p.word(p.words({0x401000, 3, 4}).value);
  const Address at = p.words({5, 6});
  const Address by_pointer = p.word(p.words({0x402000, at.value}).value);
  const Address unknown = p.word(p.words({0x403000, 0}).value);
  TestContext context(p.build);
  context.named_types = {{"main.Point", p.point}, {"*main.Point", p.pointer}};
  context.places[{0x401000}] = {.function = "main.Point.Sum-fm", .file = {}};
  context.places[{0x402000}] = {.function = "main.(*Point).Move-fm", .file = {}};
  context.places[{0x403000}] = {.function = "main.Pair[...].Sum-fm", .file = {}};
  const auto line = [&](Address variable) {
    return format_inline(read_value(context, "f", context.datum(type, variable)));
  };
  CHECK(line(by_value) == "main.Point.Sum-fm {receiver: {X: 3, Y: 4}}");
  CHECK(line(by_pointer) == "main.(*Point).Move-fm {receiver: " + hex(at) + " → {X: 5, Y: 6}}");
  const Value without = read_value(context, "f", context.datum(type, unknown));
  CHECK(without.children.empty());
  CHECK(has_note(without, "the type of its receiver, main.Pair[...], is not known"));
}

TEST_CASE("what a closure holds and nothing tells about is said") {
  for (const unsigned short minor : {22, 27}) {
    Program p({minor, 0});
    const Address type = p.build.function({}, {}, "func()");
    const Address variable = p.word(p.words({0x401000, 3, 4}).value);
    TestContext context(p.build);
    context.places[{0x401000}] = {.function = "main.f.func1", .file = {}};
    const Value value = read_value(context, "f", context.datum(type, variable));
    CHECK(has_note(value, minor < 23 ? "what it captured is not known: before Go 1.23"
                                     : "not in debug information"));
  }
}

TEST_CASE("a captured array is not followed where it may be held itself") {
  using Kind = AddressDescription::Kind;
  Program p;
  const Address type = p.build.function({}, {}, "func()");
  const Address pair = p.build.array(p.integer, 2, 16, "[2]int");
  const Address target = p.words({10, 20});
  // As the compiler lays out closures; what is at 8 is an address, or the first number.
  const Address closure = p.words({0x401000, target.value, 30, 40});
  const Address variable = p.word(closure.value);
  KnownAddresses known;
  TestContext context(p.build);
  context.addresses = &known;
  context.places[{0x401000}] = {.function = "main.f.func1", .file = {}};
  const Type* array = context.datum(pair, target).type;
  const Type* number = context.datum(p.integer, target).type;
  const CapturedVariable whole{.name = "a", .type = array, .offset = 8, .by_reference = true};
  const auto line = [&](std::vector<CapturedVariable> captured) {
    context.captured[{0x401000}] = std::move(captured);
    return format_inline(read_value(context, "f", context.datum(type, variable)));
  };
  const std::string as_value = fmt::format("{{a: {{{}, 30}}}}", target.value);

  SECTION("what lies right behind leaves room for an address only") {
    CHECK(line({whole, {.name = "n", .type = number, .offset = 16}})
              .ends_with("{a: {10, 20}, n: 30}"));
  }
  SECTION("an object of the heap that is too small for it") {
    known.all = {{Kind::go_object, "Go object of 16 bytes", closure, 16}};
    CHECK(line({whole}).ends_with("{a: {10, 20}}"));
  }
  SECTION("no address of a variable") {
    CHECK(line({whole}).ends_with(as_value));
    known.all = {{Kind::global, "main.table", target, 16}};
    CHECK(line({whole}).ends_with(as_value));
    known.all = {{Kind::go_object, "Go object of 8 bytes", target, 8}};
    CHECK(line({whole}).ends_with(as_value));
  }
  SECTION("either") {
    known.all = {{Kind::go_object, "Go object of 16 bytes", target, 16}};
    context.captured[{0x401000}] = {whole, {.name = "n", .type = number, .offset = 24}};
    const Value value = read_value(context, "f", context.datum(type, variable));
    REQUIRE(value.children.size() == 2);
    REQUIRE(value.children[0].error);
    CHECK(value.children[0].error->message.find("captured by value or by reference") !=
          std::string::npos);
    CHECK(value.children[0].children.empty());
    CHECK(value.children[1].text == "40");
    context.addresses = nullptr;
    CHECK(line({whole}).find("captured by value or by reference") != std::string::npos);
  }
  SECTION("what fits registers is named by its address only when the closure has that") {
    CHECK(line({{.name = "n", .type = number, .offset = 8, .by_reference = true}})
              .ends_with("{n: 10}"));
  }
}

TEST_CASE("limits say what they cut") {
  Program p;
  const Address numbers = p.words({1, 2, 3, 4, 5});
  const Address slice = p.words({numbers.value, 5, 5});
  const Value few = p.read(p.list, slice, {.elements = 2});
  CHECK(few.children.size() == 2);
  CHECK(has_note(few, "cut after 2 of 5"));
  CHECK(format_inline(few) == "len 5, cap 5 {1, 2, …}");
  const Value shallow = p.read(p.list, slice, {.depth = 0});
  CHECK(shallow.children.empty());
  CHECK(has_note(shallow, "deeper"));
  const Value text = p.read(p.text, p.string("abcdef\xc3\xa9"), {.text_bytes = 7});
  CHECK(text.text == "\"abcdef\"");
  CHECK(has_note(text, "cut after 6 of 8 bytes"));
  const Value counted = p.read(p.list, slice, {.values = 3});
  CHECK(counted.children.size() == 3);
  CHECK(has_note(counted, "3 values were read"));
  CHECK(has_note(counted, "cut after 3 of 5"));
}

TEST_CASE("no number that a user gives lifts the bound on values") {
  ReadLimits limits;
  limits.set_elements(100'000);
  CHECK(limits.elements == 100'000);
  CHECK(limits.values == 1'600'000);
  limits.set_elements(~0ull);
  CHECK(limits.values == kMostValues);
  Program p;
  const Address numbers = p.words({1, 2, 3, 4, 5});
  const Value nested = p.read(p.build.array(p.list, 2, 48, "[2][]int"),
                              p.words({numbers.value, 5, 5, numbers.value, 5, 5}), {.values = 4});
  CHECK(count_values(nested) <= 5);
  CHECK(has_note(nested, "cut after 1 of 2"));
  CHECK(has_note(nested.children[0], "cut after 3 of 5"));
}

TEST_CASE("a structure that holds itself ends where it begins again") {
  Program p;
  // type T struct { self any }
  const Address node = p.build.structure({{"self", p.any, 0}}, 16, "main.T", "main");
  const Address to_node = p.build.pointer(node, "*main.T");
  const Address at = p.build.data(16);
  p.build.memory().u64(at, to_node.value).u64({at.value + 8}, at.value);
  const Value value = p.read(to_node, p.word(at.value), {.depth = 50});
  CHECK(format_inline(value, 200).find("{self: *main.T(") != std::string::npos);
  CHECK(format_text(value).size() < 2000);
}

TEST_CASE("corrupt values are shown as far as they are true") {
  Program p;
  const Address numbers = p.words({1, 2, 3});
  const Value long_slice = p.read(p.list, p.words({numbers.value, 3, 2}));
  CHECK(long_slice.children.size() == 2);
  CHECK(long_slice.length == 3u);
  CHECK(has_note(long_slice, "above its capacity; no more than 2 are read"));
  const Value endless = p.read(p.list, p.words({numbers.value, 1ull << 40, 3}));
  CHECK(format_inline(endless) == "len 1099511627776, cap 3 {1, 2, 3, …}");
  CHECK(p.read(p.list, p.words({numbers.value, ~0ull, ~0ull})).error);
  const Value past_end = p.read(p.list, p.words({numbers.value, 6, 6}));
  CHECK(past_end.children.size() == 6);
  CHECK_FALSE(past_end.children[2].error);
  CHECK(past_end.children[5].error);
  const Value wild = p.read(p.text, p.words({16, 5}));
  REQUIRE(wild.error);
  CHECK(wild.error->address == Address{16});
  CHECK(p.read(p.text, p.words({16, 1ull << 60})).error->code == ErrorCode::malformed_data);
}

TEST_CASE("a slice whose capacity was optimized out has its elements") {
  Program p;
  const Address numbers = p.words({1, 2, 3});
  const Address at = p.words({numbers.value, 3, 0});
  const TestContext context(p.build);
  Datum slice = context.datum(p.list, at);
  prefetch(context.memory(), slice);
  slice.holes = {{16, 8, Error{ErrorCode::not_found, "optimized out"}}};
  const Value value = read_value(context, "v", slice);
  CHECK_FALSE(value.error);
  CHECK(value.text == "len 3");
  CHECK(value.children.size() == 3);
  CHECK(has_note(value, "capacity: optimized out"));
  slice.holes = {{8, 8, Error{ErrorCode::not_found, "optimized out"}}};
  CHECK(read_value(context, "v", slice).error);
}

TEST_CASE("a part that cannot be read leaves the rest") {
  Program p;
  const Address at = p.words({3, 4});
  const MemoryImage image = p.build.memory().drop({at.value + 9});
  const TestContext context(image, {27, 4});
  const Value value = read_value(context, "p", context.datum(p.point, at));
  CHECK_FALSE(value.error);
  REQUIRE(value.children.size() == 2);
  CHECK(value.children[0].text == "3");
  CHECK(value.children[1].error->address == Address{at.value + 9});
}

TEST_CASE("a hole in a value that is not in memory is said where it is") {
  Program p;
  const TestContext context(p.build);
  Datum datum = context.datum(p.point, {});
  datum.address.reset();
  datum.bytes = std::vector<std::byte>(16);
  datum.holes.push_back({8, 8, Error{ErrorCode::not_found, "rbx is not known in this frame"}});
  const Value value = read_value(context, "p", datum);
  CHECK(format_inline(value) == "{X: 0, Y: <rbx is not known in this frame>}");
}

TEST_CASE("maps give keys and elements") {
  Program p;
  const Address group = p.build.group(p.text, 16, p.integer, 8);
  const Address type = p.build.map(p.text, p.integer, group, "map[string]int");
  const Address key = p.string("one");
  const Address unit = p.build.data(8 + 8 * 24);
  MemoryImage& memory = p.build.memory();
  memory.u64(unit, 0x8080808080808011);
  memory.u64({unit.value + 8}, *read_unsigned<std::uint64_t>(memory, key));
  memory.u64({unit.value + 16}, 3).u64({unit.value + 24}, 111);
  const Address header = p.words({1, 0, unit.value, 0, 0, 0});
  const Value value = p.read(type, p.word(header.value));
  CHECK(format_inline(value) == "len 1 {[\"one\"]: 111}");
  REQUIRE(value.keys.size() == 1);
  CHECK(value.keys[0].text == "\"one\"");
  CHECK(p.line(type, p.word(0)) == "nil");
  const auto json = nlohmann::json::parse(format_json(value));
  CHECK(json["children"][0]["key"]["value"] == "\"one\"");
  CHECK(json["children"][0]["value"] == "111");
  CHECK(json["length"] == 1);
}

TEST_CASE("text and JSON stay valid whatever names and values hold") {
  Program p;
  const TestContext context(p.build);
  Value value{.name = "a\x1b[31m\xff", .type_name = "\"\\", .text = "\xc3"};
  value.notes.push_back("\n");
  CHECK_NOTHROW(nlohmann::json::parse(format_json(value)));
  CHECK(format_text(value).find('\x1b') == std::string::npos);
  CHECK(quoted("\xe2\x80\xae") == "\"\\u202e\"");
  CHECK(quoted("\x1b]") == "\"\\x1b]\"");
}

TEST_CASE("long values take a line for each part") {
  Program p;
  const Address name = p.string("a name that is long enough to fill a line of sixty columns");
  const Address type =
      p.build.structure({{"Name", p.text, 0}, {"Where", p.point, 16}}, 32, "main.Place", "main");
  const Address at =
      p.words({read_unsigned<std::uint64_t>(p.build.memory(), name).value_or(0), 58, 1, 2});
  CHECK(format_text(p.read(type, at), 60) ==
        "x main.Place = \n"
        "  Name = \"a name that is long enough to fill a line of sixty columns\"\n"
        "  Where = {X: 1, Y: 2}\n");
}

}  // namespace cgo
