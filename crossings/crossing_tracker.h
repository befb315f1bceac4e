#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "target/address.h"

namespace cgo {

/// A thread at the first or last instruction of a crossing's C side.
struct Arrival {
  std::uint64_t tid = 0;
  std::uint64_t crossing = 0;  ///< Tells crossings apart: 0 where a return does not know its own.
  Address sp;                  ///< As at the crossing's first instruction.
  Address m;                   ///< runtime.m of the thread; 0 where it has none (yet).
  /// m.ncgocall: calls into C that the m made so far. cgocall counts before it calls, so that two
  /// arrivals at the entry of a C function never have the same number, and one that a signal
  /// handler comes back to always has.
  std::uint64_t calls = 0;
  std::int32_t depth = 0;  ///< m.ncgo: calls into C that are in progress on the m.
  std::int64_t time_ns = 0;
};

/// A crossing that was entered and has not come back.
struct OpenCrossing {
  std::uint64_t number = 0;  ///< Of all that were entered, from 1.
  Arrival entered;
  bool from_go = true;
};

/// Tells arrivals at breakpoints of crossings apart: calls, returns, and the same arrival once more
/// (a signal that is handled before the instruction runs leads back to it). Follows each thread by
/// itself: between entry and return a crossing cannot change its thread, whatever goroutines do.
class CrossingTracker {
 public:
  enum class What : std::uint8_t {
    entered,
    returned,
    again,         ///< The arrival that was told before.
    unseen_entry,  ///< A return of a crossing that was under way before anybody looked.
  };
  struct Event {
    What what = What::again;
    OpenCrossing crossing;  ///< Of `entered` and `returned`.
    /// Of `returned`: those that jumped on to it, whose frame it had. They return with it,
    /// innermost first.
    std::vector<OpenCrossing> returned_too;
    std::vector<OpenCrossing> abandoned;  ///< Known now: they will never return.
  };

  /// At the first instruction of the C function behind a Go→C crossing.
  Event enter_c(const Arrival& arrival);
  /// At the first instruction of the C side of an exported Go function.
  Event enter_go(const Arrival& arrival);
  /// At the last one of either.
  Event leave(const Arrival& arrival);
  /// `m`, of the thread, has only `depth` calls into C in progress: what was deeper on it will
  /// never return.
  std::vector<OpenCrossing> seen_at(std::uint64_t tid, Address m, std::int32_t depth);
  /// The thread has ended: what it never came back from.
  std::vector<OpenCrossing> end_thread(std::uint64_t tid);

  std::uint64_t entered() const { return entered_; }
  std::uint64_t returned() const { return returned_; }
  std::uint64_t abandoned() const { return abandoned_; }
  /// Under way now, by thread, outermost first.
  std::vector<OpenCrossing> open() const;
  bool has_open(std::uint64_t tid) const;
  /// Those that have come by, with open crossings or not.
  std::vector<std::uint64_t> threads() const;

 private:
  struct Thread {
    std::vector<OpenCrossing> open;  // Outermost first.
    std::optional<Arrival> last_entered, last_left;
  };

  /// Of the open ones the first `kept` stay; the others have been left.
  Event begin(Thread& thread, std::size_t kept, const Arrival& arrival, bool from_go);
  std::vector<OpenCrossing> abandon_from(Thread& thread, std::size_t first);

  std::map<std::uint64_t, Thread> threads_;
  std::uint64_t entered_ = 0, returned_ = 0, abandoned_ = 0;
};

}  // namespace cgo
