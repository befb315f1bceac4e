#include "agent/stack_walk.h"

#include <cstring>

#include "agent/loaded_code.h"
#include "agent/row_step.h"
#include "agent/unwind_row.h"

namespace cgo::agent {
namespace {

/// No frame is larger: what says so is wrong.
constexpr std::uint64_t kMostFrameBytes = 64u << 20;

bool small(std::int64_t value) { return value == static_cast<std::int32_t>(value); }

/// A row as a plain rule, when it is one of the usual kind.
bool make_plain(const UnwindRow& row, Rule& rule) {
  using Kind = ValueRule::Kind;
  const bool usual_cfa = !row.cfa_by_expression && small(row.cfa_offset) &&
                         (row.cfa_register == kDwarfSp || row.cfa_register == kDwarfBp);
  const bool usual_pc = row.pc.kind == Kind::offset && row.pc.value == -8;
  const bool kept_bp = row.bp.kind == Kind::same;
  const bool saved_bp = row.bp.kind == Kind::offset && row.bp.value != 0 && small(row.bp.value);
  if (!usual_cfa || !usual_pc || !row.sp_is_cfa || row.signal_frame || !(kept_bp || saved_bp))
    return false;
  rule.kind = Rule::Kind::frame;
  rule.cfa_from_bp = row.cfa_register == kDwarfBp;
  rule.cfa_offset = static_cast<std::int32_t>(row.cfa_offset);
  rule.bp_offset = saved_bp ? static_cast<std::int32_t>(row.bp.value) : 0;
  return true;
}

bool is_go(const Rule& rule) { return rule.kind == Rule::Kind::go; }

}  // namespace

void StackWalk::depend_on(std::uint64_t address, std::uint64_t value) {
  if (word_count_ == kMostWords) {
    repeatable_ = false;
    return;
  }
  words_[word_count_++] = {reinterpret_cast<const std::uint64_t*>(address), value};
}

bool StackWalk::load(std::uint64_t address, std::uint64_t& value) {
  if (!memory_.load(address, value)) return stop(StackEnd::bad_memory);
  depend_on(address, value);
  return true;
}

void StackWalk::set_bp_from(std::uint64_t address) {
  bp_at_ = address;
  bp_known_ = memory_.load(address, bp_);
}

/// The walk goes on by the frame pointer: it depends on the word that it came from.
void StackWalk::use_bp() {
  if (bp_at_ != 0)
    depend_on(bp_at_, bp_);
  else
    repeatable_ = false;
}

/// Outward, and not out of the goroutine's stack.
bool StackWalk::move_to(std::uint64_t cfa) {
  if (cfa <= sp_ || cfa - sp_ > kMostFrameBytes) return stop(StackEnd::bad_memory);
  if (stack_end_ != 0 && cfa > stack_end_) return stop(StackEnd::bad_memory);
  sp_ = cfa;
  return true;
}

void StackWalk::forget_rules() {
  for (Rule& rule : rules_) rule.kind = Rule::Kind::empty;
}

const Rule& StackWalk::rule_at(std::uint64_t pc, bool exact) {
  const std::uint64_t key = pc * 2 + (exact ? 1 : 0);
  Rule& rule = rules_[(pc ^ (pc >> 10)) % kRules];
  if (rule.kind == Rule::Kind::empty || rule.key != key) {
    rule = Rule{};
    rule.key = key;
    make_rule(rule, pc, exact ? pc : pc - 1);
  }
  return rule;
}

void StackWalk::make_rule(Rule& rule, std::uint64_t pc, std::uint64_t lookup) {
  GoFrame frame;
  const auto as_go = [&] {
    if (!go_frame_at(pc, lookup, frame)) return false;
    rule.kind = Rule::Kind::go;
    rule.part = frame.part;
    rule.go_bytes = frame.bytes;
    rule.release = frame.module->release;
    return true;
  };
  rule.kind = Rule::Kind::none;
  if (as_go()) return;
  LoadedFile file;
  if (!file_at(lookup, file)) return;
  UnwindRow row;
  if (unwind_row_at(file, lookup, row)) {
    if (row.pc.kind == ValueRule::Kind::undefined)
      rule.kind = Rule::Kind::outermost;
    else if (!make_plain(row, rule))
      rule.kind = Rule::Kind::complex;
    return;
  }
  if (find_go_module(file)) as_go();
}

bool StackWalk::step_frame(const Rule& rule) {
  if (rule.cfa_from_bp) {
    if (!bp_known_) return stop(StackEnd::bad_memory);
    use_bp();
  }
  const std::uint64_t cfa =
      (rule.cfa_from_bp ? bp_ : sp_) + static_cast<std::uint64_t>(std::int64_t{rule.cfa_offset});
  if (!move_to(cfa) || !load(cfa - 8, pc_)) return false;
  if (rule.bp_offset != 0)
    set_bp_from(cfa + static_cast<std::uint64_t>(std::int64_t{rule.bp_offset}));
  exact_ = false;
  return true;
}

bool StackWalk::step_row() {
  LoadedFile file;
  UnwindRow row;
  const std::uint64_t lookup = exact_ ? pc_ : pc_ - 1;
  if (!file_at(lookup, file) || !unwind_row_at(file, lookup, row)) return stop(StackEnd::no_rule);
  return RowStep(*this).apply(row);
}

/// Out of a frame of Go whose stack pointer is `sp`.
bool StackWalk::go_return(std::uint64_t sp, const Rule& rule) {
  sp_ = sp;
  const std::uint64_t cfa = sp + rule.go_bytes + 8;
  if (!move_to(cfa) || !load(cfa - 8, pc_)) return false;
  if (rule.go_bytes >= 8) set_bp_from(cfa - 16);
  exact_ = false;
  return true;
}

bool StackWalk::leave_goroutine(std::uint64_t g, std::uint64_t depth, const Rule& rule) {
  std::uint64_t low, high, id;
  // The bounds change together.
  if (!memory_.load(g, low)) return stop(StackEnd::bad_memory);
  if (!load(g + 8, high)) return false;
  if (high <= low || depth == 0 || depth >= high - low) return stop(StackEnd::contradiction);
  if (goroutine_ == 0) {
    if (!load(g + rule.release->goid, id)) return false;
    goroutine_ = id;
  }
  stack_end_ = high;
  bp_known_ = false;  // C saved it where the goroutine's stack was then; it may have moved.
  bp_at_ = 0;
  return go_return(high - depth, rule);
}

bool StackWalk::leave_asmcgocall(const Rule& rule) {
  if (rule.release == nullptr) return stop(StackEnd::unknown_go);
  std::uint64_t g, depth;
  if (!load(sp_ + rule.release->g_slot, g) || !load(sp_ + rule.release->depth_slot, depth))
    return false;
  if (g != 0) return leave_goroutine(g, depth, rule);
  // Called on the system stack: the word is the stack pointer itself.
  constexpr std::uint64_t kMostTaken = 0x80;
  if (depth <= sp_ || depth - sp_ > kMostTaken) return stop(StackEnd::contradiction);
  return go_return(depth, rule);
}

/// From the goroutine's half of cgocallback to the half on the system stack, to which the frame
/// pointer that cgocallbackg saved still points: 0x18 above it. Go 1.19 to 1.27.
bool StackWalk::leave_cgocallback(const Rule& rule) {
  constexpr std::uint64_t kFramePointerToSp = 0x18;
  if (!bp_known_ || stack_end_ == 0) return stop(StackEnd::contradiction);
  use_bp();
  stack_end_ = 0;
  sp_ = bp_ - kFramePointerToSp;
  const std::uint64_t cfa = sp_ + rule.go_bytes + 8;
  if (!move_to(cfa) || !load(cfa - 8, pc_)) return false;
  const Rule& outer = rule_at(pc_, false);
  if (!is_go(outer) || outer.part != GoPart::crosscall2) return stop(StackEnd::contradiction);
  exact_ = false;
  return true;
}

bool StackWalk::step_go(const Rule& rule) {
  switch (rule.part) {
    case GoPart::asmcgocall:
      if (stack_end_ == 0) return leave_asmcgocall(rule);
      break;
    case GoPart::cgocallback: {
      const Rule copy = rule;  // Finding the next rule may replace it.
      return leave_cgocallback(copy);
    }
    case GoPart::goroutine_entry:
      return stop(StackEnd::goroutine_entry);
    case GoPart::system_stack:
      return stop(StackEnd::system_stack);
    case GoPart::crosscall2:
    case GoPart::plain:
      break;
  }
  return go_return(sp_, rule);
}

bool StackWalk::step(const Rule& rule) {
  switch (rule.kind) {
    case Rule::Kind::frame:
      return step_frame(rule);
    case Rule::Kind::complex:
      return step_row();
    case Rule::Kind::outermost:
      return stop(StackEnd::thread_entry);
    case Rule::Kind::go:
      return step_go(rule);
    case Rule::Kind::empty:
    case Rule::Kind::none:
      break;
  }
  return stop(StackEnd::no_rule);
}

void StackWalk::run(const Caller& caller, unsigned most_frames) {
  frame_count_ = word_count_ = 0;
  end_ = StackEnd::unknown;
  repeatable_ = true;
  goroutine_ = stack_end_ = 0;
  pc_ = caller.return_address;
  sp_ = caller.cfa;
  exact_ = false;
  set_bp_from(caller.bp_at);
  while (true) {
    if (pc_ == 0) {
      end_ = StackEnd::thread_entry;
      return;
    }
    if (frame_count_ == most_frames) {
      end_ = StackEnd::limit;
      return;
    }
    const Rule& rule = rule_at(pc_, exact_);
    FrameKind kind = exact_ ? FrameKind::c_exact : FrameKind::c_return;
    if (is_go(rule)) kind = exact_ ? FrameKind::go_exact : FrameKind::go_return;
    frames_[frame_count_++] = (pc_ & kAddressMask) | static_cast<std::uint64_t>(kind)
                                                         << kStateShift;
    if (!step(rule)) return;
  }
}

}  // namespace cgo::agent
