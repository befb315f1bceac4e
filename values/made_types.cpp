#include "values/made_types.h"

#include "goruntime/type_descriptor.h"

namespace cgo {

class MadeTypes::MadeType final : public Type {
 public:
  struct Parts {
    TypeKind kind = TypeKind::none;
    std::string name;
    std::uint64_t bytes = 0;
    std::optional<GoKind> go;
    const Type* target = nullptr;
    std::optional<std::uint64_t> length;
    std::vector<TypeMember> members;
    const Type* representation = nullptr;
  };
  explicit MadeType(Parts parts) : parts_(std::move(parts)) {}

  TypeKind kind() const override { return parts_.kind; }
  std::string_view name() const override { return parts_.name; }
  std::uint64_t bytes() const override { return parts_.bytes; }
  bool complete() const override { return true; }
  bool is_go() const override { return parts_.go.has_value(); }
  std::optional<std::uint8_t> go_kind() const override {
    if (!parts_.go) return std::nullopt;
    return static_cast<std::uint8_t>(*parts_.go);
  }
  Result<const Type*> target() const override {
    if (parts_.target == nullptr) return none();
    return parts_.target;
  }
  Result<const Type*> key() const override { return none(); }
  Result<const Type*> representation() const override {
    if (parts_.representation == nullptr) return none();
    return parts_.representation;
  }
  Result<std::span<const TypeMember>> members() const override {
    if (parts_.members.empty()) return none();
    return std::span<const TypeMember>(parts_.members);
  }
  Result<const Type*> member_type(std::size_t) const override { return none(); }
  std::span<const Enumerator> enumerators() const override { return {}; }
  std::optional<std::uint64_t> length() const override { return parts_.length; }
  std::uint64_t runtime_type() const override { return 0; }
  std::optional<std::uint64_t> dictionary_index() const override { return std::nullopt; }

 private:
  Error none() const { return {ErrorCode::not_found, parts_.name + " has no such part"}; }
  Parts parts_;
};

namespace {

struct Predeclared {
  std::string_view name;
  TypeKind kind;
  GoKind go;
  std::uint64_t bytes;
};

constexpr Predeclared kPredeclared[] = {
    {"bool", TypeKind::boolean, GoKind::boolean, 1},
    {"int", TypeKind::signed_integer, GoKind::int_, 8},
    {"int8", TypeKind::signed_integer, GoKind::int8, 1},
    {"int16", TypeKind::signed_integer, GoKind::int16, 2},
    {"int32", TypeKind::signed_integer, GoKind::int32, 4},
    {"rune", TypeKind::signed_integer, GoKind::int32, 4},
    {"int64", TypeKind::signed_integer, GoKind::int64, 8},
    {"uint", TypeKind::unsigned_integer, GoKind::uint, 8},
    {"uint8", TypeKind::unsigned_integer, GoKind::uint8, 1},
    {"byte", TypeKind::unsigned_integer, GoKind::uint8, 1},
    {"uint16", TypeKind::unsigned_integer, GoKind::uint16, 2},
    {"uint32", TypeKind::unsigned_integer, GoKind::uint32, 4},
    {"uint64", TypeKind::unsigned_integer, GoKind::uint64, 8},
    {"uintptr", TypeKind::unsigned_integer, GoKind::uintptr, 8},
    {"float32", TypeKind::floating, GoKind::float32, 4},
    {"float64", TypeKind::floating, GoKind::float64, 8},
    {"complex64", TypeKind::complex, GoKind::complex64, 8},
    {"complex128", TypeKind::complex, GoKind::complex128, 16},
    {"string", TypeKind::go_string, GoKind::string, 16},
    {"unsafe.Pointer", TypeKind::pointer, GoKind::unsafe_pointer, 8},
};

}  // namespace

MadeTypes::MadeTypes() {
  for (const Predeclared& one : kPredeclared) {
    // The two aliases are shown as what they stand for.
    const std::string_view name = one.name == "rune"   ? "int32"
                                  : one.name == "byte" ? "uint8"
                                                       : one.name;
    add(std::make_unique<MadeType>(MadeType::Parts{
        .kind = one.kind, .name = std::string(name), .bytes = one.bytes, .go = one.go}));
  }
}

MadeTypes::~MadeTypes() = default;

const Type* MadeTypes::add(std::unique_ptr<MadeType> type) {
  types_.push_back(std::move(type));
  return types_.back().get();
}

const Type* MadeTypes::predeclared(std::string_view name) const {
  for (std::size_t i = 0; i < std::size(kPredeclared); ++i)
    if (kPredeclared[i].name == name) return types_[i].get();
  return nullptr;
}

const Type* MadeTypes::pointer_to(const Type* target, std::string name, bool is_go) {
  return add(std::make_unique<MadeType>(
      MadeType::Parts{.kind = TypeKind::pointer,
                      .name = std::move(name),
                      .bytes = 8,
                      .go = is_go ? std::optional(GoKind::pointer) : std::nullopt,
                      .target = target}));
}

const Type* MadeTypes::slice_of(const Type* element, std::string name) {
  return add(std::make_unique<MadeType>(MadeType::Parts{.kind = TypeKind::go_slice,
                                                        .name = std::move(name),
                                                        .bytes = 24,
                                                        .go = GoKind::slice,
                                                        .target = element}));
}

const Type* MadeTypes::interface_named(std::string name) {
  // Source: src/runtime/runtime2.go, eface.
  const Type* form = add(std::make_unique<MadeType>(
      MadeType::Parts{.kind = TypeKind::structure,
                      .name = "runtime.eface",
                      .bytes = 16,
                      .go = GoKind::structure,
                      .members = {{.name = "_type", .offset = 0}, {.name = "data", .offset = 8}}}));
  return add(std::make_unique<MadeType>(MadeType::Parts{.kind = TypeKind::go_interface,
                                                        .name = std::move(name),
                                                        .bytes = 16,
                                                        .go = GoKind::interface,
                                                        .representation = form}));
}

const Type* MadeTypes::array_of(const Type* element, std::uint64_t length, std::string name,
                                bool is_go) {
  return add(std::make_unique<MadeType>(
      MadeType::Parts{.kind = TypeKind::array,
                      .name = std::move(name),
                      .bytes = element->bytes() * length,
                      .go = is_go ? std::optional(GoKind::array) : std::nullopt,
                      .target = element,
                      .length = length}));
}

}  // namespace cgo
