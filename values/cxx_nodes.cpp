#include <fmt/format.h>

#include <set>

#include "values/cxx_value.h"

// Source of all fields here: libstdc++ of gcc 7 to 15, include/bits.

namespace cgo {
namespace {

/// Higher than the tree of all nodes that fit into memory.
constexpr int kHighestTree = 128;

std::uint64_t aligned(std::uint64_t at, std::uint64_t to) { return (at + to - 1) / to * to; }

/// A field of a node, which has the type that links have.
Result<Address> link(const CxxValue& v, const Type* node, Address at, std::string_view name) {
  auto field = own_field_of(datum_at(node, at), name);
  if (!field) return std::move(field).error();
  return load_word(v.memory(), *field);
}

/// std::_Rb_tree, whose header is the parent of its root and stands before its first node.
class Tree {
 public:
  static Result<Tree> of(const CxxValue& v) {
    auto tree = v.field({"_M_t"});
    if (!tree) return std::move(tree).error();
    auto held = plain(tree->type)->template_argument(1);
    auto header = v.field({"_M_t", "_M_impl", "_M_header"});
    auto count = v.number({"_M_t", "_M_impl", "_M_node_count"});
    if (!held) return std::move(held).error();
    if (!header) return std::move(header).error();
    if (!count) return std::move(count).error();
    if (!header->address) return Error{ErrorCode::unsupported, "it is not in memory"};
    Tree out(v, *held, header->type, *header->address, *count);
    auto checked = out.check();
    if (!checked) return std::move(checked).error();
    return out;
  }

  std::uint64_t count() const { return count_; }
  Result<Address> first() const { return link(v_, node_, header_, "_M_left"); }
  bool is_end(Address node) const { return node == header_; }
  Datum held(Address node) const {
    return datum_at(held_, wrapping_add(node, aligned(node_->bytes(), alignment_of(held_))));
  }

  /// The node behind `node` in order.
  Result<Address> next(Address node) const {
    auto right = link(v_, node_, node, "_M_right");
    if (!right) return right;
    if (*right) {
      node = *right;
      for (int step = 0; step < kHighestTree; ++step) {
        auto left = link(v_, node_, node, "_M_left");
        if (!left || !*left) return left ? Result<Address>(node) : left;
        node = *left;
      }
      return cxx_damaged("the tree is too high");
    }
    for (int step = 0; step < kHighestTree; ++step) {
      auto parent = link(v_, node_, node, "_M_parent");
      if (!parent) return parent;
      if (is_end(*parent)) return parent;
      auto other = link(v_, node_, *parent, "_M_right");
      if (!other) return other;
      if (*other != node) return parent;
      node = *parent;
    }
    return cxx_damaged("the tree is too high");
  }

 private:
  Tree(const CxxValue& v, const Type* held, const Type* node, Address header, std::uint64_t count)
      : v_(v), held_(held), node_(node), header_(header), count_(count) {}

  Result<void> check() const {
    auto root = link(v_, node_, header_, "_M_parent");
    if (!root) return std::move(root).error();
    auto left = first();
    if (!left) return std::move(left).error();
    if (!*root) {
      if (count_ == 0 && *left == header_) return {};
      return cxx_damaged("it has no root");
    }
    auto back = link(v_, node_, *root, "_M_parent");
    if (!back || *back != header_ || count_ == 0) return cxx_damaged("its root is none");
    return {};
  }

  const CxxValue& v_;
  const Type* held_;
  const Type* node_;
  Address header_;
  std::uint64_t count_;
};

Result<void> check_pair(const Datum& pair) {
  auto key = own_field_of(pair, "first");
  if (!key) return std::move(key).error();
  auto element = own_field_of(pair, "second");
  return element ? Result<void>() : std::move(element).error();
}

void add(CxxValue& v, const Datum& held, bool is_map) {
  if (!is_map)
    v.add_element(held);
  else if (auto done = v.add_pair(held); !done)
    v.value().error = std::move(done).error();
}

Result<void> show_tree(CxxValue& v, bool is_map) {
  auto tree = Tree::of(v);
  if (!tree) return std::move(tree).error();
  auto node = tree->first();
  if (!node) return std::move(node).error();
  if (is_map && tree->count() != 0)
    if (auto pair = check_pair(tree->held(*node)); !pair) return pair;
  if (tree->count() != 0) v.note_freed(*node);
  if (!v.begin(is_map ? Value::Shape::entries : Value::Shape::elements, tree->count())) return {};
  std::set<Address> seen;
  std::uint64_t shown = 0;
  for (; shown < tree->count() && !tree->is_end(*node) && v.goes_on(); ++shown) {
    if (!seen.insert(*node).second) {
      v.value().notes.emplace_back("damaged: the tree goes in a circle");
      return {};
    }
    add(v, tree->held(*node), is_map);
    node = tree->next(*node);
    if (!node) {
      v.value().error = std::move(node).error();
      return {};
    }
  }
  v.end(tree->count(), shown < tree->count() && tree->is_end(*node));
  return {};
}

/// A chain of nodes, each of which begins with the address of the next.
struct Chain {
  Address first, end;  ///< `end` is what the last one has as its next.
  std::uint64_t value_offset = 0;
  const Type* held = nullptr;
  std::optional<std::uint64_t> count;
};

Result<void> show_chain(CxxValue& v, const Chain& chain, bool is_map) {
  if (is_map && chain.first != chain.end)
    if (auto pair = check_pair(datum_at(chain.held, chain.first)); !pair) return pair;
  if (chain.first != chain.end)
    if (auto next = read_unsigned<std::uint64_t>(v.memory(), chain.first); !next)
      return cxx_damaged(next.error().message);
  if (chain.first != chain.end) v.note_freed(chain.first);
  const auto shape = is_map ? Value::Shape::entries : Value::Shape::elements;
  const std::uint64_t count = chain.count.value_or(chain.first != chain.end ? 1 : 0);
  const bool shows = v.begin(shape, count);
  if (!chain.count) {  // How many there are is known at the end only.
    v.value().length.reset();
    v.value().text.clear();
  }
  if (!shows) return {};
  std::set<Address> seen;
  Address node = chain.first;
  std::uint64_t shown = 0;
  for (; node != chain.end && (!chain.count || shown < count) && v.goes_on(); ++shown) {
    if (!seen.insert(node).second) {
      v.value().notes.emplace_back("damaged: the chain goes in a circle");
      return {};
    }
    add(v, datum_at(chain.held, wrapping_add(node, chain.value_offset)), is_map);
    auto next = read_unsigned<std::uint64_t>(v.memory(), node);
    if (!next) {
      v.value().error = std::move(next).error();
      return {};
    }
    node = {*next};
  }
  if (chain.count) {
    v.end(count, shown < count && node == chain.end);
  } else if (node == chain.end) {
    v.value().length = shown;
    v.value().text = fmt::format("len {}", shown);
  } else {
    v.value().notes.push_back(fmt::format("cut after {}", shown));
  }
  return {};
}

Result<void> show_hash(CxxValue& v, bool is_map) {
  auto table = v.field({"_M_h"});
  if (!table) return std::move(table).error();
  auto held = plain(table->type)->template_argument(1);
  auto first = v.word({"_M_h", "_M_before_begin", "_M_nxt"});
  auto count = v.number({"_M_h", "_M_element_count"});
  auto buckets = v.number({"_M_h", "_M_bucket_count"});
  auto own = v.field({"_M_h", "_M_single_bucket"});
  auto list = v.word({"_M_h", "_M_buckets"});
  if (!held) return std::move(held).error();
  if (!first) return std::move(first).error();
  if (!count) return std::move(count).error();
  if (!buckets) return std::move(buckets).error();
  if (!own) return std::move(own).error();
  if (!list) return std::move(list).error();
  const bool is_own = own->address && *list == *own->address;
  if (*buckets == 0 || !*list || (*buckets == 1) != is_own || (*count == 0) != !*first)
    return cxx_damaged("its buckets and the number of its elements do not agree");
  // Source: bits/hashtable_policy.h, _Hash_node: the next node, then the value.
  const Chain chain{.first = *first,
                    .value_offset = aligned(8, alignment_of(*held)),
                    .held = *held,
                    .count = *count};
  return show_chain(v, chain, is_map);
}

}  // namespace

Result<void> show_cxx_map(CxxValue& v) { return show_tree(v, true); }
Result<void> show_cxx_set(CxxValue& v) { return show_tree(v, false); }
Result<void> show_cxx_hash_map(CxxValue& v) { return show_hash(v, true); }
Result<void> show_cxx_hash_set(CxxValue& v) { return show_hash(v, false); }

Result<void> show_cxx_list(CxxValue& v) {
  auto head = v.field({"_M_impl", "_M_node"});
  auto held = v.type().template_argument(0);
  if (!head) return std::move(head).error();
  if (!held) return std::move(held).error();
  if (!head->address) return Error{ErrorCode::unsupported, "it is not in memory"};
  const Address at = *head->address;
  // Source: bits/stl_list.h: a ring of _List_node_base {_M_next, _M_prev}.
  auto first = load_word(v.memory(), *head), last = load_word(v.memory(), *head, 8);
  if (!first) return std::move(first).error();
  if (!last) return std::move(last).error();
  auto back = read_unsigned<std::uint64_t>(v.memory(), wrapping_add(*first, 8));
  auto forth = read_unsigned<std::uint64_t>(v.memory(), *last);
  if (!back || !forth || Address{*back} != at || Address{*forth} != at)
    return cxx_damaged("its first and last node do not lead back to it");
  Chain chain{
      .first = *first, .end = at, .value_offset = aligned(16, alignment_of(*held)), .held = *held};
  if (auto count = v.number({"_M_impl", "_M_node", "_M_size"})) chain.count = *count;
  return show_chain(v, chain, false);
}

Result<void> show_cxx_forward_list(CxxValue& v) {
  auto first = v.word({"_M_impl", "_M_head", "_M_next"});
  auto held = v.type().template_argument(0);
  if (!first) return std::move(first).error();
  if (!held) return std::move(held).error();
  return show_chain(
      v, {.first = *first, .value_offset = aligned(8, alignment_of(*held)), .held = *held}, false);
}

}  // namespace cgo
