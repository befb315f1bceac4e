#include "goruntime/runtime_types.h"

#include <catch2/catch_test_macros.hpp>

#include "support/type_builder.h"

namespace cgo {
namespace {

constexpr GoVersion kOld{19, 13}, kNew{27, 4};

struct Animals {
  explicit Animals(GoVersion version) : build(version) {
    integer = build.basic(GoKind::int_, 8, "int");
    text = build.basic(GoKind::string, 16, "string");
    named = build.structure({{"Base", integer, 0, true}, {"Name", text, 8}}, 24, "zoo.Animal",
                            "example.com/zoo");
    pointer = build.pointer(named, "*zoo.Animal");
    list = build.slice(pointer, "[]*zoo.Animal");
    four = build.array(integer, 4, 32, "[4]int");
    channel = build.channel(list, 1, "<-chan []*zoo.Animal");
    error = build.interface({"Error"}, "error");
    function = build.function({integer, text}, {error}, "func(int, string) error");
  }
  TypeBuilder build;
  Address integer, text, named, pointer, list, four, channel, error, function;
};

const Type& type_at(const RuntimeTypes& types, Address at) {
  const auto type = types.at(at);
  REQUIRE(type);
  return **type;
}

}  // namespace

TEST_CASE("descriptors give kinds, sizes and names with whole import paths") {
  for (const GoVersion version : {kOld, kNew}) {
    const Animals animals(version);
    const RuntimeTypes types(animals.build.memory(), version, TypeBuilder::modules());
    const Type& named = type_at(types, animals.named);
    CHECK(named.kind() == TypeKind::structure);
    CHECK(named.bytes() == 24);
    CHECK(named.name() == "example.com/zoo.Animal");
    CHECK(named.is_go());
    CHECK(named.runtime_type() == animals.named.value - TypeBuilder::kTypes.value);
    const auto members = named.members();
    REQUIRE(members);
    REQUIRE(members->size() == 2);
    CHECK((*members)[0].name == "Base");
    CHECK((*members)[0].embedded);
    CHECK((*members)[1].name == "Name");
    CHECK((*members)[1].offset == 8);
    CHECK((*named.member_type(1))->kind() == TypeKind::go_string);
    CHECK_FALSE(named.member_type(2));

    const Type& list = type_at(types, animals.list);
    CHECK(list.name() == "[]*example.com/zoo.Animal");
    CHECK(list.kind() == TypeKind::go_slice);
    CHECK((*list.target())->name() == "*example.com/zoo.Animal");
    CHECK(*(*list.target())->target() == &named);
    CHECK(type_at(types, animals.four).length() == 4u);
    CHECK(type_at(types, animals.channel).name() == "<-chan []*example.com/zoo.Animal");
    CHECK(RuntimeTypes::descriptor_of(&list)->direct_interface == false);
    CHECK(RuntimeTypes::descriptor_of(*list.target())->direct_interface);
  }
}

TEST_CASE("function and interface types list what they take and ask for") {
  const Animals animals(kNew);
  const RuntimeTypes types(animals.build.memory(), kNew, TypeBuilder::modules());
  const auto function = types.details_at(animals.function);
  REQUIRE(function);
  CHECK(function->parameters == std::vector<Address>{animals.integer, animals.text});
  CHECK(function->results == std::vector<Address>{animals.error});
  const auto error = types.details_at(animals.error);
  REQUIRE(error);
  REQUIRE(error->interface_methods.size() == 1);
  CHECK(error->interface_methods[0].name == "Error");
}

TEST_CASE("what is no type descriptor is said to be none") {
  Animals animals(kNew);
  MemoryImage& memory = animals.build.memory();
  SECTION("kind") { memory.u8({animals.named.value + 23}, 27); }
  SECTION("no kind") { memory.u8({animals.named.value + 23}, 0); }
  SECTION("alignment") { memory.u8({animals.named.value + 21}, 3); }
  SECTION("pointers beyond its size") { memory.u64({animals.named.value + 8}, 25); }
  SECTION("size") { memory.u64(animals.named, ~0ull); }
  const auto type = decode_type_descriptor(memory, animals.named);
  REQUIRE_FALSE(type);
  CHECK(type.error().code == ErrorCode::malformed_data);
  CHECK_FALSE(decode_type_descriptor(memory, {animals.named.value + 4}));
}

TEST_CASE("the details of a struct type name every missing byte") {
  const Animals animals(kNew);
  const auto head = decode_type_descriptor(animals.build.memory(), animals.named);
  REQUIRE(head);
  std::size_t holes = 0;
  for (const Address hole : animals.build.memory().addresses()) {
    const MemoryImage image = animals.build.memory().drop(hole);
    const auto details = decode_type_details(image, kNew, TypeBuilder::modules()[0], *head);
    if (details) continue;
    ++holes;
    CHECK(details.error().address == hole);
  }
  CHECK(holes > 60);
}

TEST_CASE("absurd counts and lengths in descriptors are refused") {
  Animals animals(kNew);
  MemoryImage& memory = animals.build.memory();
  memory.u64({animals.named.value + 64}, 1ull << 60);
  const auto head = decode_type_descriptor(memory, animals.named);
  REQUIRE(head);
  CHECK_FALSE(decode_type_details(memory, kNew, TypeBuilder::modules()[0], *head));
  const Address name = animals.build.data(8);
  memory.u64(name, ~0ull);
  CHECK(decode_type_name(memory, name).error().code == ErrorCode::malformed_data);
}

}  // namespace cgo
