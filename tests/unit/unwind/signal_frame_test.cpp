#include "unwind/signal_frame.h"

#include <catch2/catch_test_macros.hpp>
#include <csignal>
#include <vector>

#include "support/memory_image.h"

namespace cgo {
namespace {

constexpr Address kUcontext{0x7f0000001000};
constexpr std::uint64_t kSiginfo = 304;

MemoryImage frame() {
  MemoryImage memory;
  memory.bytes(kUcontext, std::vector<std::byte>(kSiginfo + 128));
  memory
      .u64({kUcontext.value + 16}, 0x7f0000000000)  // ss_sp
      .u32({kUcontext.value + 24}, 1)               // ss_flags
      .u64({kUcontext.value + 32}, 0x8000)          // ss_size
      .u64({kUcontext.value + 192}, 6)              // err
      .u64({kUcontext.value + 200}, 14)             // trapno
      .u64({kUcontext.value + 216}, 0x1234)         // cr2
      .u32({kUcontext.value + kSiginfo}, SIGSEGV)
      .u32({kUcontext.value + kSiginfo + 8}, 1)
      .u64({kUcontext.value + kSiginfo + 16}, 0x1234);
  return memory;
}

}  // namespace

TEST_CASE("the kernel's frame of a signal has the fault, the CPU's view of it, the other stack") {
  const auto signal = signal_behind(frame(), kUcontext);
  REQUIRE(signal);
  CHECK(signal->number == SIGSEGV);
  CHECK(signal->fault_address == Address{0x1234});
  const auto context = signal_context(frame(), kUcontext);
  REQUIRE(context);
  CHECK(context->trap == 14);
  CHECK(context->error == 6);
  CHECK(context->page_fault_address == Address{0x1234});
  CHECK(context->alternate.range() == AddressRange{{0x7f0000000000}, {0x7f0000008000}});
  CHECK(context->alternate.in_use());
}

TEST_CASE("missing bytes of a signal's frame are told, not read as zero") {
  for (std::uint64_t hole = 0; hole < 224; ++hole) {
    const Address at{kUcontext.value + hole};
    const auto context = signal_context(frame().drop(at), kUcontext);
    REQUIRE_FALSE(context);
    CHECK(context.error().address == at);
  }
  for (std::uint64_t hole = 0; hole < 24; ++hole)
    CHECK_FALSE(signal_behind(frame().drop({kUcontext.value + kSiginfo + hole}), kUcontext));
}

TEST_CASE("what was sent is no fault, and the kernel may give no address") {
  CHECK(is_fault(SIGSEGV, 1));
  CHECK_FALSE(is_fault(SIGSEGV, 0));
  CHECK_FALSE(is_fault(SIGSEGV, -6));
  CHECK_FALSE(is_fault(SIGTRAP, 1));
  MemoryImage memory = frame();
  memory.u32({kUcontext.value + kSiginfo + 8}, 0x80);
  CHECK_FALSE(signal_behind(memory, kUcontext)->fault_address);
  memory.u32({kUcontext.value + kSiginfo}, 65);
  CHECK_FALSE(signal_behind(memory, kUcontext));
  CHECK_FALSE(signal_behind(memory, {~std::uint64_t{0} - 100}));
}

}  // namespace cgo
