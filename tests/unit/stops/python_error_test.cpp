#include "stops/python_error.h"

#include <catch2/catch_test_macros.hpp>
#include <random>

#include "python_world.h"
#include "stops/python_objects.h"

namespace cgo {
namespace {

constexpr unsigned kMinors[] = {9, 10, 11, 12, 13};

/// One of each kind of thing that is followed: a class in a module, a message, a place.
World whole_world(unsigned minor) {
  World world(minor);
  if (world.layout().line_table)
    world.traceback(2, -1, 10, {0x80 | 13 << 3 | 0, 4, 0x80 | 11 << 3 | 0, 1, 2});
  else
    world.traceback(2, 13, 10);
  const Address type =
      world.python_class("Outer.Inner", "some.module", world.value_error, kBaseStr);
  world.pend(world.exception(type, {world.text("bad thing")}), type);
  return world;
}

}  // namespace

TEST_CASE("what is pending is read in every release") {
  for (const unsigned minor : kMinors) {
    CAPTURE(minor);
    CHECK(whole_world(minor).said() == "some.module.Outer.Inner: bad thing (x.py:13 in f)");
    CHECK(World(minor).said() == (minor < 12 ? "nothing" : "nothing"));
  }
}

TEST_CASE("messages are what str() gives, or nothing") {
  for (const unsigned minor : kMinors) {
    CAPTURE(minor);
    World world(minor);
    const auto says = [&](Address value, Address type) {
      world.pend(value, type);
      return world.said();
    };
    const auto made = [&](Address type, std::initializer_list<Address> arguments,
                          std::initializer_list<Address> fields = {}) {
      return says(world.exception(type, arguments, fields), type);
    };
    CHECK(made(world.value_error, {}) == "ValueError");
    CHECK(made(world.value_error, {world.number(-1234567890123)}) == "ValueError: -1234567890123");
    CHECK(made(world.value_error, {world.number(0)}) == "ValueError: 0");
    CHECK(made(world.value_error, {world.text("a"), world.text("b")}) == "ValueError");
    CHECK(made(world.value_error, {world.items({})}) == "ValueError");
    CHECK(made(world.value_error, {world.wide_text<char>("\xe9t\xe9")}) == "ValueError: été");
    CHECK(made(world.value_error, {world.wide_text<char16_t>(u"€ \xdc80")}) ==
          "ValueError: € \xef\xbf\xbd");
    CHECK(made(world.value_error, {world.wide_text<char32_t>(U"🐍")}) == "ValueError: 🐍");
    CHECK(made(world.value_error, {world.wide_text<char32_t>({U"\x110000", 1})}) == "ValueError");
    CHECK(made(world.value_error, {world.text(std::string(1000, 'x'))}) ==
          "ValueError: " + std::string(300, 'x') + "…");
    CHECK(made(world.key_error, {world.text("a 'b'\n")}) == "KeyError: \"a 'b'\\n\"");
    CHECK(made(world.key_error, {world.text("'\"\\")}) == R"(KeyError: '\'"\\')");
    const Address name = world.text("/etc/x");
    CHECK(made(world.os_error, {}, {world.number(2), world.text("No such"), name, {}}) ==
          "OSError: [Errno 2] No such: '/etc/x'");
    CHECK(made(world.os_error, {}, {world.number(2), world.text("No"), name, name}) ==
          "OSError: [Errno 2] No: '/etc/x' -> '/etc/x'");
    CHECK(made(world.os_error, {world.text("alone")}, {{}, {}, {}, {}}) == "OSError: alone");
    CHECK(made(world.syntax_error, {}, {world.text("wrong"), name, world.number(3)}) ==
          "SyntaxError: wrong (x, line 3)");
    CHECK(made(world.syntax_error, {}, {world.text("wrong"), {}, {}}) == "SyntaxError: wrong");
    CHECK(made(world.import_error, {}, {world.text("none")}) == "ImportError: none");
    const Address own = world.python_class("Own", "__main__", world.value_error, kOwnStr);
    CHECK(made(own, {world.text("not asked")}) == "Own");
  }
}

TEST_CASE("up to 3.11 what an exception is to be made of is known too") {
  World world(11);
  const auto says = [&](Address value, Address type) {
    world.pend(value, type);
    return world.said();
  };
  CHECK(says(world.text("plain"), world.value_error) == "ValueError: plain");
  CHECK(says({}, world.value_error) == "ValueError");
  CHECK(says(world.items({world.text("of one")}), world.value_error) == "ValueError: of one");
  CHECK(says(world.text("key"), world.key_error) == "KeyError: 'key'");
  // Which of its kinds it becomes is not known before it is made.
  CHECK(says(world.items({world.number(2), world.text("x")}), world.os_error) == "OSError");
  const Address place = world.items({world.text("a/b.py"), world.number(7), world.number(1)});
  CHECK(says(world.items({world.text("invalid"), place}), world.syntax_error) ==
        "SyntaxError: invalid (b.py, line 7)");
  const Address own = world.python_class("Own", "m", world.value_error, kBaseStr);
  CHECK(says(world.text("as given"), own) == "m.Own: as given");
  world.memory.u64(wrapping_add(own, 296), 0xbad);
  CHECK(says(world.text("as given"), own) == "m.Own");
}

TEST_CASE("another thread's exception is not this one's") {
  for (const unsigned minor : kMinors) {
    World world = whole_world(minor);
    const auto python = find_python(world.memory, world.images());
    REQUIRE(python);
    for (const std::uint64_t pointer : {kOtherThreadPointer, std::uint64_t{0x9000}}) {
      const auto found = pending_python_exception(world.memory, *python, {pointer});
      REQUIRE(found);
      CHECK_FALSE(*found);
    }
    // Of two states of one thread the attached one counts; without one it cannot be told.
    world.memory.u64(wrapping_add(kOtherThread, world.layout().thread_id), kThreadPointer);
    CHECK(world.said().starts_with("some.module.Outer.Inner"));
    if (minor < 12)
      world.memory.u64(wrapping_add(kState, *world.layout().current_thread), 0);
    else
      world.memory.u32(wrapping_add(kThread, *world.layout().status), 3);
    CHECK(world.said() ==
          "error: the thread has 2 Python thread states, and none of them is attached");
  }
}

TEST_CASE("builds without a layout are refused by name") {
  World world(13);
  const auto refused = [&](const ImageMap& images) {
    const auto python = find_python(world.memory, images);
    REQUIRE_FALSE(python);
    CHECK(python.error().code == ErrorCode::unsupported);
    return python.error().message;
  };
  CHECK(refused(world.images(true)) ==
        "this CPython 3.13 is a debug build, whose layout is not known");
  world.memory.u64(wrapping_add(kState, 16), 1);
  CHECK(refused(world.images()) == "CPython 3.13 without a GIL is not known");
  world.memory.u64(wrapping_add(kState, 16), 0).u64(wrapping_add(kState, 24 * 8), 8);
  CHECK(refused(world.images()) == "this build of CPython 3.13 has another layout");
  world.memory.u64(kVersion, 0x030e00f0);
  CHECK(refused(world.images()) == "exceptions of CPython 3.14 are not known, only of 3.9 to 3.13");
  world.memory.u64(kVersion, 0x030c00a1);
  CHECK(refused(world.images()).starts_with("exceptions of CPython 3.12 before its release"));
  const World old(9);
  CHECK(refused(old.images(false, false)) == "which CPython program has cannot be told");
  const auto none = find_python(world.memory, ImageMap());
  REQUIRE_FALSE(none);
  CHECK(none.error().code == ErrorCode::not_found);
}

TEST_CASE("lists without an end, end") {
  for (const unsigned minor : kMinors) {
    World world = whole_world(minor);
    world.memory.pointer(wrapping_add(kThread, 8), kOtherThread);
    CHECK(world.said() == "error: Python's threads: the list of thread states has no end");
    world = whole_world(minor);
    world.memory.pointer(wrapping_add(world.traceback_of_objects, 16), world.traceback_of_objects);
    CHECK(world.said() == "some.module.Outer.Inner: bad thing");
    world = whole_world(minor);
    world.memory.pointer(wrapping_add(kThread, 16), kThread);
    CHECK(world.said() == "error: Python's threads: a thread state names another interpreter");
  }
}

TEST_CASE("a missing byte leaves out what it is part of, and invents nothing") {
  for (const unsigned minor : kMinors) {
    const World world = whole_world(minor);
    for (const Address hole : world.memory.addresses()) {
      const auto found = world.pending(world.memory.drop(hole));
      if (!found) continue;
      REQUIRE(*found);
      const PythonException& one = **found;
      CHECK((one.type == "some.module.Outer.Inner" || one.type == "Outer.Inner"));
      CHECK((!one.message || *one.message == "bad thing"));
      CHECK((one.file.empty() || (one.file == "x.py" && one.function == "f")));
      CHECK((one.line == 0 || one.line == 13));
    }
  }
}

TEST_CASE("damaged memory ends in an answer") {
  std::mt19937 random(1);
  for (const unsigned minor : kMinors) {
    const World world = whole_world(minor);
    const std::vector<Address> all = world.memory.addresses();
    for (unsigned i = 0; i < 3000; ++i) {
      MemoryImage damaged = world.memory;
      for (unsigned j = 0; j < 3; ++j)
        damaged.u8(all[random() % all.size()], static_cast<std::uint8_t>(random()));
      const auto found = world.pending(damaged);
      if (found && *found) CHECK(python_exception_text(**found).size() < 100'000);
    }
  }
}

TEST_CASE("lines come from the table of locations") {
  const auto bytes = [](std::initializer_list<std::uint8_t> values) {
    std::vector<std::byte> out;
    for (const std::uint8_t value : values) out.push_back(static_cast<std::byte>(value));
    return out;
  };
  // What CPython 3.11.2 wrote, with the lines that its co_positions() gives of it.
  const auto table =
      bytes({0x80, 0x00, 0xd8, 0x08, 0x09, 0x88, 0x41, 0x89, 0x05, 0x80, 0x41, 0xe0, 0x08, 0x09,
             0xe0, 0x08, 0x09, 0xf1, 0x05, 0x02, 0x09, 0x0a, 0xf0, 0x03, 0x04, 0x05, 0x06});
  constexpr std::uint32_t kLines[] = {1, 2, 2, 2, 2, 2, 4, 6, 4, 4, 3};
  for (std::size_t unit = 0; unit < std::size(kLines); ++unit)
    CHECK(line_in_table(table, 1, unit) == kLines[unit]);
  CHECK_FALSE(line_in_table(table, 1, std::size(kLines)));
  // A delta of many groups, a negative one, and code that has no line.
  const auto wide =
      bytes({0x80 | 13 << 3, 0x40 | 0x00, 0x10, 0x80 | 13 << 3 | 1, 0x07, 0x80 | 15 << 3});
  CHECK(line_in_table(wide, 5, 0) == 5 + 512);
  CHECK(line_in_table(wide, 5, 2) == 5 + 512 - 3);
  CHECK_FALSE(line_in_table(wide, 5, 3));
  CHECK_FALSE(line_in_table(bytes({0x00}), 5, 0));
  CHECK_FALSE(line_in_table({}, 5, 0));
}

}  // namespace cgo
