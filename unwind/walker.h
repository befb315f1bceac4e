#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "unwind/callback.h"
#include "unwind/code_info.h"
#include "unwind/contexts.h"
#include "unwind/frame.h"
#include "unwind/go_frames.h"
#include "unwind/recursion.h"
#include "unwind/stack_window.h"

namespace cgo {

/// What all walks of one stop share.
struct WalkEnvironment {
  const Debuggee& debuggee;
  const GoRuntimes& runtimes;
  const CFrames& c_frames;
  CodeInfoCache& code;
};

/// One walk from one position outward. The goroutine's own stack is the backbone: where a callback
/// leaves it, the C frames outside are walked on trial and taken only when they lead back to
/// exactly the frame that the goroutine's stack names; else a gap stands there and the walk goes on
/// along the goroutine.
class Walker {
 public:
  Walker(const WalkEnvironment& environment, std::vector<RuntimeContext> contexts, WalkLimit limit)
      : env_(environment),
        memory_(environment.debuggee.memory()),
        contexts_(std::move(contexts)),
        limit_(limit) {}

  Walk run(Position start);

 private:
  /// A trial walk ends where asmcgocall of `runtime` goes back to the goroutine's stack.
  struct Trial {
    const GoRuntime* runtime = nullptr;
    std::optional<Position> arrived;
  };

  enum class Next : bool { stop, go_on };

  Walk finish();
  bool within_limits();
  void leave_out_middle();
  Next advance();
  Next advance_c(const CodeInfo& info);
  Next advance_go(const CodeInfo& info);
  Next advance_signal();
  Next leave_callback(RuntimeContext& context, const SwitchSite& site);
  Next follow(const Switched& switched, const CodeInfo& info, RuntimeContext& context);
  Next ordinary_go_step(const CodeInfo& info, RuntimeContext& context, const SwitchSite& site);
  Next step_without_rule(Error why);
  Result<void> restore_at_crosscall2(const CodeInfo& info, GoStep& step) const;

  struct TrialResult {
    Walk walk;
    std::optional<Position> arrived;
    std::vector<RuntimeContext> contexts;
    RecursionMeter meter;
    bool whole = true;  ///< No frames were left out.
  };
  TrialResult try_candidate(const RuntimeContext& context,
                            const CallbackCandidate& candidate) const;
  bool leads_to(const TrialResult& trial, const CallbackAnchor& anchor) const;
  bool true_as_far_as_it_goes(const TrialResult& trial) const;
  std::string why_c_is_missing() const;
  void take(TrialResult trial);
  void add_elements(TrialResult& trial);

  /// Ends the walk, unless the goroutine's own registers allow it to go on behind a gap.
  Next fail(StopReason reason, Error error);
  std::optional<Position> resume_on_goroutine();
  Next end(StopReason reason);
  Next move_to(const Registers& registers, CodeAddress::Origin origin, bool switched);

  PhysicalFrame& record(const CodeInfo* info, const char* rule);
  void add_gap(std::string why);
  RuntimeContext& context_of(const GoRuntime& runtime);
  CodeInfo code_at(Address pc) { return env_.code.at(env_.debuggee, env_.runtimes, pc); }

  const WalkEnvironment& env_;
  StackWindow memory_;
  std::vector<RuntimeContext> contexts_;
  WalkLimit limit_;
  Position position_{.registers = Registers(kAmd64)};
  Walk walk_;
  Trial trial_;
  std::size_t steps_ = 0;
  std::size_t left_out_ = 0;  ///< Frames between the innermost and the outermost that are kept.
  RecursionMeter meter_;
  bool saw_panic_ = false;  ///< Or Goexit: deferred functions ran on stacks that were given back.
  bool saw_panic_printed_ = false;
  std::set<std::pair<Address, Address>> switch_targets_;  ///< (pc, sp): a switch must not repeat.
  unsigned depth_ = 0;                                    ///< Trials within trials.
};

}  // namespace cgo
