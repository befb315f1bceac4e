#include "stops/trace_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "crossings/format_catalogue.h"
#include "unwind/format.h"

namespace cgo {
namespace {

using Direction = CrossingPoint::Direction;

const char* direction_text(Direction direction) {
  return direction == Direction::go_to_c ? "go_to_c" : "c_to_go";
}

std::string errors_text(const TraceStatistics& one) {
  std::string out;
  for (const auto& [name, count] : one.errors)
    out += fmt::format("{}{} {}", out.empty() ? "" : ", ", count, name);
  return out;
}

std::string line_of(const std::string& name, const TraceStatistics& one, std::uint64_t open) {
  std::string out = fmt::format(
      "{:>9} {:>9} {:>9} {:>9} {:>9} {:>9}  {}", one.count, format_duration(one.percentile_ns(0.5)),
      format_duration(one.percentile_ns(0.95)), format_duration(one.percentile_ns(0.99)),
      format_duration(one.max_ns), format_duration(one.total_ns), escaped(name));
  if (open != 0) out += fmt::format("  {} open", open);
  if (const std::string errors = errors_text(one); !errors.empty()) out += "  " + errors;
  return out + '\n';
}

std::string counters_json(const TraceStatistics& one) {
  std::string errors;
  for (const auto& [name, count] : one.errors)
    errors += fmt::format("{}{}:{}", errors.empty() ? "" : ",", json_string(name), count);
  return fmt::format(
      R"("count":{},"errors":{{{}}},"p50_ns":{},"p95_ns":{},"p99_ns":{},"max_ns":{},"total_ns":{})",
      one.count, errors, one.percentile_ns(0.5), one.percentile_ns(0.95), one.percentile_ns(0.99),
      one.max_ns, one.total_ns);
}

std::uint64_t open_of(const std::map<std::string, std::uint64_t>& open, const std::string& name) {
  const auto found = open.find(name);
  return found == open.end() ? 0 : found->second;
}

}  // namespace

void TraceStatistics::add(std::int64_t duration_ns, const std::string& error) {
  ++count;
  total_ns += duration_ns;
  max_ns = std::max(max_ns, duration_ns);
  if (!error.empty()) ++errors[error];
  if (durations_.size() < kMostDurations) durations_.push_back(duration_ns);
}

std::int64_t TraceStatistics::percentile_ns(double part) const {
  if (durations_.empty()) return 0;
  std::vector<std::int64_t> sorted = durations_;
  // The smallest duration that at least this part of the calls does not exceed.
  const auto rank = static_cast<std::size_t>(std::ceil(part * static_cast<double>(sorted.size())));
  const std::size_t index = std::clamp<std::size_t>(rank, 1, sorted.size()) - 1;
  std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(index),
                   sorted.end());
  return sorted[index];
}

void TraceLog::keep(std::string record) {
  if (sink_) {
    if (!sink_(record + '\n')) ++lost_;
    return;
  }
  records_.push_back(std::move(record));
  if (records_.size() <= kMostRecords) return;
  records_.pop_front();
  ++lost_;
}

void TraceLog::add(const CrossingMoment& moment, std::int64_t time_ns) {
  const std::lock_guard lock(mutex_);
  ++count_;
  keep(moment_json(moment, ++sequence_, time_ns));
  const CrossingPoint& crossing = *moment.crossing;
  Row& row = rows_[fmt::format("{} {} {} {}", direction_text(crossing.direction),
                               form_word(crossing.form), crossing.function, crossing.go_name)];
  row.direction = crossing.direction;
  row.form = crossing.form;
  row.function = crossing.function;
  row.go_name = crossing.go_name;
  const std::string error = moment_errno(moment).name;
  const std::int64_t duration = moment.duration_ns.value_or(0);
  row.all.add(duration, error);
  row.by_caller[moment.caller].add(duration, error);
}

void TraceLog::add(const LibraryEvent& event, std::int64_t time_ns) {
  const std::lock_guard lock(mutex_);
  ++library_events_;
  keep(
      fmt::format(R"({{"sequence":{},"time_ns":{},{}}})", ++sequence_, time_ns, event_keys(event)));
}

std::uint64_t TraceLog::library_events() const {
  const std::lock_guard lock(mutex_);
  return library_events_;
}

std::vector<std::string> TraceLog::last(std::size_t limit) const {
  const std::lock_guard lock(mutex_);
  const std::size_t skipped = records_.size() - std::min(limit, records_.size());
  return {records_.begin() + static_cast<std::ptrdiff_t>(skipped), records_.end()};
}

std::uint64_t TraceLog::count() const {
  const std::lock_guard lock(mutex_);
  return count_;
}

std::uint64_t TraceLog::dropped() const {
  const std::lock_guard lock(mutex_);
  return lost_;
}

std::vector<TraceLog::Row> TraceLog::rows() const {
  const std::lock_guard lock(mutex_);
  std::vector<Row> out;
  for (const auto& [key, row] : rows_) out.push_back(row);
  std::ranges::stable_sort(
      out, [](const Row& a, const Row& b) { return a.all.total_ns > b.all.total_ns; });
  return out;
}

std::string format_statistics(std::span<const TraceLog::Row> rows, bool callers,
                              const std::map<std::string, std::uint64_t>& open) {
  std::string out = fmt::format("{:>9} {:>9} {:>9} {:>9} {:>9} {:>9}\n", "calls", "p50", "p95",
                                "p99", "max", "total");
  for (const TraceLog::Row& row : rows) {
    const bool to_c = row.direction == Direction::go_to_c;
    std::string name = (to_c ? "Go → C " : "C → Go ") + row.function;
    if (row.form == CrossingPoint::Form::c2func) name += " (with errno)";
    out += line_of(name, row.all, open_of(open, row.function));
    if (!callers) continue;
    for (const auto& [caller, statistics] : row.by_caller)
      out += line_of("  from " + (caller.empty() ? std::string("an unknown place") : caller),
                     statistics, 0);
  }
  return out;
}

std::string statistics_json(std::span<const TraceLog::Row> rows,
                            const std::map<std::string, std::uint64_t>& open,
                            std::uint64_t lost_records) {
  std::string out = R"({"schema":"lldb-cgo/crossings/1","engine":"breakpoints","crossings":[)";
  bool first = true;
  for (const TraceLog::Row& row : rows) {
    std::string callers;
    for (const auto& [caller, statistics] : row.by_caller)
      callers +=
          fmt::format(R"({}{{"caller":{},{}}})", callers.empty() ? "" : ",",
                      caller.empty() ? "null" : json_string(caller), counters_json(statistics));
    out += fmt::format(
        R"({}{{"function":{},"go_name":{},"direction":"{}","form":"{}","open":{},{},"callers":[{}]}})",
        std::exchange(first, false) ? "" : ",", json_string(row.function), json_string(row.go_name),
        direction_text(row.direction), form_word(row.form), open_of(open, row.function),
        counters_json(row.all), callers);
  }
  return out + fmt::format("],\"lost_records\":{}}}\n", lost_records);
}

}  // namespace cgo
