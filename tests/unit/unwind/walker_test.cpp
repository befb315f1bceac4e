#include <catch2/catch_test_macros.hpp>

#include "world.h"

// The stacks these tests build are those of a program
//   main.main -> main.work -> (C, omitted) -> main.callback -> (C, omitted) -> main.callback …
// The C code between asmcgocall and crosscall2 is left out: crosscall2 returns into asmcgocall,
// which is enough to show what ties the two stacks together.

namespace cgo {
namespace {

using Names = std::vector<std::string>;

/// Lays out nested callbacks from the outside in, as the runtime does.
struct Builder {
  World& world;
  Address user_sp{World::kUserStack.end.value - 0x40};
  Address system_sp{0x7ffef000};  ///< g0.sched.sp of the outermost level.
  Address fp{};                   ///< Frame pointer of the innermost frame so far.
  Address callback_half{};        ///< SP of the newest cgocallback half on the system stack.
  Address chain{system_sp};       ///< g0.sched.sp after what was laid out.

  /// One frame on the goroutine's stack that returns to `ret`.
  void push(Address ret) {
    user_sp.value -= 0x20;
    world.frame(user_sp, ret, fp);
    fp = {user_sp.value + 0x10};
  }
  /// work -> cgocall -> asmcgocall -> C -> crosscall2 -> cgocallback -> cgocallbackg -> callback.
  /// `ret` is where the function that calls cgocall is returned to.
  void callback() {
    push(world.in("main.work"));  // cgocall's frame, called from main.work
    // asmcgocall: pushes the frame pointer on the goroutine's stack, then switches.
    user_sp.value -= 0x10;
    world.image().pointer(user_sp, fp).pointer({user_sp.value + 8}, world.in("runtime.cgocall"));
    const Address asm_sp = user_sp;
    system_sp.value -= 0x40;
    world.image().u64(system_sp, World::kUserStack.end.value - asm_sp.value);
    world.image().pointer({system_sp.value + 8}, World::kG);
    // crosscall2, "called" by asmcgocall, then the half of cgocallback on the system stack.
    Address cross_sp{system_sp.value - 0x20};
    world.frame(cross_sp, world.in("runtime.asmcgocall"));
    callback_half = {cross_sp.value - 0x20};
    world.frame(callback_half, world.in("crosscall2"));
    world.image().pointer(callback_half, chain);
    chain = callback_half;
    system_sp = {callback_half.value - 0x100};
    // The goroutine half: the made-up return into systemstack_switch at asmcgocall's SP.
    user_sp.value -= 0x20;
    world.frame(user_sp, world.in("runtime.systemstack_switch"));
    const Address half_fp{callback_half.value + 0x18};
    user_sp.value -= 0x20;
    world.frame(user_sp, world.in("runtime.cgocallback"), half_fp);
    fp = {user_sp.value + 0x10};
    push(world.in("runtime.cgocallbackg"));
  }
  void finish(const char* innermost) {
    world.thread_at(world.in(innermost), user_sp);
    world.write_g(World::kG0, World::kSystemStack, {.pc = {}, .sp = chain, .bp = {}});
  }
};

void begin(Builder& builder) {
  builder.push(builder.world.in("runtime.goexit"));  // main.main
  builder.push(builder.world.in("main.main"));       // main.work
}

/// A world with nested callbacks: callbacks after the first are called by main.work again.
struct Nested {
  World world;
  Builder builder{world};
  std::vector<Address> halves;

  explicit Nested(int depth) {
    begin(builder);
    for (int level = 0; level < depth; ++level) {
      if (level > 0) builder.push(world.in("main.callback"));
      builder.callback();
      halves.push_back(builder.callback_half);
    }
    builder.finish("main.callback");
  }
};

Names expected_nested(int depth, std::vector<int> gaps = {}) {
  Names out{"main.callback"};
  for (int level = depth - 1; level >= 0; --level) {
    const bool gap = std::find(gaps.begin(), gaps.end(), level) != gaps.end();
    out.insert(out.end(), {"runtime.cgocallbackg", "runtime.cgocallback"});
    if (gap)
      out.push_back("~");
    else
      out.insert(out.end(), {"crosscall2", "runtime.asmcgocall"});
    out.insert(out.end(), {"runtime.cgocall", "main.work"});
    if (level > 0) out.push_back("main.callback");
  }
  out.insert(out.end(), {"main.main", "runtime.goexit"});
  return out;
}

}  // namespace

TEST_CASE("a goroutine in plain Go code is walked to its entry") {
  World world;
  Builder builder{world};
  begin(builder);
  builder.finish("main.work");
  const auto out = world.walk();
  CHECK(names(out.walk) == Names{"main.work", "main.main", "runtime.goexit"});
  CHECK(out.walk.stop == StopReason::goroutine_entry);
  REQUIRE(out.goroutine);
  CHECK(out.goroutine->id == 1);
}

TEST_CASE("callbacks are crossed at any depth") {
  for (int depth : {1, 2, 3, 8}) {
    CAPTURE(depth);
    const Nested nested(depth);
    const auto out = nested.world.walk();
    CHECK(names(out.walk) == expected_nested(depth));
    CHECK(out.walk.complete());
  }
}

TEST_CASE("without a frame pointer the chain of g0.sched.sp leads through") {
  Nested nested(3);
  for (Address at = World::kUserStack.begin; at < World::kUserStack.end; at.value += 8) {
    const auto word = read_pointer(nested.world.memory(), at);
    const bool is_half_fp = word && World::kSystemStack.contains(*word);
    if (is_half_fp) nested.world.image().u64(at, 0);
  }
  CHECK(names(nested.world.walk().walk) == expected_nested(3));
}

TEST_CASE("overwritten C frames become a gap at their level, and no Go frame is lost") {
  Nested nested(3);
  SECTION("the slots lead elsewhere") {
    // asmcgocall's slots of the middle level, 0x40 above its cgocallback half's frame.
    nested.world.image().u64({nested.halves[1].value + 0x40}, 0x80);
  }
  SECTION("crosscall2's return address is gone") {
    nested.world.image().u64({nested.halves[1].value + 0x20 + 0x18}, 0x1234);
  }
  const auto out = nested.world.walk();
  CHECK(names(out.walk) == expected_nested(3, {1}));
  CHECK(out.walk.complete());
}

TEST_CASE("a chain that skips a level is not believed") {
  Nested nested(2);
  // What unwindm does when a panic leaves the inner callback: the chain names the outer half, and
  // the frame pointer no longer helps.
  for (Address at = World::kUserStack.begin; at < World::kUserStack.end; at.value += 8) {
    const auto word = read_pointer(nested.world.memory(), at);
    if (word && World::kSystemStack.contains(*word)) nested.world.image().u64(at, 0);
  }
  nested.world.write_g(World::kG0, World::kSystemStack,
                       {.pc = {}, .sp = nested.halves[0], .bp = {}});
  const auto out = nested.world.walk();
  CHECK(names(out.walk) == expected_nested(2, {1}));
}

TEST_CASE("frames missing from the leaf are a gap when the goroutine knows where it called from") {
  World world;
  Builder builder{world};
  begin(builder);
  builder.push(world.in("main.work"));
  world.write_g(World::kG, World::kUserStack, {},
                {.pc = world.in("runtime.cgocall"), .sp = builder.user_sp, .bp = {}});
  world.thread_at({0x12345678}, {0x7ffe8000});  // Nowhere known.
  const auto out = world.walk();
  CHECK(names(out.walk) ==
        Names{"C", "~", "runtime.cgocall", "main.work", "main.main", "runtime.goexit"});
  CHECK(out.walk.complete());
}

TEST_CASE("a walk ends with its reason where a word is no return address") {
  World world;
  Builder builder{world};
  begin(builder);
  world.image().u64({builder.user_sp.value + 0x18}, 0x123);
  builder.finish("main.work");
  const auto out = world.walk();
  CHECK(names(out.walk) == Names{"main.work"});
  CHECK(out.walk.stop == StopReason::no_rule);
  REQUIRE(out.walk.error);
  CHECK(out.walk.error->message.find("0x123") != std::string::npos);
}

TEST_CASE("a frame limit cuts the answer, not the proof") {
  const Nested nested(4);
  const auto out = Unwinder(nested.world, nested.world.runtimes()).thread(World::kTid, {5, 0});
  Names first = expected_nested(4);
  first.resize(5);
  CHECK(names(out.walk) == first);
  CHECK(out.walk.stop == StopReason::frame_limit);
}

TEST_CASE("of a long stack both ends are kept, and how much is between them") {
  const Nested nested(6);
  const auto out = Unwinder(nested.world, nested.world.runtimes()).thread(World::kTid, {5, 4});
  const Names all = expected_nested(6);
  Names wanted(all.begin(), all.begin() + 5);
  wanted.push_back("~");
  wanted.insert(wanted.end(), all.end() - 4, all.end());
  CHECK(names(out.walk) == wanted);
  CHECK(out.walk.complete());
  CHECK(std::get<Gap>(out.walk.elements[5]).why.starts_with(std::to_string(all.size() - 9) + " "));
}

TEST_CASE("no word of the stacks can be missing without a gap or a reason") {
  Nested nested(2);
  const Names complete = expected_nested(2);
  const MemoryImage whole = nested.world.image();
  // Both stacks from the innermost frame to a little beyond the outermost.
  const AddressRange used[] = {{nested.builder.user_sp, World::kUserStack.end},
                               {nested.builder.callback_half, {0x7ffef000}}};
  int reported = 0;
  for (const AddressRange& stack : used) {
    for (Address hole = stack.begin; hole < stack.end; hole.value += 8) {
      nested.world.image() = whole.drop(hole);
      const Walk walk = nested.world.walk().walk;
      const Names found = names(walk);
      if (found == complete) continue;
      ++reported;
      const bool has_gap = std::find(found.begin(), found.end(), "~") != found.end();
      CHECK((has_gap || walk.error.has_value()));
    }
  }
  CHECK(reported > 20);
}

}  // namespace cgo
