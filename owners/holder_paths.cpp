#include "owners/holder_paths.h"

#include <algorithm>

namespace cgo {
namespace {

/// Objects larger than this are indexed when they are asked about.
constexpr std::uint64_t kSearched = 4096;

}  // namespace

Result<const HolderPaths::Index*> HolderPaths::index_of(std::uint64_t holder) {
  for (const Index& known : indexes_)
    if (known.holder == holder) return &known;
  Index& index = indexes_[next_index_++ % indexes_.size()];
  index = {};
  const GcSpan& span = *go_.heap.span_of(holder);
  auto done = reader_.each_pointer(span, holder - span.first_object,
                                   [&](std::uint64_t at, std::uint64_t value) {
                                     if (const auto object = go_.heap.object_at({value}))
                                       index.offsets.emplace_back(*object, at);
                                   });
  if (!done) return std::move(done).error();
  std::ranges::sort(index.offsets);
  index.holder = holder;
  return &index;
}

/// Where the first pointer to `object` is.
Result<std::uint64_t> HolderPaths::offset_in(std::uint64_t holder, std::uint64_t object) {
  const GcSpan& span = *go_.heap.span_of(holder);
  if (span.element_bytes > kSearched) {
    const auto index = index_of(holder);
    if (!index) return index.error();
    const auto& offsets = (*index)->offsets;
    const auto found = std::ranges::lower_bound(offsets, std::pair(object, std::uint64_t{0}));
    return found != offsets.end() && found->first == object ? found->second : 0;
  }
  const AddressRange held = go_.heap.element(object);
  std::optional<std::uint64_t> offset;
  auto done = reader_.each_pointer(span, holder - span.first_object,
                                   [&](std::uint64_t at, std::uint64_t value) {
                                     if (!offset && held.contains({value})) offset = at;
                                   });
  if (!done) return std::move(done).error();
  return offset.value_or(0);
}

Result<HolderPaths::Link> HolderPaths::above(std::uint64_t object) {
  if (object >= go_.heap.object_limit() || !reach_.reached(object))
    return Error{ErrorCode::not_found, "the object is not reached"};
  if (reach_.parents_.empty())
    return Error{ErrorCode::limit_reached, "no paths were kept of this heap"};
  const std::uint32_t parent = reach_.parents_[object];
  if ((parent & Reachability::kRootFlag) != 0)
    return Link{.holder = std::nullopt, .root = &reach_.roots_[parent & ~Reachability::kRootFlag]};
  if (parent == 0) return Error{ErrorCode::malformed_data, "a path of objects without an end"};
  const auto offset = offset_in(parent - 1, object);
  if (!offset) return offset.error();
  return Link{.holder = Holder{parent - 1, *offset}};
}

Result<HolderPath> HolderPaths::to(std::uint64_t object, std::size_t most) {
  HolderPath out;
  for (std::uint64_t steps = 0; out.holders.size() < most; ++steps) {
    const auto link = above(object);
    if (!link) return link.error();
    if (link->root != nullptr) {
      std::ranges::reverse(out.holders);
      out.root = *link->root;
      return out;
    }
    if (steps > go_.heap.object_limit())
      return Error{ErrorCode::malformed_data, "a path of objects without an end"};
    out.holders.push_back(*link->holder);
    object = link->holder->object;
  }
  std::ranges::reverse(out.holders);
  std::uint32_t parent = reach_.parents_[object];
  for (; (parent & Reachability::kRootFlag) == 0; parent = reach_.parents_[parent - 1])
    if (parent == 0 || ++out.left_out > go_.heap.object_limit())
      return Error{ErrorCode::malformed_data, "a path of objects without an end"};
  out.root = reach_.roots_[parent & ~Reachability::kRootFlag];
  return out;
}

}  // namespace cgo
