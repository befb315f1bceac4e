#include "values/frame_variables.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>

#include "support/dwarf_samples.h"
#include "support/memory_image.h"
#include "target/arch.h"
#include "target/dwarf.h"
#include "values/frame_scope.h"

namespace cgo {
namespace {

constexpr std::uint64_t kBias = 0x100000;
constexpr unsigned kRbx = 3, kRax = 0, kRsi = 4;

/// The sample program, loaded, with a stack of two frames of f: the inner one at a pc, and the call
/// that returns to 0x1035.
struct World {
  explicit World(std::uint64_t file_pc) {
    auto file = ElfFile::from_bytes(elf_with(variable_sections(5)), "sample");
    REQUIRE(file);
    auto opened = DwarfInfo::open(*file);
    REQUIRE(opened);
    images = ImageMap({{.path = "/bin/sample",
                        .file = *file,
                        .bias = kBias,
                        .range = {{kBias + 0x1000}, {kBias + 0x9000}}}});
    for (Address at{0x8000 - 32}; at.value < 0x8000; at.value += 8) memory.u64(at, at.value);
    Registers inner(kAmd64), outer(kAmd64);
    inner.set_pc({kBias + file_pc});
    outer.set_pc({kBias + 0x1035});
    walk.elements.emplace_back(
        PhysicalFrame{.pc = {inner.pc(), CodeAddress::Origin::program_counter},
                      .registers = inner,
                      .cfa = {0x8000}});
    walk.elements.emplace_back(
        PhysicalFrame{.pc = {outer.pc(), CodeAddress::Origin::return_address},
                      .registers = outer,
                      .cfa = {0x9000}});
    source = {.memory = &memory,
              .images = &images,
              .dwarf = [dwarf = *opened](const Image&) -> Result<std::shared_ptr<const DwarfInfo>> {
                return dwarf;
              },
              .walk = &walk};
  }
  Registers& registers(std::size_t frame) {
    return std::get<PhysicalFrame>(walk.elements[frame]).registers;
  }
  std::vector<FrameVariable> variables(FramePosition position = {}) const {
    auto found = frame_variables(source, position);
    REQUIRE(found);
    return *found;
  }

  ImageMap images;
  MemoryImage memory;
  Walk walk;
  FrameSource source;
};

const FrameVariable& named(const std::vector<FrameVariable>& all, std::string_view name) {
  const FrameVariable* found = visible_variable(all, name);
  REQUIRE(found);
  return *found;
}

std::uint64_t number(const World& world, const FrameVariable& variable) {
  REQUIRE(variable.datum);
  auto value = load_unsigned(world.memory, *variable.datum);
  REQUIRE(value);
  return *value;
}

}  // namespace

TEST_CASE("a variable is read from the frame's registers, its CFA, or the image's data") {
  World world(0x1000);
  world.registers(0).set(kRsi, 77);
  const auto all = world.variables();
  CHECK(number(world, named(all, "b")) == 77);
  CHECK(named(all, "v").datum->address == Address{0x7ff0});
  CHECK(named(all, "seen").datum->address == Address{kBias + 0x5008});
  REQUIRE(named(all, "a").error);
  CHECK(named(all, "a").error->message == "register rdi of this frame is not known");
}

TEST_CASE("what a callee does not keep is taken from the call's entry in the caller") {
  World world(0x1015);
  CHECK(named(world.variables(), "a").error->message ==
        "passed by the caller: register rbx of this frame is not known");
  world.registers(1).set(kRbx, 41);
  CHECK(number(world, named(world.variables(), "a")) == 42);
}

TEST_CASE("a call that went to another function tells nothing of this one") {
  World world(0x1015);
  world.registers(1).set(kRbx, 41);
  auto& caller = std::get<PhysicalFrame>(world.walk.elements[1]);
  caller.pc.address = {kBias + 0x1033};  // No call is known to return there.
  CHECK(named(world.variables(), "a")
            .error->message.ends_with("the caller does not tell what it passed"));
  caller.pc = {{kBias + 0x1035}, CodeAddress::Origin::program_counter};
  CHECK(named(world.variables(), "a").error->message.ends_with("this function was not called"));
  auto& callee = std::get<PhysicalFrame>(world.walk.elements[0]);
  callee.crossing = Crossing::c_to_go;
  CHECK(named(world.variables(), "a").error->message.ends_with("no C code called this function"));
  callee.crossing = Crossing::none;
  world.walk.elements.pop_back();
  CHECK(named(world.variables(), "a").error->message.ends_with("nothing is known of the caller"));
}

TEST_CASE("each inlined function has variables of its own; inner ones hide outer ones") {
  World world(0x1020);
  world.registers(0).set(kRax, 5);
  const auto inlined = world.variables({.inline_depth = 0});
  CHECK(number(world, named(inlined, "p")) == 5);
  CHECK(named(inlined, "r").error->message == "optimized out");
  const auto outer = world.variables({.inline_depth = 1});
  CHECK(number(world, named(outer, "v")) == 7);
  CHECK(std::count_if(outer.begin(), outer.end(),
                      [](const FrameVariable& v) { return v.name == "v" && v.shadowed; }) == 1);
  CHECK_FALSE(frame_variables(world.source, {.inline_depth = 2}));
  // The stack may have been made from another table; then the name decides.
  auto by_name =
      frame_variables(world.source, {.inline_depth = 0, .functions = 3, .function = "f"});
  REQUIRE(by_name);
  CHECK(visible_variable(*by_name, "w") != nullptr);
}

TEST_CASE("a parameter on the heap is listed once, as what it is now") {
  const Datum slot{.address = Address{0x7ff0}}, heap{.address = Address{0xc000}};
  const FrameVariable parameter{.name = "n", .parameter = true, .declared_line = 25, .datum = slot};
  const FrameVariable moved{.name = "n", .escaped = true, .declared_line = 25, .datum = heap};
  FrameVariable inner = moved;
  inner.depth = 1;
  inner.declared_line = 33;
  std::vector<FrameVariable> all = {parameter, inner, moved};
  join_escaped_parameters(all);
  REQUIRE(all.size() == 2);
  CHECK(all[0].parameter);
  CHECK(all[0].escaped);
  CHECK(all[0].datum->address == heap.address);
  CHECK(all[1].declared_line == 33);
  // A result has its place in the frame too.
  all = {parameter, moved};
  all[0].parameter = false;
  all[0].result = true;
  join_escaped_parameters(all);
  REQUIRE(all.size() == 1);
  CHECK(all[0].result);
  CHECK(all[0].datum->address == heap.address);
  // Before it is made, the slot is the parameter.
  all = {parameter, moved};
  all[1].datum.reset();
  all[1].error = Error{ErrorCode::not_found, "not made yet: its address is still nil"};
  join_escaped_parameters(all);
  REQUIRE(all.size() == 1);
  CHECK(all[0].datum->address == slot.address);
  // Where it cannot be told, the slot is no answer.
  all = {parameter, moved};
  all[1].datum.reset();
  all[1].error = Error{ErrorCode::not_found, "optimized out"};
  join_escaped_parameters(all);
  REQUIRE(all.size() == 1);
  CHECK_FALSE(all[0].datum);
}

TEST_CASE("a frame's names are a scope for expressions") {
  World world(0x1000);
  world.registers(0).set(kRsi, 77);
  const FrameScope scope(world.variables(), Language::c, "f");
  CHECK(scope.names() == std::vector<std::string>{"a", "b", "v", "seen"});
  CHECK(scope.variable("b"));
  CHECK(scope.variable("nothing").error().code == ErrorCode::not_found);
  CHECK(scope.variable("a").error().code == ErrorCode::unsupported);
  CHECK(scope.package().empty());
  CHECK(package_of_function("example.com/a/b.(*T[...]).F") == "example.com/a/b");
  CHECK(package_of_function("main.Map[example.com/a.B]") == "main");
  CHECK(package_of_function("memcpy").empty());
}

TEST_CASE("code without debug information is said to have none") {
  World world(0x1000);
  auto& frame = std::get<PhysicalFrame>(world.walk.elements[0]);
  frame.pc.address = {0x10};
  CHECK(frame_variables(world.source, {}).error().message == "the code at 0x10 is in no file");
  frame.pc.address = {kBias + 0x2000};
  CHECK(frame_variables(world.source, {}).error().code == ErrorCode::not_found);
  CHECK(frame_variables(world.source, {.physical = 9}).error().code == ErrorCode::not_found);
}

}  // namespace cgo
