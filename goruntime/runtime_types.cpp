#include "goruntime/runtime_types.h"

#include "goruntime/go_runtime.h"

namespace cgo {
namespace {

constexpr unsigned kDeepestName = 8;

TypeKind kind_for(GoKind kind) {
  switch (kind) {
    case GoKind::boolean:
      return TypeKind::boolean;
    case GoKind::int_:
    case GoKind::int8:
    case GoKind::int16:
    case GoKind::int32:
    case GoKind::int64:
      return TypeKind::signed_integer;
    case GoKind::uint:
    case GoKind::uint8:
    case GoKind::uint16:
    case GoKind::uint32:
    case GoKind::uint64:
    case GoKind::uintptr:
      return TypeKind::unsigned_integer;
    case GoKind::float32:
    case GoKind::float64:
      return TypeKind::floating;
    case GoKind::complex64:
    case GoKind::complex128:
      return TypeKind::complex;
    case GoKind::array:
      return TypeKind::array;
    case GoKind::channel:
      return TypeKind::go_channel;
    case GoKind::function:
      return TypeKind::go_function;
    case GoKind::interface:
      return TypeKind::go_interface;
    case GoKind::map:
      return TypeKind::go_map;
    case GoKind::pointer:
    case GoKind::unsafe_pointer:
      return TypeKind::pointer;
    case GoKind::slice:
      return TypeKind::go_slice;
    case GoKind::string:
      return TypeKind::go_string;
    case GoKind::structure:
      return TypeKind::structure;
    case GoKind::invalid:
      break;
  }
  return TypeKind::none;
}

/// Where the package's last element ends in "pkg.Name[...]": the dot that parts it from the name.
std::size_t package_dot(std::string_view text) { return text.substr(0, text.find('[')).rfind('.'); }

}  // namespace

class RuntimeType final : public Type {
 public:
  RuntimeType(const RuntimeTypes& owner, const TypeDescriptor& head)
      : owner_(owner), head_(head), range_(owner.module_of(head.address)) {}

  const TypeDescriptor& head() const { return head_; }

  TypeKind kind() const override { return kind_for(head_.kind); }
  std::uint64_t bytes() const override { return head_.bytes; }
  bool complete() const override { return true; }
  bool is_go() const override { return true; }
  std::optional<std::uint8_t> go_kind() const override { return std::uint8_t(head_.kind); }
  std::uint64_t runtime_type() const override {
    return range_.contains(head_.address) ? head_.address.value - range_.begin.value : 0;
  }
  std::optional<std::uint64_t> dictionary_index() const override { return std::nullopt; }
  std::span<const Enumerator> enumerators() const override { return {}; }

  std::string_view name() const override {
    const std::lock_guard lock(owner_.mutex_);
    if (!name_) name_ = full_name(0);
    return *name_;
  }

  Result<const Type*> target() const override {
    auto known = details();
    if (!known) return known.error();
    if (!(*known)->element) return none("target");
    return owner_.at((*known)->element);
  }

  Result<const Type*> key() const override {
    auto known = details();
    if (!known) return known.error();
    if (!(*known)->key) return none("key");
    return owner_.at((*known)->key);
  }

  Result<std::span<const TypeMember>> members() const override {
    auto known = details();
    if (!known) return known.error();
    return std::span<const TypeMember>(members_);
  }

  Result<const Type*> member_type(std::size_t index) const override {
    auto known = details();
    if (!known) return known.error();
    if (index >= (*known)->fields.size()) return none("such member");
    return owner_.at((*known)->fields[index].type);
  }

  std::optional<std::uint64_t> length() const override {
    if (head_.kind != GoKind::array) return std::nullopt;
    auto known = details();
    if (!known) return std::nullopt;
    return (*known)->length;
  }

  /// Read at the first question; stays.
  Result<const TypeDetails*> details() const {
    const std::lock_guard lock(owner_.mutex_);
    if (!details_) {
      details_ = decode_type_details(owner_.memory(), owner_.version(), range_, head_);
      if (*details_) {
        for (const DescribedField& field : (*details_)->fields)
          members_.push_back(
              {.name = field.name, .offset = field.offset, .embedded = field.embedded});
      }
    }
    if (!*details_) return details_->error();
    return &**details_;
  }

 private:
  Error none(const char* what) const {
    return {ErrorCode::not_found, std::string(name()) + " has no " + what};
  }

  /// With whole import paths, as debug information has it; what the runtime calls it where the
  /// parts cannot be read.
  std::string full_name(unsigned depth) const {
    const auto text = type_text(owner_.memory(), range_, head_);
    if (head_.named && text) return with_package(*text);
    if (const auto composed = depth < kDeepestName ? composed_name(depth) : std::nullopt)
      return *composed;
    return text ? *text : std::string();
  }

  std::string with_package(const std::string& text) const {
    const std::size_t dot = package_dot(text);
    if (dot == std::string::npos) return text;
    const auto known = details();
    if (!known || (*known)->package.empty()) return text;
    return (*known)->package + text.substr(dot);
  }

  std::optional<std::string> part(Address at, unsigned depth) const {
    const auto type = owner_.at(at);
    if (!type) return std::nullopt;
    return static_cast<const RuntimeType*>(*type)->full_name(depth + 1);
  }

  std::optional<std::string> composed_name(unsigned depth) const {
    const auto known = details();
    if (!known || !(*known)->element) return std::nullopt;
    const auto element = part((*known)->element, depth);
    if (!element) return std::nullopt;
    switch (head_.kind) {
      case GoKind::pointer:
        return "*" + *element;
      case GoKind::slice:
        return "[]" + *element;
      case GoKind::array:
        return "[" + std::to_string((*known)->length) + "]" + *element;
      case GoKind::channel: {
        const auto direction = (*known)->direction;
        return (direction == 1 ? "<-chan " : direction == 2 ? "chan<- " : "chan ") + *element;
      }
      case GoKind::map: {
        const auto key = part((*known)->key, depth);
        if (!key) return std::nullopt;
        return "map[" + *key + "]" + *element;
      }
      default:
        return std::nullopt;
    }
  }

  const RuntimeTypes& owner_;
  TypeDescriptor head_;
  AddressRange range_;
  mutable std::optional<std::string> name_;
  mutable std::optional<Result<TypeDetails>> details_;
  mutable std::vector<TypeMember> members_;
};

RuntimeTypes::RuntimeTypes(const MemoryReader& memory, GoVersion version,
                           std::vector<AddressRange> modules)
    : memory_(memory), version_(version), modules_(std::move(modules)) {}

RuntimeTypes::~RuntimeTypes() = default;

Result<const Type*> RuntimeTypes::at(Address descriptor) const {
  const std::lock_guard lock(mutex_);
  if (const auto known = types_.find(descriptor); known != types_.end()) return known->second.get();
  auto head = decode_type_descriptor(memory_, descriptor);
  if (!head) return std::move(head).error();
  auto type = std::make_unique<const RuntimeType>(*this, *head);
  return types_.emplace(descriptor, std::move(type)).first->second.get();
}

std::optional<TypeDescriptor> RuntimeTypes::descriptor_of(const Type* type) {
  const auto* ours = dynamic_cast<const RuntimeType*>(type);
  if (ours == nullptr) return std::nullopt;
  return ours->head();
}

Result<TypeDetails> RuntimeTypes::details_at(Address descriptor) const {
  auto type = at(descriptor);
  if (!type) return std::move(type).error();
  auto details = static_cast<const RuntimeType*>(*type)->details();
  if (!details) return std::move(details).error();
  return **details;
}

AddressRange RuntimeTypes::module_of(Address address) const {
  for (const AddressRange& range : modules_)
    if (range.contains(address)) return range;
  return {};
}

std::vector<AddressRange> type_ranges(const GoRuntime& runtime) {
  std::vector<AddressRange> out;
  for (const auto& module : runtime.parts().modules)
    if (!module->tables().types.empty()) out.push_back(module->tables().types);
  return out;
}

}  // namespace cgo
