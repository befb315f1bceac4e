#include "target/dwarf_tail_calls.h"

#include <algorithm>
#include <map>
#include <set>

#include "target/dwarf_constants.h"

namespace cgo {
namespace {

/// All calls of a function, those of code inlined into it too.
Result<std::vector<CallEntry>> call_sites(DwarfPlace function) {
  std::vector<CallEntry> sites;
  DwarfScan scan(function);
  while (const DwarfDie* die = scan.next()) {
    if (scan.depth() > 0 && die->tag() == dw::TAG_subprogram) scan.skip_children();
    if (!is_call_entry(*die)) continue;
    auto site = read_call_entry(scan, *die);
    if (!site) return std::move(site).error();
    sites.push_back(*site);
  }
  if (scan.error()) return *scan.error();
  return sites;
}

/// The functions that can follow one another by tail calls, from one that was called.
class TailCallGraph {
 public:
  TailCallGraph(const DwarfCode& code, const DwarfFunctionsNamed& functions_named)
      : code_(code), functions_named_(functions_named) {}

  /// The functions between `first` and `target`, first one first, when there is exactly one way;
  /// empty otherwise.
  Result<std::vector<Address>> only_path(Address first, Address target) {
    auto explored = explore(first);
    if (!explored) return std::move(explored).error();
    const std::set<Address> reaching = reaching_to(target);
    std::vector<Address> path;
    for (Address at = first; at != target;) {
      std::set<Address> next;
      for (const Edge& edge : nodes_[at].edges)
        if (edge.to != at && reaching.contains(edge.to)) next.insert(edge.to);
      if (next.size() != 1 || path.size() > nodes_.size()) return std::vector<Address>{};
      // A call through a pointer could lead anywhere, so what follows it is sure only at the end.
      if (nodes_[at].calls_pointer && *next.begin() != target) return std::vector<Address>{};
      path.push_back(at);
      at = *next.begin();
    }
    return leads_back(target, reaching) ? std::vector<Address>{} : path;
  }

  /// The tail calls of `from` to `to`, as addresses inside of the calls.
  std::vector<Address> sites(Address from, Address to) const {
    std::vector<Address> out;
    for (const Edge& edge : nodes_.at(from).edges)
      if (edge.to == to) out.push_back(edge.site);
    return out;
  }

 private:
  struct Edge {
    Address to;
    Address site;
  };
  struct Node {
    std::vector<Edge> edges;
    bool calls_pointer = false;
  };

  static constexpr std::size_t kMostFunctions = 256;
  static constexpr std::size_t kMostClones = 64;
  static constexpr std::size_t kMostEdges = 1 << 16;

  /// Adds all functions that tail calls lead to from `first`.
  Result<void> explore(Address first) {
    std::vector<Address> open{first};
    while (!open.empty()) {
      const Address at = open.back();
      open.pop_back();
      if (nodes_.contains(at)) continue;
      if (nodes_.size() >= kMostFunctions || open.size() > kMostEdges)
        return Error{ErrorCode::limit_reached, "tail calls: too many functions could follow"};
      auto node = read_node(at);
      if (!node) return std::move(node).error();
      for (const Edge& edge : node->edges) open.push_back(edge.to);
      nodes_.emplace(at, *std::move(node));
    }
    return {};
  }

  Result<Node> read_node(Address entry) const {
    auto function = code_.function_at(entry);
    if (!function) return std::move(function).error();
    if (!function->function || function->function->entry != entry) return Node{};
    auto all = call_sites({function->unit, function->function->offset});
    if (!all) return std::move(all).error();
    Node node;
    for (const CallEntry& site : *all) {
      if (!site.tail) continue;
      if (!site.callee) {
        node.calls_pointer = true;
        continue;
      }
      auto targets = call_targets(code_, functions_named_, *function->unit, *site.callee);
      if (!targets) return std::move(targets).error();
      if (targets->size() > kMostClones || node.edges.size() > kMostEdges) {
        node.calls_pointer = true;  // As good as unknown.
        continue;
      }
      for (const Address target : *targets) node.edges.push_back({target, site.inside()});
    }
    return node;
  }

  /// The functions from which `target` can be reached.
  std::set<Address> reaching_to(Address target) const {
    std::set<Address> reaching{target};
    for (const auto& [at, node] : nodes_)
      if (node.calls_pointer) reaching.insert(at);
    for (bool grew = true; grew;) {
      grew = false;
      for (const auto& [at, node] : nodes_)
        for (const Edge& edge : node.edges)
          if (reaching.contains(edge.to)) grew |= reaching.insert(at).second;
    }
    return reaching;
  }

  /// Whether tail calls lead from `target` to itself through others: then any number of rounds is
  /// possible.
  bool leads_back(Address target, const std::set<Address>& reaching) const {
    const auto found = nodes_.find(target);
    if (found == nodes_.end()) return false;
    return std::any_of(
        found->second.edges.begin(), found->second.edges.end(),
        [&](const Edge& edge) { return edge.to != target && reaching.contains(edge.to); });
  }

  const DwarfCode& code_;
  const DwarfFunctionsNamed& functions_named_;
  std::map<Address, Node> nodes_;
};

/// What a debugger shows for `function`, which made one of the tail calls at `sites`.
Result<std::vector<SourceFrame>> frames_of(const DwarfCode& code, Address function,
                                           const std::vector<Address>& sites) {
  constexpr std::size_t kMostSites = 64;
  const auto same = [](const SourceFrame& a, const SourceFrame& b) {
    return a.function == b.function && a.file == b.file && a.line == b.line;
  };
  std::vector<SourceFrame> agreed;
  bool agree = sites.size() <= kMostSites;
  for (std::size_t i = 0; agree && i < sites.size(); ++i) {
    auto frames = code.frames_at(sites[i]);
    if (!frames) return frames;
    if (i == 0)
      agreed = *std::move(frames);
    else
      agree = std::equal(agreed.begin(), agreed.end(), frames->begin(), frames->end(), same);
  }
  if (!agree || agreed.empty()) {
    // It is not known which of the calls it was: the function is sure, its line is not.
    auto found = code.function_at(function);
    if (!found) return std::move(found).error();
    if (!found->function) return std::vector<SourceFrame>{};
    auto frame = code.named_frame({found->unit, found->function->offset});
    if (!frame) return std::move(frame).error();
    agreed = {*std::move(frame)};
  }
  for (SourceFrame& frame : agreed) frame.entry = function;
  return agreed;
}

/// The one function that the call which returns to `return_pc` calls; nothing when that is not
/// known or when it has clones.
Result<std::optional<Address>> called_function(const DwarfCode& code,
                                               const DwarfFunctionsNamed& functions_named,
                                               Address return_pc) {
  std::optional<Address> none;
  const auto inside = checked_sub(return_pc, 1);
  if (!inside) return none;
  auto caller = code.function_at(*inside);
  if (!caller) return std::move(caller).error();
  if (!caller->function) return none;
  auto sites = call_sites({caller->unit, caller->function->offset});
  if (!sites) return std::move(sites).error();
  const auto call = std::find_if(sites->begin(), sites->end(), [&](const CallEntry& site) {
    return !site.tail && site.return_pc == return_pc;
  });
  if (call == sites->end() || !call->callee) return none;
  auto called = call_targets(code, functions_named, *caller->unit, *call->callee);
  if (!called) return std::move(called).error();
  if (called->size() != 1) return none;
  return std::optional{called->front()};
}

}  // namespace

Result<std::vector<SourceFrame>> find_tail_calls(const DwarfCode& code,
                                                 const DwarfFunctionsNamed& functions_named,
                                                 Address return_pc, Address callee_entry) {
  auto called = called_function(code, functions_named, return_pc);
  if (!called) return std::move(called).error();
  if (!*called) return std::vector<SourceFrame>{};
  return find_tail_calls_from(code, functions_named, **called, callee_entry);
}

Result<std::vector<SourceFrame>> find_tail_calls_from(const DwarfCode& code,
                                                      const DwarfFunctionsNamed& functions_named,
                                                      Address called_entry, Address callee_entry) {
  std::vector<SourceFrame> out;
  if (called_entry == callee_entry) return out;
  TailCallGraph graph(code, functions_named);
  auto path = graph.only_path(called_entry, callee_entry);
  if (!path) return std::move(path).error();
  for (std::size_t i = path->size(); i-- > 0;) {
    const Address to = i + 1 < path->size() ? (*path)[i + 1] : callee_entry;
    auto frames = frames_of(code, (*path)[i], graph.sites((*path)[i], to));
    if (!frames) return std::move(frames).error();
    out.insert(out.end(), frames->begin(), frames->end());
  }
  return out;
}

}  // namespace cgo
