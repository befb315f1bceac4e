#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "stops/crossing_report.h"
#include "stops/library_event.h"

namespace cgo {

/// What is known of all calls of one function, or of those from one place.
struct TraceStatistics {
  std::uint64_t count = 0;
  std::map<std::string, std::uint64_t> errors;  ///< By the name of what errno was set to.
  std::int64_t total_ns = 0, max_ns = 0;
  /// Of the durations, exact up to kMostDurations calls, of the first of them afterwards.
  std::int64_t percentile_ns(double part) const;
  void add(std::int64_t duration_ns, const std::string& error);

  static constexpr std::size_t kMostDurations = 1'000'000;

 private:
  std::vector<std::int64_t> durations_;
};

/// The crossings that came back since a trace began: the last of them whole, of all the statistics.
/// Thread-safe.
class TraceLog {
 public:
  /// Takes a record, one JSON object on a line; false when it is lost. Called with the log locked.
  using Sink = std::function<bool(std::string_view record)>;

  TraceLog() = default;
  /// Every record goes to `sink` and none is kept.
  explicit TraceLog(Sink sink) : sink_(std::move(sink)) {}

  struct Row {
    CrossingPoint::Direction direction = CrossingPoint::Direction::go_to_c;
    CrossingPoint::Form form = CrossingPoint::Form::cfunc;
    std::string function, go_name;
    TraceStatistics all;
    std::map<std::string, TraceStatistics> by_caller;  ///< "main.main at main.go:12".
  };

  /// `time_ns`: CLOCK_REALTIME of the return.
  void add(const CrossingMoment& moment, std::int64_t time_ns);

  /// The same of a call that binds libraries: a record, and no crossing.
  void add(const LibraryEvent& event, std::int64_t time_ns);

  /// The last `limit` as JSON objects, the oldest first.
  std::vector<std::string> last(std::size_t limit) const;
  std::uint64_t count() const;
  std::uint64_t library_events() const;
  /// Records that are not kept any more, or that the sink lost.
  std::uint64_t dropped() const;
  /// The most time first.
  std::vector<Row> rows() const;

  static constexpr std::size_t kMostRecords = 100'000;

 private:
  void keep(std::string record);

  mutable std::mutex mutex_;
  const Sink sink_;
  std::deque<std::string> records_;
  std::uint64_t count_ = 0, lost_ = 0, sequence_ = 0, library_events_ = 0;
  std::map<std::string, Row> rows_;  // By direction, form and names.
};

/// A table for people; `callers` adds a line for each place in Go that called. `open` says how many
/// of a function have not come back yet.
std::string format_statistics(std::span<const TraceLog::Row> rows, bool callers,
                              const std::map<std::string, std::uint64_t>& open);
/// lldb-cgo/crossings/1, with counters: one line.
std::string statistics_json(std::span<const TraceLog::Row> rows,
                            const std::map<std::string, std::uint64_t>& open,
                            std::uint64_t lost_records);

}  // namespace cgo
