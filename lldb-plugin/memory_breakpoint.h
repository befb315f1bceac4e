#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lldb-plugin/arrival_sites.h"
#include "lldb-plugin/name_pattern.h"
#include "lldb-plugin/target_breakpoint.h"
#include "owners/finding.h"
#include "owners/owner_types.h"

namespace cgo {

/// What the user asked for.
struct MemoryRequest {
  enum class Kind : std::uint8_t { leak, gc_visibility, dangling };

  Kind kind = Kind::leak;
  std::uint64_t min_bytes = 0;               ///< Less than this of one finding is passed by.
  std::optional<NamePattern> site, go_type;  ///< Of the allocation's functions; of the Go object.
  std::uint64_t every = 1;                   ///< Of so many collections one is looked at.
  bool log = false, stack = false;
  std::string words;  ///< As typed, for lists.
};

/// Stops at the end of a garbage collection's mark, before anything is swept, when it finds what is
/// new and wrong with the memory of both sides: at the entry of runtime.gcSweep, where Go's world
/// is stopped and the marks say what is alive.
class MemoryBreakpoint final : public TargetBreakpoint {
 public:
  explicit MemoryBreakpoint(MemoryRequest request) : request_(std::move(request)) {}

  std::vector<std::uint64_t> addresses(lldb::SBModule module) override;
  std::string summary() override;

 protected:
  Outcome decide(const Visited& at) override;
  void begin_process() override;

 private:
  using Clock = std::chrono::steady_clock;

  std::vector<Finding> find(HeapSnapshot& heap) const;
  bool may_learn() const;
  bool wanted(const Finding& finding, const HeapSnapshot& heap) const;
  void forget_reported(std::vector<Finding>& findings);
  std::string text(const HeapSnapshot& heap, const std::vector<Finding>& findings) const;

  const MemoryRequest request_;
  ArrivalSites sites_;
  OwnerTypes types_;
  Clock::time_point learned_at_;
  Clock::duration learning_took_{};
  std::set<Finding::Subject> reported_;
  std::set<std::string> gaps_;  // That were told.
  struct Counts {
    std::uint64_t collections = 0, looked_at = 0, untold = 0, findings = 0;
  };
  Counts counts_;
};

}  // namespace cgo
