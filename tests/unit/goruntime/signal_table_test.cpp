#include "goruntime/signal_table.h"

#include <catch2/catch_test_macros.hpp>

#include "goruntime/layout_table.h"
#include "support/go_program_builder.h"
#include "support/memory_image.h"

namespace cgo {
namespace {

constexpr Address kForward{0x600000}, kHandling{0x601000}, kTable{0x602000}, kQueue{0x603000};
constexpr Address kM{0xc000a00000}, kGsignal{0xc000b00000};
constexpr GoSignalPlaces kPlaces{kForward, kHandling, kTable, kQueue};
constexpr std::uint32_t kNotify = 1, kPanic = 8, kDefault = 16, kUnblock = 128;
constexpr int kSigusr1 = 10, kSigsegv = 11, kSigpipe = 13, kSigcont = 18, kSigkill = 9;

void forward(MemoryImage& memory, int signal, std::uint64_t handler) {
  memory.u64({kForward.value + static_cast<std::uint64_t>(signal) * 8}, handler);
}
void handling(MemoryImage& memory, int signal, std::uint32_t value) {
  memory.u32({kHandling.value + static_cast<std::uint64_t>(signal) * 4}, value);
}
void flags(MemoryImage& memory, int signal, std::uint32_t value) {
  memory.u32({kTable.value + static_cast<std::uint64_t>(signal) * 24}, value);
}

/// All signals Go's, but SIGKILL without flags and SIGCONT that it only takes when asked to.
MemoryImage sample() {
  MemoryImage memory;
  for (int signal = 0; signal <= kMostSignals; ++signal) {
    const auto index = static_cast<std::uint64_t>(signal);
    forward(memory, signal, 0);
    handling(memory, signal, signal == 0 || signal == kSigkill || signal == kSigcont ? 0 : 1);
    memory.u64({kTable.value + index * 24}, kNotify);
    memory.u64({kTable.value + index * 24 + 8}, 0x401000).u64({kTable.value + index * 24 + 16}, 4);
  }
  flags(memory, 0, 0);
  flags(memory, kSigkill, 0);
  flags(memory, kSigcont, kNotify | kDefault);
  flags(memory, kSigsegv, kPanic | kUnblock);
  for (std::uint64_t i = 0; i < 72; i += 8) memory.u64({kQueue.value + i}, 0);
  return memory;
}

GoRuntime runtime() {
  GoRuntime::Parts parts;
  parts.version = {27, 4};
  parts.layout = *layout_from_table({27, 4}, kAmd64);
  return GoRuntime(std::move(parts));
}

Result<std::optional<GoSignalStack>> stack_of(const MemoryReader& memory) {
  Machine m;
  m.address = kM;
  m.id = 3;
  m.gsignal = kGsignal;
  return read_signal_stack(memory, runtime(), {{100}, {120}}, m);
}

MemoryImage machine(std::uint8_t made, std::uint64_t kept) {
  MemoryImage memory;
  const GLayout g = layout_from_table({27, 4}, kAmd64)->g;
  for (std::uint64_t i = 0; i < g.bytes; ++i) memory.u8({kGsignal.value + i}, 0);
  memory.u64({kGsignal.value + g.stack_lo.bytes}, 0xc000100000);
  memory.u64({kGsignal.value + g.stack_hi.bytes}, 0xc000108000);
  memory.u8({kM.value + 100}, made).u64({kM.value + 120}, kept);
  return memory;
}

}  // namespace

TEST_CASE("Go's notes say whose handlers it found, and which it hands signals on to") {
  MemoryImage memory = sample();
  for (const int signal : {kSigusr1, kSigsegv, kSigpipe, kSigcont, kSigkill})
    forward(memory, signal, 0x402000);
  memory.u32({kQueue.value + 20}, 1u << kSigusr1);  // wanted
  memory.u32({kQueue.value + 32 + 4}, 1u << 1);     // ignored: 33
  const auto read = read_go_signals(memory, kPlaces);
  REQUIRE(read);
  const GoSignals& signals = *read;
  CHECK(signals[kSigusr1].handling);
  CHECK(signals[kSigusr1].found == Address{0x402000});
  CHECK_FALSE(signals[kSigusr1].forwards);
  CHECK(signals[kSigusr1].notify == true);
  CHECK(signals[kSigsegv].forwards);
  CHECK(signals[kSigpipe].forwards);
  CHECK(signals[kSigpipe].notify == false);
  CHECK(signals[33].ignored == true);
  CHECK(signals[32].ignored == false);
  // Go never looked at these.
  CHECK_FALSE(signals[kSigkill].found);
  CHECK_FALSE(signals[kSigcont].found);
  handling(memory, kSigcont, 1);
  CHECK(read_go_signals(memory, kPlaces)->at(kSigcont).found_handler());
  // Go gave the signal back.
  handling(memory, kSigsegv, 0);
  CHECK_FALSE(read_go_signals(memory, kPlaces)->at(kSigsegv).forwards);
  // Ignored before is no handler.
  forward(memory, kSigpipe, 1);
  CHECK_FALSE(read_go_signals(memory, kPlaces)->at(kSigpipe).forwards);
}

TEST_CASE("stripped binaries have the places of Go's notes in the code of runtime.sigfwdgo") {
  const auto named = [](Address code, const std::vector<Address>& targets) {
    std::vector<std::byte> out;
    for (const Address target : targets) {  // LEAQ target(IP), SI
      const auto next = code.value + out.size() + 7;
      const auto distance = static_cast<std::uint32_t>(target.value - next);
      for (const unsigned byte : {0x48u, 0x8du, 0x35u, distance & 0xff, distance >> 8 & 0xff,
                                  distance >> 16 & 0xff, distance >> 24})
        out.push_back(static_cast<std::byte>(byte));
    }
    return out;
  };
  MemoryImage memory = sample();
  memory.u64({kTable.value + 8}, 0x610000).u64({kTable.value + 16}, 16);
  memory.text({0x610000}, "SIGNONE: no trap");
  const auto places = [&](const std::vector<Address>& targets, const MemoryImage& from) {
    GoProgramBuilder program({27, 4}, 0);
    program.code_in_file = false;
    program.function("runtime.sigfwdgo", named(program.next_function(), targets));
    MemoryImage whole = from;
    program.add_to(whole);
    const ImageMap images({program.image()});
    const GoRuntimes found = find_go_runtimes(whole, images, {});
    REQUIRE(found.all.size() == 1);
    return find_signal_places_in_code(whole, *found.all[0]);
  };
  for (const auto& order : {std::vector{kForward, kHandling, kTable, kForward},
                            std::vector{kForward, kTable, kHandling}}) {
    const auto found = places(order, memory);
    REQUIRE(found);
    CHECK(found->forward == kForward);
    CHECK(found->handling == kHandling);
    CHECK(found->table == kTable);
    CHECK_FALSE(found->queue);
  }
  CHECK_FALSE(places({kForward, kHandling}, memory));
  CHECK_FALSE(places({kForward, kHandling, kTable, kQueue}, memory));
  CHECK_FALSE(places({kForward, kHandling, kTable}, sample()));
}

TEST_CASE("without runtime.sig nothing is said of os/signal") {
  GoSignalPlaces places = kPlaces;
  places.queue = {};
  const auto read = read_go_signals(sample(), places);
  REQUIRE(read);
  CHECK(read->at(kSigusr1).notify == std::nullopt);
}

TEST_CASE("a table of signals that is none is refused") {
  MemoryImage memory = sample();
  flags(memory, 40, 0x200);
  CHECK_FALSE(read_go_signals(memory, kPlaces));
  memory = sample();
  handling(memory, 64, 2);
  CHECK_FALSE(read_go_signals(memory, kPlaces));
  memory = sample();
  flags(memory, kSigsegv, kNotify);
  CHECK_FALSE(read_go_signals(memory, kPlaces));
}

TEST_CASE("each missing byte of Go's notes of signals is an error") {
  const MemoryImage whole = sample();
  for (const Address hole : whole.addresses()) {
    const auto read = read_go_signals(whole.drop(hole), kPlaces);
    CAPTURE(hole.value);
    REQUIRE_FALSE(read);
    CHECK(read.error().address == hole);
  }
}

TEST_CASE("an M knows whether it or C set the alternate stack of its thread") {
  auto stack = stack_of(machine(1, 0));
  REQUIRE(stack);
  REQUIRE(*stack);
  CHECK((*stack)->range == AddressRange{{0xc000100000}, {0xc000108000}});
  CHECK_FALSE((*stack)->found);
  stack = stack_of(machine(0, 0xc000200000));
  REQUIRE(stack);
  REQUIRE(*stack);
  CHECK((*stack)->found);
  stack = stack_of(machine(0, 0));
  REQUIRE(stack);
  CHECK_FALSE(*stack);
  CHECK_FALSE(stack_of(machine(7, 0)));
  const MemoryImage whole = machine(1, 0);
  for (const Address hole : whole.addresses()) CHECK_FALSE(stack_of(whole.drop(hole)));
}

}  // namespace cgo
