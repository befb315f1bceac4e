#include <catch2/catch_test_macros.hpp>
#include <cstring>

#include "crossings/call_sites.h"
#include "crossings/go_wrappers.h"
#include "support/memory_image.h"
#include "support/pclntab_builder.h"

namespace cgo {
namespace {

constexpr Address kText{0x401000}, kWord{0x500000}, kGot{0x500100};
constexpr std::uint32_t kFunctionBytes = 0x40, kTextBytes = 0x1000;

/// Functions of 64 bytes, one behind the other, with code written by hand.
class Program {
 public:
  /// Code that is added goes to the end of the function begun last.
  void begin(const std::string& name) {
    offset_ = static_cast<std::uint32_t>(count_++ * kFunctionBytes);
    PclntabBuilder::Function function{.name = name, .entry = offset_};
    function.files = {{kFunctionBytes, "/src/main.go"}};
    function.lines = {{kFunctionBytes, static_cast<std::int32_t>(count_ * 10)}};
    table_.function(std::move(function));
  }
  Address entry_of(std::size_t index) const { return {kText.value + index * kFunctionBytes}; }
  Address here() const { return {kText.value + offset_}; }

  void bytes(std::initializer_list<int> bytes) {
    for (const int byte : bytes) code_[offset_++] = static_cast<std::byte>(byte);
  }
  void relative(Address target) {
    const auto distance = static_cast<std::int32_t>(target.value - (here().value + 4));
    std::memcpy(&code_[offset_], &distance, 4);
    offset_ += 4;
  }
  void call(Address target) {
    bytes({0xe8});
    relative(target);
  }
  void load_rax(Address from) {
    bytes({0x48, 0x8b, 0x05});
    relative(from);
  }

  std::unique_ptr<GoModule> module() const { return table_.module(kText, kTextBytes); }
  MemoryImage memory() const {
    MemoryImage out;
    out.bytes(kText, code_);
    out.pointer(kWord, {0x402000}).pointer(kGot, kWord);
    return out;
  }

 private:
  PclntabBuilder table_{GoVersion{26, 8}};
  std::vector<std::byte> code_ = std::vector<std::byte>(kTextBytes, std::byte{0xcc});
  std::size_t count_ = 0;
  std::uint32_t offset_ = 0;
};

/// A program that calls one C function from two places, one of them through C.CString, and that C
/// calls back.
Program sample() {
  Program out;
  const Address cgocall = out.entry_of(0), wrapper = out.entry_of(1), helper = out.entry_of(4),
                exported = out.entry_of(6), check = out.entry_of(7);
  out.begin("runtime.cgocall");
  out.bytes({0xc3});
  out.begin("main._Cfunc_add");
  out.load_rax(kWord);
  out.call(cgocall);
  out.bytes({0xc3});
  out.begin("main._C2func_add");  // As in a plugin.
  out.load_rax(kGot);
  out.bytes({0x48, 0x8b, 0x00});  // mov (%rax),%rax
  out.call(cgocall);
  out.bytes({0xc3});
  out.begin("main.caller");
  // movabs with what looks like a call to the wrapper inside of it.
  out.bytes({0x48, 0xb8, 0xe8});
  out.relative(wrapper);
  out.bytes({0, 0, 0});
  out.call(wrapper);
  out.call(helper);
  out.bytes({0xc3});
  out.begin("main._Cfunc_CString");
  out.call(wrapper);
  out.bytes({0xc3});
  out.begin("_cgoexp_0123456789ab_under_score");
  out.call(check);
  out.call(exported);
  out.bytes({0xc3});
  out.begin("main.under_score");
  out.bytes({0xc3});
  out.begin("runtime.cgoCheckResult");
  out.bytes({0xc3});
  return out;
}

CodeBytes code_of(const MemoryReader& memory) {
  return CodeBytes::read(memory, {kText, {kText.value + kTextBytes}});
}

}  // namespace

TEST_CASE("wrappers, helpers and exports are found by cgo's names, their words by their code") {
  const Program program = sample();
  const auto module = program.module();
  const MemoryImage memory = program.memory();
  const GoSides sides = find_go_sides(*module, code_of(memory), memory);
  REQUIRE(sides.wrappers.size() == 2);
  CHECK(sides.wrappers[0].c_name == "add");
  CHECK_FALSE(sides.wrappers[0].returns_errno);
  CHECK(sides.wrappers[0].word == kWord);
  CHECK(sides.wrappers[1].returns_errno);
  CHECK(sides.wrappers[1].word == kWord);
  REQUIRE(sides.helpers.size() == 1);
  CHECK(sides.helpers[0].name == "CString");
  REQUIRE(sides.exports.size() == 1);
  CHECK(sides.exports[0].c_name == "under_score");
  CHECK(sides.exports[0].go_name == "main.under_score");
  CHECK(sides.exports[0].file == "/src/main.go");
  CHECK(sides.exports[0].line == 70);
}

TEST_CASE("only instructions are calls, not bytes that look like one") {
  const Program program = sample();
  const auto module = program.module();
  const auto calls =
      direct_calls(*module, code_of(program.memory()), {program.entry_of(4), program.entry_of(1)});
  REQUIRE(calls.size() == 3);
  CHECK(calls[0].at.value == program.entry_of(3).value + 10);
  CHECK(calls[0].target == program.entry_of(1));
  CHECK(calls[1].target == program.entry_of(4));
  CHECK(calls[2].function.name == "main._Cfunc_CString");
  CHECK(direct_calls(*module, code_of(program.memory()), {}).empty());
}

TEST_CASE("code that cannot be read hides crossings and invents none") {
  const Program program = sample();
  const auto module = program.module();
  const MemoryImage whole = program.memory();
  for (std::uint64_t hole = 0; hole < 8 * kFunctionBytes; ++hole) {
    CAPTURE(hole);
    const MemoryImage memory = whole.drop({kText.value + hole});
    const CodeBytes code = code_of(memory);
    CHECK(code.missing() != 0);
    const GoSides sides = find_go_sides(*module, code, memory);
    for (const GoWrapper& one : sides.wrappers) CHECK(one.word == kWord);
    CHECK(direct_calls(*module, code, {program.entry_of(1)}).size() <= 2);
  }
}

TEST_CASE("a missing page is left out of the code, and the rest is there") {
  MemoryImage memory;
  const std::vector<std::byte> page(0x1000, std::byte{0x90});
  memory.bytes({0x10000}, page).bytes({0x12000}, page);
  const CodeBytes code = CodeBytes::read(memory, {{0x10000}, {0x13000}});
  CHECK(code.missing() == 0x1000);
  REQUIRE(code.pieces().size() == 2);
  CHECK(code.at({{0x10ff0}, {0x11000}}).size() == 16);
  CHECK(code.at({{0x10ff0}, {0x11010}}).empty());
  CHECK(code.at({{0x11000}, {0x11010}}).empty());
  CHECK(code.at({{0x12000}, {0x13000}}).size() == 0x1000);
  // A length that no program has is not walked.
  const CodeBytes absurd = CodeBytes::read(memory, {{0x10000}, {1ull << 60}});
  CHECK(absurd.pieces().empty());
  CHECK(absurd.missing() != 0);
  CHECK(CodeBytes::read(memory, {{0x13000}, {0x10000}}).missing() == 0);
}

}  // namespace cgo
