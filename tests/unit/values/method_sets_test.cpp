#include "values/method_sets.h"

#include <catch2/catch_test_macros.hpp>

#include "support/test_context.h"
#include "values/opaque_structure.h"

namespace cgo {
namespace {

/// A type that is only what it says.
class PlainType final : public Type {
 public:
  PlainType(TypeKind kind, std::string name, std::uint64_t bytes, bool go, const Type* target)
      : kind_(kind), name_(std::move(name)), bytes_(bytes), go_(go), target_(target) {}
  TypeKind kind() const override { return kind_; }
  std::string_view name() const override { return name_; }
  std::uint64_t bytes() const override { return bytes_; }
  bool complete() const override { return complete_now; }
  bool is_go() const override { return go_; }
  std::optional<std::uint8_t> go_kind() const override { return std::nullopt; }
  Result<const Type*> target() const override {
    if (target_ == nullptr) return Error{ErrorCode::not_found, "no target"};
    return target_;
  }
  Result<const Type*> key() const override { return Error{ErrorCode::not_found, "no key"}; }
  Result<std::span<const TypeMember>> members() const override {
    return std::span<const TypeMember>(fields);
  }
  Result<const Type*> member_type(std::size_t) const override { return this; }
  std::span<const Enumerator> enumerators() const override { return {}; }
  std::optional<std::uint64_t> length() const override { return std::nullopt; }
  std::uint64_t runtime_type() const override { return 0; }
  std::optional<std::uint64_t> dictionary_index() const override { return std::nullopt; }

  std::vector<TypeMember> fields;
  bool complete_now = true;

 private:
  TypeKind kind_;
  std::string name_;
  std::uint64_t bytes_;
  bool go_;
  const Type* target_;
};

/// Types with methods, and those of C by name.
class Program final : public ValueContext {
 public:
  const MemoryReader& memory() const override { return image; }
  Result<TypeDetails> details_of(const Type& type) const override {
    const auto found = details.find(&type);
    if (found == details.end()) return Error{ErrorCode::not_found, "no description"};
    return found->second;
  }
  Result<bool> is_empty_interface(const Type& type) const override {
    auto found = details_of(type);
    if (!found) return std::move(found).error();
    return found->interface_methods.empty();
  }
  Result<const Type*> type_named(std::string_view name) const override {
    const auto found = named.find(std::string(name));
    if (found == named.end()) return Error{ErrorCode::not_found, "no type"};
    return found->second;
  }

  MemoryImage image;
  std::map<const Type*, TypeDetails> details;
  std::map<std::string, const Type*> named;
};

struct Methods {
  PlainType type{TypeKind::structure, "main.Square", 8, true, nullptr};
  PlainType interface{TypeKind::go_interface, "main.Shape", 16, true, nullptr};
  Program program;

  Methods() {
    program.details[&interface].interface_methods = {{"Area", {0x10}}, {"Name", {0x20}}};
    program.details[&interface].package = "main";
    program.details[&type].package = "main";
  }
  std::string missing(std::vector<DescribedMethod> has) {
    program.details[&type].methods = std::move(has);
    auto lacking = missing_method(program, type, interface);
    return lacking ? *lacking : "failed: " + lacking.error().message;
  }
};

/// A pointer in memory to what Go knows as main._Ctype_struct_box, and C's struct box.
struct Box {
  PlainType opaque{TypeKind::structure, "main._Ctype_struct_box", 0, true, nullptr};
  PlainType pointer{TypeKind::pointer, "*main._Ctype_struct_box", 8, true, &opaque};
  PlainType defined{TypeKind::structure, "box", 24, false, nullptr};
  Program program;

  Box() {
    program.image.u64({0x1000}, 0x2000);
    program.named["struct box"] = &defined;
  }
  const Type* pointee() {
    auto found = pointee_in(program, datum_at(&pointer, {0x1000}));
    return found && found->address == Address{0x2000} ? found->type : nullptr;
  }
};

}  // namespace

TEST_CASE("a type that has all methods of an interface lacks none") {
  Methods m;
  CHECK(m.missing({{"Area", {0x10}}, {"Name", {0x20}}, {"Other", {0x30}}}).empty());
  m.program.details[&m.interface].interface_methods.clear();
  CHECK(m.missing({}).empty());
}

TEST_CASE("the first method that is missing is named") {
  Methods m;
  CHECK(m.missing({}) == "missing method Area");
  CHECK(m.missing({{"Area", {0x10}}}) == "missing method Name");
  // Of another type.
  CHECK(m.missing({{"Area", {0x11}}, {"Name", {0x20}}}) == "missing method Area");
}

TEST_CASE("methods that are not known are neither there nor missing") {
  Methods m;
  CHECK(m.missing({{"Area", {}}, {"Name", {0x20}}}) ==
        "failed: the linker removed what is known of method Area");
  m.program.details[&m.interface].interface_methods = {{"area", {0x10}}};
  CHECK(m.missing({{"area", {0x10}}}).empty());
  m.program.details[&m.type].package = "other";
  CHECK(m.missing({{"area", {0x10}}}) ==
        "failed: whether method area is that of the same package is not known");
  m.program.details.erase(&m.type);
  auto unknown = missing_method(m.program, m.type, m.interface);
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().message == "no description");
}

TEST_CASE("interfaces and predeclared types are asked for their own methods") {
  Methods m;
  PlainType wider{TypeKind::go_interface, "main.Wider", 16, true, nullptr};
  m.program.details[&wider].interface_methods = {{"Area", {0x10}}, {"Name", {0x20}}};
  auto lacking = missing_method(m.program, wider, m.interface);
  REQUIRE(lacking);
  CHECK(lacking->empty());
  const PlainType integer{TypeKind::signed_integer, "int", 8, true, nullptr};
  lacking = missing_method(m.program, integer, m.interface);
  REQUIRE(lacking);
  CHECK(*lacking == "missing method Area");
}

TEST_CASE("a pointer to a structure that Go knows by name leads to what C defines") {
  Box box;
  CHECK(box.pointee() == &box.defined);
}

TEST_CASE("without a definition of C the pointee stays as Go has it") {
  Box box;
  box.defined.complete_now = false;
  CHECK(box.pointee() == &box.opaque);
  box.defined.complete_now = true;
  const PlainType number{TypeKind::unsigned_integer, "box", 8, false, nullptr};
  box.program.named["struct box"] = &number;
  CHECK(box.pointee() == &box.opaque);
  const PlainType of_go{TypeKind::structure, "box", 24, true, nullptr};
  box.program.named["struct box"] = &of_go;
  CHECK(box.pointee() == &box.opaque);
  box.program.named.clear();
  CHECK(box.pointee() == &box.opaque);
}

TEST_CASE("null pointers and those that cannot be read lead nowhere") {
  Box box;
  box.program.image.u64({0x1000}, 0);
  CHECK_FALSE(pointee_in(box.program, datum_at(&box.pointer, {0x1000})));
  auto lost = pointee_in(box.program, datum_at(&box.pointer, {0x9000}));
  REQUIRE_FALSE(lost);
  CHECK(lost.error().address == Address{0x9000});
}

TEST_CASE("a structure with bytes of its own is not replaced") {
  Box box;
  const PlainType known{TypeKind::structure, "main._Ctype_struct_box", 24, true, nullptr};
  const PlainType pointer{TypeKind::pointer, "*main._Ctype_struct_box", 8, true, &known};
  auto found = pointee_in(box.program, datum_at(&pointer, {0x1000}));
  REQUIRE(found);
  CHECK(found->type == &known);
}

}  // namespace cgo
