#include "owners/owner_rows.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace cgo {

int holder_rank(const BlockHolder& holder) {
  switch (holder.kind) {
    case HolderKind::go_object:
      return holder.pointer ? 0 : holder.far ? 15 : 4;
    case HolderKind::go_global:
      return holder.pointer ? 1 : holder.far ? 16 : 5;
    case HolderKind::go_stack:
      return holder.pointer ? 2 : 14;
    case HolderKind::cleanup:
      return 3;
    case HolderKind::c_block:
      return 6;
    case HolderKind::c_global:
      return 7;
    case HolderKind::c_stack:
      return 8;
    case HolderKind::thread_storage:
      return 9;
    case HolderKind::register_word:
      return 10;
    case HolderKind::kernel:
      return 11;
    case HolderKind::dead_go_object:
      return 12;
    case HolderKind::mapping:
      return 13;
  }
  return 17;
}

std::string joined(const std::vector<std::string>& path) {
  std::string out;
  for (const std::string& step : path) {
    const bool apart = !out.empty() && step.starts_with('(');
    out += (apart ? " " : "") + step;
  }
  return out;
}

std::string row_name(const OwnerRow& row) {
  if (!row.held) return "(nothing)";
  if (!row.go_type.empty() && row.kind == HolderKind::go_global)
    return row.place + " (" + row.go_type + ")";
  if (!row.go_type.empty()) return type_and_field(row.go_type, row.field);
  return row.place;
}

const BlockHolder* best_holder(const BlockGraph& graph, std::uint32_t block) {
  const auto holders = graph.holders(block);
  const auto best = std::ranges::min_element(holders, {}, holder_rank);
  return best == holders.end() ? nullptr : &*best;
}

OwnerRow owner_row(HeapSnapshot& heap, const BlockHolder* holder) {
  OwnerRow row;
  row.held = holder != nullptr;
  if (holder == nullptr) return row;
  row.kind = holder->kind;
  TypedWord typed = heap.typed_place(*holder);
  if (holder->kind == HolderKind::go_global) row.place = joined(typed.path);
  if (typed.go_type.empty()) row.place = heap.place_text(*holder);
  row.go_type = std::move(typed.go_type);
  row.field = std::move(typed.field);
  return row;
}

std::vector<OwnerRow> owner_rows(HeapSnapshot& heap) {
  std::map<std::tuple<bool, HolderKind, std::string, std::string, std::string>, OwnerRow> rows;
  for (std::uint32_t number = 0; number < heap.blocks().size(); ++number) {
    OwnerRow row = owner_row(heap, best_holder(heap.graph(), number));
    row.verdict = heap.verdict(number);
    OwnerRow& sum = rows.try_emplace({row.held, row.kind, row.go_type, row.field, row.place}, row)
                        .first->second;
    ++sum.blocks;
    sum.bytes += heap.blocks()[number].bytes;
    sum.retained_bytes += heap.graph().retained_bytes(number);
  }
  std::vector<OwnerRow> out;
  for (auto& [key, row] : rows) out.push_back(std::move(row));
  std::ranges::stable_sort(out, std::greater(), &OwnerRow::retained_bytes);
  return out;
}

}  // namespace cgo
