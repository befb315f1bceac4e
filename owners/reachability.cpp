#include "owners/reachability.h"

#include <algorithm>

#include "owners/go_roots.h"

namespace cgo {
namespace {

constexpr std::size_t kMostProblems = 20;

}  // namespace

/// Marks from the roots. What waits to be looked at is kept by span, so that a span is read once
/// for many of its objects.
class Tracer {
 public:
  Tracer(const GoMemory& go, Reachability::Options options)
      : go_(go), heap_(go.heap), reader_(go), out_(go) {
    out_.reached_ = BitSet(heap_.object_limit());
    out_.guessed_ = BitSet(heap_.object_limit());
    scanned_ = BitSet(heap_.object_limit());
    queued_ = BitSet(heap_.spans().size());
    if (options.paths && heap_.object_limit() < Reachability::kRootFlag)
      out_.parents_.resize(heap_.object_limit());
  }

  Reachability run() {
    GoRoots roots(go_);
    for (const RootStage stage :
         {RootStage::globals, RootStage::stacks, RootStage::runtime, RootStage::guesses}) {
      guessing_ = stage == RootStage::guesses;
      roots.visit(stage, [this](const GoRoot& root) { start_from(root); });
      drain();
    }
    for (const Error& error : roots.problems()) problem(error);
    out_.problem_count_ += roots.problem_count() - roots.problems().size();
    for (const Error& error : heap_.problems()) problem(error);
    if (reader_.missing_bytes() != 0)
      problem({ErrorCode::unreadable_memory, std::to_string(reader_.missing_bytes()) +
                                                 " bytes of objects of the Go heap are missing"});
    return std::move(out_);
  }

 private:
  void problem(Error error) {
    ++out_.problem_count_;
    if (out_.problems_.size() < kMostProblems) out_.problems_.push_back(std::move(error));
  }

  void start_from(const GoRoot& root) {
    const auto object = heap_.object_at({root.value});
    if (!object) return;
    if (root.kind != RootKind::finalizer && out_.reached_.test(*object)) return;
    const auto parent = static_cast<std::uint32_t>(out_.roots_.size()) | Reachability::kRootFlag;
    if (out_.roots_.size() < Reachability::kRootFlag && !out_.parents_.empty())
      out_.roots_.push_back(root);
    if (root.kind != RootKind::finalizer) return reach(*object, parent);
    // The object itself is not kept, what it refers to is.
    const GcSpan* span = heap_.span_of(*object);
    if (span != nullptr && !span->without_pointers()) scan(*span, *object, parent);
  }

  void reach(std::uint64_t object, std::uint32_t parent) {
    if (!out_.reached_.add(object)) return;
    if (guessing_) out_.guessed_.set(object);
    if (!out_.parents_.empty()) out_.parents_[object] = parent;
  }

  /// A pointer of an object leads to another one.
  void follow(std::uint64_t value, std::uint32_t parent) {
    const GcSpan* span = heap_.span_at({value});
    if (span == nullptr) return;
    const auto object = heap_.object_at({value});
    if (!object || out_.reached_.test(*object)) return;
    reach(*object, parent);
    queue(*span);
  }

  void queue(const GcSpan& span) {
    const auto index = static_cast<std::uint64_t>(&span - heap_.spans().data());
    if (!span.without_pointers() && queued_.add(index)) waiting_.push_back(index);
  }

  void drain() {
    // What the roots reach, and did not queue.
    for (const GcSpan& span : heap_.spans())
      if (pending(span)) queue(span);
    while (!waiting_.empty()) {
      const std::uint64_t index = waiting_.front();
      waiting_.pop_front();
      queued_.reset(index);
      const GcSpan& span = heap_.spans()[index];
      while (scan_pending(span)) {
      }
    }
  }

  bool pending(const GcSpan& span) const {
    if (span.without_pointers()) return false;
    for (std::uint64_t i = 0; i < span.elements; i += 64)
      if ((out_.reached_.word(span.first_object + i) & ~scanned_.word(span.first_object + i)) != 0)
        return true;
    return false;
  }

  /// True when there was something to do.
  bool scan_pending(const GcSpan& span) {
    bool any = false;
    for (std::uint64_t i = 0; i < span.elements; i += 64) {
      const std::uint64_t first = span.first_object + i;
      std::uint64_t todo = out_.reached_.word(first) & ~scanned_.word(first);
      scanned_.word(first) |= todo;
      for (; todo != 0; todo &= todo - 1) {
        any = true;
        const std::uint64_t object = first + static_cast<unsigned>(std::countr_zero(todo));
        scan(span, object, static_cast<std::uint32_t>(object + 1));
      }
    }
    return any;
  }

  void scan(const GcSpan& span, std::uint64_t object, std::uint32_t parent) {
    auto done =
        reader_.each_pointer(span, object - span.first_object,
                             [&](std::uint64_t, std::uint64_t value) { follow(value, parent); });
    if (!done) problem(std::move(done).error());
  }

  const GoMemory& go_;
  const GcHeap& heap_;
  ObjectReader reader_;
  Reachability out_;
  BitSet scanned_, queued_;
  std::deque<std::uint64_t> waiting_;
  bool guessing_ = false;
};

Reachability Reachability::of_marks(const GoMemory& go) {
  Reachability out(go);
  out.reached_ = go.heap.marked();
  out.guessed_ = BitSet(go.heap.object_limit());
  out.problem_count_ = go.heap.problems().size();
  for (const Error& problem : go.heap.problems())
    if (out.problems_.size() < kMostProblems) out.problems_.push_back(problem);
  return out;
}

Reachability Reachability::trace(const GoMemory& go, Options options) {
  return Tracer(go, options).run();
}

}  // namespace cgo
