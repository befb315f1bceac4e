#include "target/signals.h"

#include <signal.h>

#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <span>

namespace cgo {
namespace {

SignalSet set_of(std::initializer_list<int> numbers) {
  SignalSet set;
  for (const int number : numbers) set.bits |= std::uint64_t{1} << (number - 1);
  return set;
}

std::vector<std::byte> words(std::initializer_list<std::uint64_t> values) {
  std::vector<std::byte> out(values.size() * 8);
  std::memcpy(out.data(), std::data(values), out.size());
  return out;
}

}  // namespace

TEST_CASE("struct sigaction of the C library is read as the library lays it out") {
  struct sigaction action{};
  action.sa_handler = SIG_IGN;
  action.sa_flags = SA_ONSTACK | SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaddset(&action.sa_mask, SIGTERM);
  const auto bytes = std::as_bytes(std::span(&action, 1));
  const auto read = decode_libc_signal_action(bytes);
  REQUIRE(read);
  CHECK(read->is_ignored());
  CHECK(read->on_stack());
  CHECK(read->mask == set_of({SIGTERM}));
  CHECK(sizeof action == SignalAction::kLibcBytes);
  CHECK_FALSE(decode_libc_signal_action(bytes.first(100)));
}

TEST_CASE("signals have the names that kill -l gives them") {
  CHECK(signal_name(1) == "SIGHUP");
  CHECK(signal_name(11) == "SIGSEGV");
  CHECK(signal_name(23) == "SIGURG");
  CHECK(signal_name(31) == "SIGSYS");
  CHECK(signal_name(32) == "signal 32");
  CHECK(signal_name(34) == "SIGRTMIN");
  CHECK(signal_name(64) == "SIGRTMIN+30");
  for (const int none : {-1, 0, 65, 1 << 20})
    CHECK(signal_name(none) == "signal " + std::to_string(none));
}

TEST_CASE("sets of signals are told by the shorter side") {
  CHECK(format_signals({}) == "none");
  CHECK(format_signals({~std::uint64_t{0}}) == "all");
  CHECK(format_signals(SignalSet::blockable()) == "all");
  CHECK(format_signals(set_of({10, 15})) == "SIGUSR1, SIGTERM");
  CHECK(format_signals({~set_of({11, 7}).bits}) == "all but SIGBUS, SIGSEGV");
  CHECK(format_signals(set_of({34, 35, 40, 41, 42})) ==
        "SIGRTMIN, SIGRTMIN+1, SIGRTMIN+6 to SIGRTMIN+8");
  CHECK_FALSE(set_of({10}).contains(0));
  CHECK_FALSE(SignalSet{~std::uint64_t{0}}.contains(65));
  CHECK(signals_in(set_of({1, 64})) == std::vector{1, 64});
}

TEST_CASE("a struct sigaction has its four words") {
  const auto action =
      decode_signal_action(words({0x401000, 0x1c000004, 0x401100, set_of({2, 15}).bits}));
  REQUIRE(action);
  CHECK(action->handler == Address{0x401000});
  CHECK(action->has_handler());
  CHECK(action->on_stack());
  CHECK(action->restorer == Address{0x401100});
  CHECK(action->mask == set_of({2, 15}));
  CHECK(signal_action_flags(action->flags) ==
        std::vector<std::string>{"SA_SIGINFO", "SA_RESTORER", "SA_ONSTACK", "SA_RESTART"});
  CHECK(signal_action_flags(0x80000020) == std::vector<std::string>{"SA_RESETHAND", "0x20"});
  CHECK(decode_signal_action(words({0, 0, 0, 0}))->is_default());
  CHECK(decode_signal_action(words({1, 0, 0, 0}))->is_ignored());
  const auto whole = words({1, 2, 3, 4});
  for (std::size_t bytes = 0; bytes < whole.size(); ++bytes)
    CHECK_FALSE(decode_signal_action(ByteView(whole).first(bytes)));
}

TEST_CASE("a stack_t has base, flags and size") {
  const auto stack = decode_alternate_stack(words({0x7000, 0xffffffff80000001, 0x8000}));
  REQUIRE(stack);
  CHECK(stack->range() == AddressRange{{0x7000}, {0xf000}});
  CHECK(stack->in_use());
  CHECK(stack->disarms());
  CHECK_FALSE(stack->disabled());
  CHECK(decode_alternate_stack(words({0, 2, 0}))->disabled());
  const auto whole = words({1, 2, 3});
  for (std::size_t bytes = 0; bytes < whole.size(); ++bytes)
    CHECK_FALSE(decode_alternate_stack(ByteView(whole).first(bytes)));
}

TEST_CASE("masks are read from /proc's status, and what is damaged is left out") {
  const auto known = parse_status_signals(
      "Name:\tSigBlk:\t1\nPid:\t7\nSigQ:\t0/1\nSigPnd:\t0000000000000200\n"
      "ShdPnd:\t0000000000000000\nSigBlk:\t0000000800000200\nSigIgn:\tzz\n"
      "SigCgt:\tffffffffffc1feff");
  CHECK(known.pending == set_of({10}));
  CHECK(known.process_pending == SignalSet{});
  CHECK(known.blocked == set_of({10, 36}));
  CHECK_FALSE(known.ignored);
  REQUIRE(known.caught);
  CHECK(known.caught->contains(64));
  CHECK_FALSE(parse_status_signals("").caught);
  CHECK_FALSE(parse_status_signals("SigCgt:\t").caught);
  CHECK_FALSE(parse_status_signals("SigCgt:\t10000000000000000").caught);
}

}  // namespace cgo
