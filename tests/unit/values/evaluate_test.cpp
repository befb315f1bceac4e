#include "values/evaluate.h"

#include <catch2/catch_test_macros.hpp>

#include "support/test_context.h"
#include "values/format_value.h"

namespace cgo {
namespace {

class Locals final : public NameScope {
 public:
  std::map<std::string, Datum> variables;

  Result<Datum> variable(std::string_view name) const override {
    const auto found = variables.find(std::string(name));
    if (found == variables.end()) return Error{ErrorCode::not_found, "none"};
    return found->second;
  }
  std::vector<std::string> names() const override {
    std::vector<std::string> out;
    for (const auto& [name, datum] : variables) out.push_back(name);
    return out;
  }
  std::string package() const override { return "main"; }
};

/// A program with a few variables in a frame of package main.
class World {
 public:
  World() : build_({27, 4}) {
    const Address integer = build_.basic(GoKind::int_, 8, "int");
    const Address small = build_.basic(GoKind::uint8, 1, "uint8");
    const Address floating = build_.basic(GoKind::float64, 8, "float64");
    const Address text = build_.basic(GoKind::string, 16, "string");
    const Address boolean = build_.basic(GoKind::boolean, 1, "bool");
    const Address any = build_.interface({}, "interface {}");
    const Address base = build_.structure({{"ID", integer, 0}}, 8, "main.Base", "main");
    const Address thing =
        build_.structure({{"Base", base, 0, true}, {"Name", text, 8}}, 24, "main.Thing", "main");
    const Address to_thing = build_.pointer(thing, "*main.Thing");
    const Address list = build_.slice(integer, "[]int");
    const Address three = build_.array(integer, 3, 24, "[3]int");
    const Address group = build_.group(text, 16, integer, 8);
    const Address map = build_.map(text, integer, group, "map[string]int");

    const Address name = word(0);
    build_.memory().text(name, "hello");
    thing_ = words({42, name.value, 5});
    numbers_ = words({10, 20, 30, 40});
    const Address unit = build_.data(8 + 8 * 24);
    build_.memory().u64(unit, 0x8080808080808011);
    build_.memory().u64({unit.value + 8}, name.value).u64({unit.value + 16}, 5);
    build_.memory().u64({unit.value + 24}, 77);
    const Address header = words({1, 0, unit.value, 0, 0, 0});

    add("n", integer, word(7));
    add("negative", integer, word(~6ull));
    add("b", small, word(200));
    add("f", floating, word(0x3ff8000000000000));
    add("yes", boolean, word(1));
    add("s", text, words({name.value, 5}));
    add("t", thing, thing_);
    add("p", to_thing, word(thing_.value));
    add("none", to_thing, word(0));
    add("list", list, words({numbers_.value, 3, 4}));
    add("array", three, numbers_);
    add("m", map, word(header.value));
    add("i", any, words({to_thing.value, thing_.value}));
    add("nothing", any, words({0, 0}));
    context_.emplace(build_);
    for (const auto& [variable, place] : places_)
      locals_.variables[variable] = context_->datum(place.first, place.second);
    context_->variables["main.global"] = context_->datum(integer, word(99));
    context_->variables["example.com/pkg.Value"] = context_->datum(integer, word(5));
    context_->variables["example.com/go-one.Only"] = context_->datum(integer, word(6));
    for (const char* whole : {"a/twice.V", "b/twice.V", "same.V", "x/same.V", "x/dots%2ev3.V"})
      context_->variables[whole] = context_->datum(integer, word(8));
    context_->packages = {{"pkg", {"example.com/pkg"}},      {"one", {"example.com/go-one"}},
                          {"twice", {"a/twice", "b/twice"}}, {"same", {"same", "x/same"}},
                          {"dots", {"x/dots.v3"}},           {"n", {"example.com/n"}}};
    context_->named_types = {
        {"main.Thing", thing},  {"main.Base", base},         {"main._Ctype_struct_base", base},
        {"struct other", base}, {"a/twice.T", base},         {"b/twice.T", base},
        {"a/twice.One", base},  {"example.com/pkg.T", base}, {"example.com/pkg.G[int]", base}};
    evaluator_.emplace(*context_, &locals_);
  }

  /// The value on one line, or "!" and the error.
  std::string operator()(std::string_view text) {
    Evaluation result = evaluator_->evaluate(text);
    if (result.failure) return "!" + result.failure->error.message;
    const Value value = read_value(*context_, "x", *std::move(result.datum));
    return value.type_name + " " + format_inline(value);
  }
  std::string failure(std::string_view text) {
    const Evaluation result = evaluator_->evaluate(text);
    return result.failure ? format_expression_error(text, *result.failure) : "none";
  }
  Address thing() const { return thing_; }
  Address numbers() const { return numbers_; }

 private:
  Address word(std::uint64_t value) { return words({value}); }
  Address words(std::initializer_list<std::uint64_t> values) {
    const Address at = build_.data(values.size() * 8);
    std::uint64_t i = 0;
    for (const std::uint64_t value : values) build_.memory().u64({at.value + 8 * i++}, value);
    return at;
  }
  void add(const std::string& name, Address type, Address at) { places_[name] = {type, at}; }

  TypeBuilder build_;
  std::map<std::string, std::pair<Address, Address>> places_;
  Address thing_, numbers_;
  std::optional<TestContext> context_;
  Locals locals_;
  std::optional<Evaluator> evaluator_;
};

}  // namespace

TEST_CASE("names, fields and what they lead to") {
  World w;
  CHECK(w("n") == "int 7");
  CHECK(w("global") == "int 99");
  CHECK(w("main.global") == "int 99");
  CHECK(w("\"example.com/pkg\".Value") == "int 5");
  CHECK(w("t.Name") == "string \"hello\"");
  CHECK(w("t.ID") == "int 42");
  CHECK(w("p.ID") == "int 42");
  CHECK(w("p->Base.ID") == "int 42");
  CHECK(w("(*p).Name") == "string \"hello\"");
  CHECK(w("*&n") == "int 7");
  CHECK(w("&t == p") == "bool true");
  CHECK(w("(*main.Thing)(" + hex(w.thing()) + ").ID") == "int 42");
  CHECK(w("(*Thing)(" + hex(w.thing()) + ").ID") == "int 42");
}

TEST_CASE("packages are named as source code names them") {
  World w;
  CHECK(w("pkg.Value") == "int 5");
  CHECK(w("one.Only") == "int 6");
  CHECK(w("same.V") == "int 8");
  CHECK(w("dots.V") == "int 8");
  CHECK(w("twice.V") == "!\"twice.V\" is in several packages: \"a/twice\".V or \"b/twice\".V");
  CHECK(w("\"a/twice\".V") == "int 8");
  CHECK(w("pkg.Nothing").find("no \"pkg.Nothing\" in any package") != std::string::npos);
  const std::string at = "(" + hex(w.thing()) + ").ID";
  CHECK(w("(*pkg.T)" + at) == "int 42");
  CHECK(w("(*twice.One)" + at) == "int 42");
  CHECK(w("(*pkg.G[int])" + at) == "int 42");
  CHECK(w("(*twice.T)" + at) ==
        "!\"twice.T\" is in several packages: \"a/twice\".T or \"b/twice\".T");
  CHECK(w("n") == "int 7");  // A variable hides the package of its name.
  CHECK(w("n.X").find("no package") == std::string::npos);
}

TEST_CASE("indexing, slicing, len and cap") {
  World w;
  CHECK(w("list[2]") == "int 30");
  CHECK(w("array[0]") == "int 10");
  CHECK(w("s[1]") == "uint8 101");
  CHECK(w("m[\"hello\"]") == "int 77");
  CHECK(w("m[s]") == "int 77");
  CHECK(w("list[1:]") == "[]int len 2, cap 3 {20, 30}");
  CHECK(w("list[:4]") == "[]int len 4, cap 4 {10, 20, 30, 40}");
  CHECK(w("list[0:1:2]") == "[]int len 1, cap 2 {10}");
  CHECK(w("array[1:]") == "[]int len 2, cap 2 {20, 30}");
  CHECK(w("s[1:3]") == "string \"el\"");
  CHECK(w("len(s) + len(list) + len(array) + len(m)") == "int 12");
  CHECK(w("cap(list)") == "int 4");
  CHECK(w("len(\"abc\")") == "int 3");
  CHECK(w("list[n-6]") == "int 20");
}

TEST_CASE("interfaces, nil and conversions") {
  World w;
  CHECK(w("i.(*main.Thing).ID") == "int 42");
  CHECK(w("i == nil") == "bool false");
  CHECK(w("nothing == nil") == "bool true");
  CHECK(w("none == nil") == "bool true");
  CHECK(w("nil != p") == "bool true");
  CHECK(w("float64(n) / 2") == "float64 3.5");
  CHECK(w("int8(b)") == "int8 -56");
  CHECK(w("uint16(negative)") == "uint16 65529");
  CHECK(w("int(f)") == "int 1");
  CHECK(w("uintptr(p) != 0") == "bool true");
  CHECK(w("*(*int)(" + hex(w.numbers()) + ")") == "int 10");
  CHECK(w("(*[4]int)(" + hex(w.numbers()) + ")[3]") == "int 40");
  CHECK(w("(*C.struct_base)(" + hex(w.numbers()) + ").ID") == "int 10");
  CHECK(w("(*C.struct_other)(" + hex(w.numbers()) + ").ID") == "int 10");
  CHECK(w("(*C.struct_none)(16)").find("no type \"*C.struct_none\"") != std::string::npos);
}

TEST_CASE("operators follow Go's rules") {
  World w;
  CHECK(w("1 + 2*3 - 8/4%3") == "int 5");
  CHECK(w("n*n - 1") == "int 48");
  CHECK(w("negative / 2") == "int -3");
  CHECK(w("negative % 4") == "int -3");
  CHECK(w("b + 100") == "uint8 44");
  CHECK(w("b << 1") == "uint8 144");
  CHECK(w("1 << 3 | 1") == "int 9");
  CHECK(w("n &^ 3") == "int 4");
  CHECK(w("-n") == "int -7");
  CHECK(w("^b") == "uint8 55");
  CHECK(w("f * 2") == "float64 3");
  CHECK(w("f + 0.25") == "float64 1.75");
  CHECK(w("n == 7.0") == "bool true");
  CHECK(w("n > 6 && yes || n/0 == 1") == "bool true");
  CHECK(w("!yes") == "bool false");
  CHECK(w("s == \"hello\"") == "bool true");
  CHECK(w("s < \"hellp\"") == "bool true");
  CHECK(w("t == *p") == "bool true");
  CHECK(w("'a' + 1") == "int32 98");
  CHECK(w("0x10 + 0b11 + 0o7 + 1_000") == "int 1026");
  CHECK(w("1.5e3") == "float64 1500");
  CHECK(w("yes == (n == 7)") == "bool true");
}

TEST_CASE("constants are exact, and refused where they do not fit") {
  World w;
  CHECK(w("0.1 + 0.2") == "float64 0.3");
  CHECK(w("1 << 100 >> 98") == "int 4");
  CHECK(w("'a' * 1.0") == "float64 97");
  CHECK(w("0x1.8p1 + 2i*2i") == "complex128 (-1+0i)");
  CHECK(w("complex(f, 2) / (1 + 2i)") == "complex128 (1.1-0.2i)");
  CHECK(w("real(complex(f, 2))") == "float64 1.5");
  CHECK(w("b == 256") == "!the constant does not fit uint8");
  CHECK(w("b + -1") == "!the constant does not fit uint8");
  CHECK(w("int8(100) + int8(100)") == "!the constant does not fit int8");
  CHECK(w("int8(b) + 100") == "int8 44");
  CHECK(w("int(1.5)") == "!the constant is not whole, as int is");
  CHECK(w("1.0 / 0") == "!division by zero");
  CHECK(w("f / 0") == "float64 +Inf");
  CHECK(w("int(f / 0)").find("depends on the machine") != std::string::npos);
  CHECK(w("uint64(18446744073709551615) * uint64(1)") == "uint64 18446744073709551615");
  CHECK(w("1 << n") == "int 128");
  CHECK(w("1 << (n * 10)") == "!the type of the constant that is shifted is not known");
  CHECK(w("n << 64") == "int 0");
  CHECK(w("n << negative") == "!a negative number of places");
}

TEST_CASE("interfaces are compared by type and value, and asserted to other interfaces") {
  World w;
  CHECK(w("i == p") == "bool true");
  CHECK(w("p != i") == "bool false");
  CHECK(w("i == 5") == "bool false");
  CHECK(w("i == list").find("only be compared with nil") != std::string::npos);
  CHECK(w("i.(interface{}) == i") == "bool true");
  CHECK(w("i.(interface{}).(*main.Thing).ID") == "int 42");
  CHECK(w("nothing.(interface{})").find("is nil") != std::string::npos);
  CHECK(w("interface{}(nothing) == nil") == "bool true");
  CHECK(w("interface{}(n)").find("not put into interfaces") != std::string::npos);
  CHECK(w("[]uint8(list)") == "![]int is not converted to []uint8");
  CHECK(w("list < list").find("order") != std::string::npos);
  CHECK(w("p < p") == "!*main.Thing has no order");
}

TEST_CASE("what is wrong is said, and where") {
  World w;
  CHECK(w.failure("list[1] + nn") ==
        "no variable \"nn\" here; did you mean \"n\"?\n  list[1] + nn\n            ^~");
  CHECK(w("t.name").find("it has Base, Name") != std::string::npos);
  CHECK(w("list[3]").find("up to 2") != std::string::npos);
  CHECK(w.failure("list[3]").find("\n       ^") != std::string::npos);
  CHECK(w("m[\"x\"]").find("no such key (of 1)") != std::string::npos);
  CHECK(w("m[1]").find("keys are string") != std::string::npos);
  CHECK(w("n + f") == "!mismatched types int and float64");
  CHECK(w("n + 1.5").find("not whole") != std::string::npos);
  CHECK(w("n / 0") == "!division by zero");
  CHECK(w("s + s") == "!\"+\" is not for string");
  CHECK(w("none.ID") == "!a nil pointer points at nothing");
  CHECK(w("i.ID").find(".(*main.Thing)") != std::string::npos);
  CHECK(w("i.(int)") == "!the interface holds *main.Thing, not int");
  CHECK(w("nothing.(int)").find("is nil") != std::string::npos);
  CHECK(w("foo(1)").find("never called") != std::string::npos);
  CHECK(w("*n") == "!int is no pointer");
  CHECK(w("&(n+1)").find("not in memory") != std::string::npos);
  CHECK(w("n == nil") == "!int is never nil");
  CHECK(w("list == list").find("only be compared with nil") != std::string::npos);
  CHECK(w("list[2:1]").find("out of order") != std::string::npos);
  CHECK(w("n &&") == "!a value is expected, not the end");
  CHECK(w("(n") == "!\")\" is expected, not the end");
  CHECK(w("\"open") == "!the quote is not closed");
  CHECK(w("n @ 1") == "!nothing in an expression is written so");
  CHECK(w("") == "!an expression is expected");
  CHECK(w("Thing").find("is a type") != std::string::npos);
  CHECK(w("1 << 70") == "!the constant is too large");
  CHECK(w("99999999999999999999").find("64 bits") != std::string::npos);
}

TEST_CASE("expressions that nest too deeply are refused") {
  World w;
  CHECK(w(std::string(3000, '(') + "n").starts_with("!nested too deeply"));
  CHECK(w(std::string(3000, '-') + "n").starts_with("!nested too deeply"));
  std::string sum = "n";
  for (int i = 0; i < 1000; ++i) sum += "+1";
  CHECK(w(sum).starts_with("!too many"));
  CHECK(w(std::string(5000, 'n')).find("longer than") != std::string::npos);
}

}  // namespace cgo
