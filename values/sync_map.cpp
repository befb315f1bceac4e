#include "values/sync_map.h"

#include <set>

#include "values/evaluate.h"

namespace cgo {
namespace {

constexpr std::size_t kMostNodes = 1'000'000;

class SyncMapWalker {
 public:
  SyncMapWalker(const ValueContext& context, const SyncMapVisitor& visit)
      : context_(context), visit_(visit) {}

  Result<void> walk(const Datum& map) {
    return own_field_of(map, "m") ? walk_trie(map) : walk_maps(map);
  }

 private:
  const MemoryReader& memory() const { return context_.memory(); }

  /// Follows a path of fields; pointers on the way are followed too.
  Result<Datum> path(Datum at, std::initializer_list<std::string_view> names) {
    for (const std::string_view name : names) {
      if (kind_of(at.type) == TypeKind::pointer) {
        auto target = pointee_of(memory(), at);
        if (!target) return target;
        at = *std::move(target);
      }
      auto field = own_field_of(at, name);
      if (!field) return field;
      at = *std::move(field);
    }
    return at;
  }

  // Since 1.24: sync.Map{_, m HashTrieMap{inited, initMu, root atomic.Pointer[indirect], …}}.
  // Source: src/internal/sync/hashtriemap.go. A node is an indirect or an entry: isEntry tells.
  Result<void> walk_trie(const Datum& map) {
    auto root = path(map, {"m", "root", "v"});
    if (!root) return std::move(root).error();
    auto address = load_word(memory(), *root);
    if (!address) return std::move(address).error();
    if (!*address) return {};
    // Where nothing names an instance of its own, the one for the shape of the type is left.
    const auto node_type = [&](const std::string& kind) {
      auto own = context_.type_named("internal/sync." + kind + "[interface {},interface {}]");
      if (own) return own;
      return context_.type_named("internal/sync." + kind +
                                 "[go.shape.interface {},go.shape.interface {}]");
    };
    auto indirect = node_type("indirect"), entry = node_type("entry");
    if (!indirect) return std::move(indirect).error();
    if (!entry) return std::move(entry).error();
    return walk_node(*address, *indirect, *entry, 0);
  }

  Result<void> walk_node(Address at, const Type* indirect, const Type* entry, unsigned depth) {
    constexpr unsigned kDeepest = 20;  // 64 bits of hash in steps of 4, and chains.
    if (!at || ended_) return {};
    if (depth > kDeepest || nodes_.size() > kMostNodes)
      return Error{ErrorCode::limit_reached, "it is too large", at};
    if (!nodes_.insert(at).second)
      return Error{ErrorCode::malformed_data, "its nodes go in a circle", at};
    auto is_entry = read_unsigned<std::uint8_t>(memory(), at);
    if (!is_entry) return std::move(is_entry).error();
    if (*is_entry != 0) return walk_entries(at, entry);
    auto children = own_field_of(datum_at(indirect, at), "children");
    if (!children || !children->address)
      return Error{ErrorCode::malformed_data, "a node has no children", at};
    constexpr unsigned kChildren = 16;
    for (unsigned i = 0; i < kChildren && !ended_; ++i) {
      auto child = read_pointer(memory(), wrapping_add(*children->address, i * 8));
      if (!child) return std::move(child).error();
      auto done = walk_node(*child, indirect, entry, depth + 1);
      if (!done) return done;
    }
    return {};
  }

  Result<void> walk_entries(Address at, const Type* entry) {
    while (!ended_) {
      const Datum node = datum_at(entry, at);
      auto key = own_field_of(node, "key"), value = own_field_of(node, "value");
      if (!key) return std::move(key).error();
      if (!value) return std::move(value).error();
      ended_ = !visit_(*key, *value);
      auto next = path(node, {"overflow", "v"});
      auto address = next ? load_word(memory(), *next) : std::move(next).error();
      if (!address) return std::move(address).error();
      at = *address;
      if (!at) return {};
      if (!nodes_.insert(at).second || nodes_.size() > kMostNodes)
        return Error{ErrorCode::malformed_data, "its entries go in a circle", at};
    }
    return {};
  }

  // Up to 1.23: sync.Map{mu, read, dirty map[any]*entry}; read holds a readOnly{m, amended}, by an
  // atomic.Value (1.19) or an atomic.Pointer. Source: src/sync/map.go: what is amended is whole in
  // dirty, and entries are expunged only then and only from the other one.
  Result<void> walk_maps(const Datum& map) {
    auto read = read_only(map);
    if (!read) return std::move(read).error();
    std::uint64_t amended = 1;
    if (*read) {
      auto flag = own_field_of(**read, "amended");
      auto bits = flag ? load_unsigned(memory(), *flag) : std::move(flag).error();
      if (!bits) return std::move(bits).error();
      amended = *bits;
    }
    auto table = amended != 0 ? own_field_of(map, "dirty") : own_field_of(**read, "m");
    return table ? walk_map_of(*table) : std::move(table).error();
  }

  /// The readOnly; nothing where none was made yet.
  Result<std::optional<Datum>> read_only(const Datum& map) {
    auto value = path(map, {"read", "v"});
    if (!value) return std::move(value).error();
    if (kind_of(value->type) == TypeKind::go_interface) return dynamic_value(context_, *value);
    auto address = load_word(memory(), *value);
    if (!address) return std::move(address).error();
    if (!*address) return std::optional<Datum>();
    auto type = context_.type_named("sync.readOnly");
    if (!type) return std::move(type).error();
    return std::optional(datum_at(*type, *address));
  }

  Result<void> walk_map_of(const Datum& map) {
    const Type* type = plain(map.type);
    auto header = load_word(memory(), map);
    auto shape = context_.map_shape_of(*type);
    auto key = type->key(), element = type->target();
    if (!header) return std::move(header).error();
    if (!shape) return std::move(shape).error();
    if (!key) return std::move(key).error();
    if (!element) return std::move(element).error();
    std::optional<Error> lost;
    const MapWalk walk = walk_map(memory(), *shape, *header, [&](const MapEntry& one) {
      // The element is an *entry; its only field is the pointer to the interface, nil when deleted.
      auto holder = read_pointer(memory(), one.element);
      auto interface = holder ? read_pointer(memory(), *holder) : std::move(holder).error();
      if (!interface)
        lost = lost ? lost : std::move(interface).error();
      else if (*interface)
        return visit_(datum_at(*key, one.key), datum_at(*key, *interface));
      return true;
    });
    if (walk.error) return *walk.error;
    return lost ? Result<void>(*std::move(lost)) : Result<void>();
  }

  const ValueContext& context_;
  const SyncMapVisitor& visit_;
  std::set<Address> nodes_;
  bool ended_ = false;
};

/// What the fields say an atomic.Pointer points at: Pointer[T] has a [0]*T since 1.20.
const Type* declared_pointee(const Type& type) {
  const auto members = type.members();
  for (std::size_t i = 0; members && i < members->size(); ++i) {
    auto member = type.member_type(i);
    if (!member || kind_of(*member) != TypeKind::array) continue;
    auto pointer = plain(*member)->target();
    if (!pointer || kind_of(*pointer) != TypeKind::pointer) continue;
    if (auto target = plain(*pointer)->target()) return *target;
  }
  return nullptr;
}

}  // namespace

Result<void> walk_sync_map(const ValueContext& context, const Datum& map,
                           const SyncMapVisitor& visit) {
  return SyncMapWalker(context, visit).walk(map);
}

Result<Datum> atomic_pointee(const ValueContext& context, const Datum& pointer) {
  const Type& type = *plain(pointer.type);
  auto word = own_field_of(pointer, "v");
  auto address = word ? load_word(context.memory(), *word) : std::move(word).error();
  if (!address) return std::move(address).error();
  Datum out{.type = declared_pointee(type)};
  if (out.type == nullptr) {
    const std::size_t open = type.name().find('[');
    if (open == std::string_view::npos || !type.name().ends_with(']'))
      return Error{ErrorCode::not_found, "what it points at is not known"};
    auto named = context.type_named(type.name().substr(open + 1, type.name().size() - open - 2));
    if (!named) return std::move(named).error();
    out.type = *named;
  }
  if (*address) out.address = *address;
  return out;
}

}  // namespace cgo
