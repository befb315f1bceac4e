#include "unwind/kept_walk.h"

#include <catch2/catch_test_macros.hpp>

#include "target/arch.h"

namespace cgo {
namespace {

constexpr AddressRange kStack{{0xc000010000}, {0xc000012000}},
    kMoved{{0xc000020000}, {0xc000024000}};
constexpr Address kG{0xc000002000};

PhysicalFrame frame(Address pc, Address cfa, std::optional<FuncId> go = std::nullopt) {
  PhysicalFrame out{
      .pc = {pc, CodeAddress::Origin::return_address}, .registers = Registers(kAmd64), .cfa = cfa};
  out.registers.set_pc(pc);
  out.registers.set_sp({cfa.value - 16});
  out.registers.set(3, 0x1234);
  if (go) out.go = GoFunction{.entry = pc, .id = *go};
  return out;
}

/// Frames below the end of a goroutine's stack, with two frames of C between those of Go.
KeptWalk kept() {
  KeptWalk out{.g = kG, .goroutine = 1, .stack = kStack, .walk = {}};
  auto& elements = out.walk.elements;
  elements.emplace_back(frame({0x1000}, {0xc000011000}, FuncId::gopanic));
  elements.emplace_back(frame({0x1100}, {0xc000011100}, FuncId::normal));
  elements.emplace_back(frame({0x1200}, {0xc000011200}, FuncId::cgocallback));
  elements.emplace_back(frame({0x5000}, {0x7ffe1000}));
  elements.emplace_back(frame({0x1300}, {0xc000011280}, FuncId::asmcgocall));
  elements.emplace_back(frame({0x1400}, {0xc000011300}, FuncId::normal));
  elements.emplace_back(frame({0x1500}, {}, FuncId::goexit));
  return out;
}

Address at_place(Address then, AddressRange now) {
  return then ? Address{now.end.value - (kStack.end.value - then.value)} : then;
}

/// The same panic later, two frames further in, on a stack that may have been moved.
Walk later(AddressRange stack = kStack) {
  Walk out;
  out.elements.emplace_back(frame({0x900}, at_place({0xc000010f00}, stack), FuncId::normal));
  out.elements.emplace_back(frame({0x1044}, at_place({0xc000011000}, stack), FuncId::gopanic));
  out.elements.emplace_back(frame({0x1100}, at_place({0xc000011100}, stack), FuncId::normal));
  out.elements.emplace_back(frame({0x1200}, at_place({0xc000011200}, stack), FuncId::cgocallback));
  out.elements.emplace_back(Gap{"overwritten"});
  out.elements.emplace_back(frame({0x1400}, at_place({0xc000011300}, stack), FuncId::normal));
  out.elements.emplace_back(frame({0x1500}, {}, FuncId::goexit));
  return out;
}

std::optional<GoFunction> function_at(Address pc) { return GoFunction{.entry = pc}; }

}  // namespace

TEST_CASE("frames that were overwritten come from the moment when the panic began") {
  for (const AddressRange stack : {kStack, kMoved}) {
    Walk walk = later(stack);
    REQUIRE(fill_gaps(walk, kept(), stack, function_at));
    REQUIRE(walk.elements.size() == 8);
    const auto& c = std::get<PhysicalFrame>(walk.elements[4]);
    CHECK(is_kept(c));
    CHECK(c.pc.address == Address{0x5000});
    CHECK(c.cfa == Address{0x7ffe1000});
    CHECK_FALSE(c.registers.get(3));
    const auto& back = std::get<PhysicalFrame>(walk.elements[5]);
    CHECK(back.cfa == at_place({0xc000011280}, stack));
    CHECK(back.go->entry.value == 0x12ff);  // Looked up anew.
    for (const std::size_t i : {0, 1, 2, 3, 6, 7})
      CHECK_FALSE(is_kept(std::get<PhysicalFrame>(walk.elements[i])));
  }
}

TEST_CASE("another panic's frames are not taken") {
  const auto refused = [](auto change) {
    Walk walk = later();
    KeptWalk other = kept();
    change(walk, other);
    const std::size_t before = walk.elements.size();
    return !fill_gaps(walk, other, kStack, function_at) && walk.elements.size() == before;
  };
  const auto at = [](auto& walk, std::size_t i) -> PhysicalFrame& {
    return std::get<PhysicalFrame>(walk.elements[i]);
  };
  CHECK_FALSE(refused([](Walk&, KeptWalk&) {}));
  CHECK(refused([&](Walk& walk, KeptWalk&) { at(walk, 1).cfa.value += 8; }));
  CHECK(refused([&](Walk& walk, KeptWalk&) { at(walk, 1).go->id = FuncId::normal; }));
  CHECK(refused([&](Walk& walk, KeptWalk&) { at(walk, 2).pc.address.value += 1; }));
  CHECK(refused([&](Walk& walk, KeptWalk&) { at(walk, 3).cfa.value += 8; }));
  CHECK(refused([&](Walk& walk, KeptWalk&) { at(walk, 5).pc.address.value += 1; }));
  CHECK(refused([&](Walk& walk, KeptWalk&) { at(walk, 6).pc.address.value += 1; }));
  CHECK(refused([&](Walk& walk, KeptWalk&) { walk.elements.pop_back(); }));
  CHECK(refused([&](Walk&, KeptWalk& other) { other.walk.elements[3] = Gap{"then too"}; }));
  CHECK(refused([&](Walk&, KeptWalk& other) { other.walk.elements.clear(); }));
  // Without a gap there is nothing to fill.
  CHECK(refused([&](Walk& walk, KeptWalk& other) { walk.elements = other.walk.elements; }));
}

}  // namespace cgo
