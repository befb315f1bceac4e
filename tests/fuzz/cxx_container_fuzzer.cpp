// Containers of C++ of any shape in any memory: both the types, which carry names that libstdc++
// uses, and the values are the input. Input: types, each taken from the front as it is needed (see
// Types), then memory from 0x10000 on.
#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "support/test_context.h"
#include "target/byte_view.h"
#include "values/format_value.h"

namespace cgo {
namespace {

constexpr Address kMemory{0x10000};
constexpr std::size_t kMostTypes = 300;

constexpr const char* kContainers[] = {"std::__cxx11::basic_string<char>",
                                       "std::basic_string_view<char>",
                                       "std::vector<int>",
                                       "std::vector<bool>",
                                       "std::array<int, 3>",
                                       "std::deque<int>",
                                       "std::map<int, int>",
                                       "std::set<int>",
                                       "std::unordered_map<int, int>",
                                       "std::unordered_set<int>",
                                       "std::__cxx11::list<int>",
                                       "std::forward_list<int>",
                                       "std::tuple<int, int>",
                                       "std::optional<int>",
                                       "std::variant<int, char>",
                                       "std::unique_ptr<int>",
                                       "std::shared_ptr<int>",
                                       "std::weak_ptr<int>",
                                       "std::atomic<int>",
                                       "std::function<int ()>",
                                       "std::chrono::duration<long, std::ratio<1, 1000> >",
                                       "std::initializer_list<int>"};
constexpr const char* kMembers[] = {"_M_impl",
                                    "_M_start",
                                    "_M_finish",
                                    "_M_end_of_storage",
                                    "_M_p",
                                    "_M_offset",
                                    "_M_dataplus",
                                    "_M_string_length",
                                    "_M_len",
                                    "_M_str",
                                    "_M_elems",
                                    "_M_array",
                                    "_M_cur",
                                    "_M_first",
                                    "_M_last",
                                    "_M_node",
                                    "_M_t",
                                    "_M_header",
                                    "_M_node_count",
                                    "_M_left",
                                    "_M_right",
                                    "_M_parent",
                                    "_M_h",
                                    "_M_before_begin",
                                    "_M_nxt",
                                    "_M_element_count",
                                    "_M_bucket_count",
                                    "_M_next",
                                    "_M_size",
                                    "_M_storage",
                                    "_M_head",
                                    "_M_head_impl",
                                    "_M_tail",
                                    "_M_payload",
                                    "_M_engaged",
                                    "_M_value",
                                    "_M_u",
                                    "_M_index",
                                    "_M_ptr",
                                    "_M_refcount",
                                    "_M_pi",
                                    "_M_use_count",
                                    "_M_weak_count",
                                    "_M_i",
                                    "_M_b",
                                    "_M_functor",
                                    "_M_invoker",
                                    "_M_manager",
                                    "__r",
                                    "_M_local_buf",
                                    "",
                                    "first",
                                    "second"};

/// A type whose every part was chosen by the input.
class MadeType final : public Type {
 public:
  TypeKind kind_ = TypeKind::signed_integer;
  std::string name_ = "int";
  std::uint64_t bytes_ = 4;
  const Type* target_ = nullptr;
  std::vector<TypeMember> members_;
  std::vector<const Type*> member_types_, arguments_;
  std::optional<std::uint64_t> length_;

  TypeKind kind() const override { return kind_; }
  std::string_view name() const override { return name_; }
  std::uint64_t bytes() const override { return bytes_; }
  bool complete() const override { return true; }
  bool is_go() const override { return false; }
  Language language() const override { return Language::cxx; }
  std::optional<std::uint8_t> go_kind() const override { return std::nullopt; }
  Result<const Type*> target() const override { return or_none(target_); }
  Result<const Type*> key() const override { return none(); }
  Result<std::span<const TypeMember>> members() const override { return std::span(members_); }
  Result<const Type*> member_type(std::size_t index) const override {
    return index < member_types_.size() ? or_none(member_types_[index]) : none();
  }
  Result<const Type*> template_argument(std::size_t index) const override {
    return index < arguments_.size() ? or_none(arguments_[index]) : none();
  }
  std::span<const Enumerator> enumerators() const override { return {}; }
  std::optional<std::uint64_t> length() const override { return length_; }
  std::uint64_t runtime_type() const override { return 0; }
  std::optional<std::uint64_t> dictionary_index() const override { return std::nullopt; }

 private:
  static Error none() { return {ErrorCode::not_found, "no such part"}; }
  static Result<const Type*> or_none(const Type* type) {
    if (type == nullptr) return none();
    return type;
  }
};

/// Makes types from the front of the input.
class Types {
 public:
  explicit Types(ByteView input) : input_(input) {}
  ByteView rest() const { return input_; }

  const Type* make(unsigned depth) {
    const std::uint8_t choice = take() % 8;
    if (depth == 0 || all_.size() >= kMostTypes) return simple(choice);
    // A type that is there already: circles.
    if (choice == 7 && !all_.empty()) return all_[take() % all_.size()].get();
    if (choice < 3) return simple(choice);
    MadeType& type = add();
    if (choice == 3) {
      type.kind_ = TypeKind::pointer;
      type.name_ = "";
      type.bytes_ = 8;
      type.target_ = make(depth - 1);
      return &type;
    }
    type.kind_ = TypeKind::class_type;
    type.name_ = choice == 4 ? "P" : kContainers[take() % std::size(kContainers)];
    const std::uint8_t count = take() % 6;
    for (std::uint8_t i = 0; i < count; ++i) {
      TypeMember member;
      const std::uint8_t name = take();
      member.name = kMembers[name % std::size(kMembers)];
      member.offset = std::uint64_t{take() % 16u} * 4;
      member.base_class = name > 230;
      type.members_.push_back(member);
      type.member_types_.push_back(make(depth - 1));
    }
    type.bytes_ = 4 + take() % 96;
    type.arguments_ = {make(depth - 1), make(depth - 1)};
    return &type;
  }

 private:
  std::uint8_t take() {
    if (input_.empty()) return 0;
    const auto byte = std::to_integer<std::uint8_t>(input_.front());
    input_ = input_.subspan(1);
    return byte;
  }
  MadeType& add() { return *all_.emplace_back(std::make_unique<MadeType>()); }
  const Type* simple(std::uint8_t choice) {
    MadeType& type = add();
    if (choice % 3 == 1) {
      type.kind_ = TypeKind::character;
      type.name_ = "char";
      type.bytes_ = 1;
    } else if (choice % 3 == 2) {
      type.kind_ = TypeKind::unsigned_integer;
      type.name_ = "unsigned long";
      type.bytes_ = 8;
    }
    return &type;
  }

  ByteView input_;
  std::vector<std::unique_ptr<MadeType>> all_;
};

}  // namespace
}  // namespace cgo

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cgo;
  Types types(std::as_bytes(std::span(data, size)));
  const Type* type = types.make(6);
  MemoryImage memory;
  memory.bytes(kMemory, types.rest());
  const TestContext context(memory, {27, 0});
  Datum datum;
  datum.type = type;
  datum.address = kMemory;
  const Value read = read_value(context, "x", datum,
                                {.depth = 5, .elements = 16, .text_bytes = 64, .values = 300});
  (void)format_text(read);
  (void)format_json(read);
  return 0;
}
