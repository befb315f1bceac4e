#include "values/handle.h"

#include <functional>
#include <set>

#include "values/evaluate.h"

namespace cgo {
namespace {

constexpr std::size_t kMostNodes = 1'000'000;

/// Walks the sync.Map runtime/cgo.handles, whose keys are interfaces with a uintptr.
class HandleTable {
 public:
  HandleTable(const ValueContext& context, std::uint64_t handle)
      : context_(context), handle_(handle) {}

  Result<Datum> find() {
    auto table = context_.variable_named("runtime/cgo.handles");
    if (!table) return std::move(table).error();
    auto done = own_field_of(*table, "m") ? search_trie(*table) : search_maps(*table);
    if (found_) return *std::move(found_);
    if (!done) return std::move(done).error().in("runtime/cgo.handles");
    return Error{ErrorCode::not_found, "the handle is not in use"};
  }

 private:
  const MemoryReader& memory() const { return context_.memory(); }

  Result<bool> is_wanted(const Datum& key) {
    auto held = dynamic_value(context_, key);
    if (!held) return std::move(held).error();
    if (!*held || kind_of((*held)->type) != TypeKind::unsigned_integer) return false;
    auto number = load_unsigned(memory(), **held);
    if (!number) return std::move(number).error();
    return *number == handle_;
  }

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
  Result<void> search_trie(const Datum& table) {
    auto root = path(table, {"m", "root", "v"});
    if (!root) return std::move(root).error();
    auto address = load_word(memory(), *root);
    if (!address) return std::move(address).error();
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
    return search_node(*address, *indirect, *entry, 0);
  }

  Result<void> search_node(Address at, const Type* indirect, const Type* entry, unsigned depth) {
    constexpr unsigned kDeepest = 20;  // 64 bits of hash in steps of 4, and chains.
    if (!at || found_) return {};
    if (depth > kDeepest || ++nodes_ > kMostNodes)
      return Error{ErrorCode::limit_reached, "the table of handles is too large", at};
    auto is_entry = read_unsigned<std::uint8_t>(memory(), at);
    if (!is_entry) return std::move(is_entry).error();
    if (*is_entry != 0) return search_entry(at, entry);
    auto children = own_field_of(datum_at(indirect, at), "children");
    if (!children || !children->address)
      return Error{ErrorCode::malformed_data, "a node of the table has no children", at};
    constexpr unsigned kChildren = 16;
    for (unsigned i = 0; i < kChildren && !found_; ++i) {
      auto child = read_pointer(memory(), wrapping_add(*children->address, i * 8));
      if (!child) return std::move(child).error();
      auto done = search_node(*child, indirect, entry, depth + 1);
      if (!done) return done;
    }
    return {};
  }

  Result<void> search_entry(Address at, const Type* entry) {
    std::set<Address> seen;
    while (at && seen.insert(at).second && ++nodes_ < kMostNodes) {
      const Datum node = datum_at(entry, at);
      auto key = own_field_of(node, "key");
      if (!key) return std::move(key).error();
      auto wanted = is_wanted(*key);
      if (!wanted) return std::move(wanted).error();
      if (*wanted) {
        auto value = own_field_of(node, "value");
        if (!value) return std::move(value).error();
        found_ = *std::move(value);
        return {};
      }
      auto next = path(node, {"overflow", "v"});
      auto address = next ? load_word(memory(), *next) : std::move(next).error();
      if (!address) return std::move(address).error();
      at = *address;
    }
    return {};
  }

  // Up to 1.23: sync.Map{mu, read, dirty map[any]*entry}; read holds a readOnly{m, amended}, by an
  // atomic.Value (1.19) or an atomic.Pointer. Source: src/sync/map.go.
  Result<void> search_maps(const Datum& table) {
    if (auto read = read_only(table)) {
      auto done = search_map(*read);
      if (!done || found_) return done;
    }
    auto dirty = own_field_of(table, "dirty");
    if (!dirty) return std::move(dirty).error();
    return search_map(*dirty);
  }

  Result<Datum> read_only(const Datum& table) {
    auto value = path(table, {"read", "v"});
    if (!value) return value;
    if (kind_of(value->type) == TypeKind::go_interface) {
      auto held = dynamic_value(context_, *value);
      if (!held) return std::move(held).error();
      if (!*held) return Error{ErrorCode::not_found, "nothing was read yet"};
      return path(**held, {"m"});
    }
    auto address = load_word(memory(), *value);
    if (!address) return std::move(address).error();
    if (!*address) return Error{ErrorCode::not_found, "nothing was read yet"};
    auto type = context_.type_named("sync.readOnly");
    if (!type) return std::move(type).error();
    return path(datum_at(*type, *address), {"m"});
  }

  Result<void> search_map(const Datum& map) {
    const Type* type = plain(map.type);
    auto header = load_word(memory(), map);
    auto shape = context_.map_shape_of(*type);
    auto key = type->key(), element = type->target();
    if (!header) return std::move(header).error();
    if (!shape) return std::move(shape).error();
    if (!key) return std::move(key).error();
    if (!element) return std::move(element).error();
    std::optional<Address> entry;
    const MapWalk walk = walk_map(memory(), *shape, *header, [&](const MapEntry& one) {
      auto wanted = is_wanted(datum_at(*key, one.key));
      if (wanted && *wanted) entry = one.element;
      return !entry;
    });
    if (!entry) return walk.error ? Result<void>(*walk.error) : Result<void>();
    // The element is an *entry; its only field is the pointer to the interface.
    auto holder = read_pointer(memory(), *entry);
    if (!holder) return std::move(holder).error();
    auto interface = read_pointer(memory(), *holder);
    if (!interface) return std::move(interface).error();
    if (*interface) found_ = datum_at(*key, *interface);  // Both are interface{}.
    return {};
  }

  const ValueContext& context_;
  std::uint64_t handle_;
  std::size_t nodes_ = 0;
  std::optional<Datum> found_;
};

}  // namespace

Result<Datum> value_of_handle(const ValueContext& context, std::uint64_t handle) {
  return HandleTable(context, handle).find();
}

}  // namespace cgo
