#include "stops/trace_log.h"

#include <catch2/catch_test_macros.hpp>

namespace cgo {
namespace {

CrossingPoint crossing(const std::string& name) {
  CrossingPoint out;
  out.function = name;
  out.go_name = "main._Cfunc_" + name;
  return out;
}

CrossingMoment moment(const CrossingPoint& of, std::int64_t duration_ns, int error = 0) {
  CrossingMoment out{
      .returns = true, .crossing = &of, .tid = 7, .caller = "main.main at main.go:3"};
  out.duration_ns = duration_ns;
  out.errno_before = 0;
  out.errno_after = error;
  return out;
}

}  // namespace

TEST_CASE("percentiles are the nearest ranks") {
  TraceStatistics statistics;
  CHECK(statistics.percentile_ns(0.5) == 0);
  for (std::int64_t i = 100; i > 0; --i) statistics.add(i, "");
  CHECK(statistics.percentile_ns(0.5) == 50);
  CHECK(statistics.percentile_ns(0.95) == 95);
  CHECK(statistics.percentile_ns(0.99) == 99);
  CHECK(statistics.max_ns == 100);
  CHECK(statistics.total_ns == 5050);
  TraceStatistics one;
  one.add(42, "EINTR");
  CHECK(one.percentile_ns(0.5) == 42);
  CHECK(one.percentile_ns(0.99) == 42);
  CHECK(one.errors.at("EINTR") == 1);
}

TEST_CASE("a log keeps the last records, and counts all") {
  const CrossingPoint f = crossing("f");
  TraceLog log;
  const std::size_t all = TraceLog::kMostRecords + 3;
  for (std::size_t i = 0; i < all; ++i) log.add(moment(f, 5), 0);
  CHECK(log.count() == all);
  CHECK(log.dropped() == 3);
  CHECK(log.last(2).size() == 2);
  CHECK(log.last(2)[1].starts_with("{\"sequence\":" + std::to_string(all) + ","));
  REQUIRE(log.rows().size() == 1);
  CHECK(log.rows()[0].all.count == all);
}

TEST_CASE("a log with a sink keeps nothing, and counts what the sink lost") {
  const CrossingPoint f = crossing("f");
  std::vector<std::string> records;
  TraceLog log([&](std::string_view record) {
    records.emplace_back(record);
    return records.size() != 2;
  });
  for (int i = 0; i < 3; ++i) log.add(moment(f, 5), 0);
  CHECK(records.size() == 3);
  CHECK(records[2].starts_with("{\"sequence\":3,"));
  CHECK(records[2].ends_with("}\n"));
  CHECK(log.dropped() == 1);
  CHECK(log.count() == 3);
  CHECK(log.last(9).empty());
  CHECK(log.rows()[0].all.count == 3);
}

TEST_CASE("functions are told apart, and those with the most time come first") {
  const CrossingPoint f = crossing("f"), g = crossing("g");
  CrossingPoint with_errno = crossing("f");
  with_errno.form = CrossingPoint::Form::c2func;
  TraceLog log;
  log.add(moment(f, 10, 2), 0);
  log.add(moment(g, 30), 0);
  log.add(moment(with_errno, 20), 0);
  const auto rows = log.rows();
  REQUIRE(rows.size() == 3);
  CHECK(rows[0].function == "g");
  CHECK(rows[1].form == CrossingPoint::Form::c2func);
  CHECK(rows[2].all.errors.at("ENOENT") == 1);
  const std::string text = format_statistics(rows, false, {{"g", 2}});
  CHECK(text.find("Go → C g  2 open") != text.npos);
  CHECK(text.find("Go → C f (with errno)") != text.npos);
  CHECK(statistics_json(rows, {}, 0).find(R"("function":"f","go_name":"main._Cfunc_f")") !=
        std::string::npos);
}

}  // namespace cgo
