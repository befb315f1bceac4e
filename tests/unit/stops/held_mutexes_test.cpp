#include "stops/held_mutexes.h"

#include <catch2/catch_test_macros.hpp>
#include <cstring>

#include "support/memory_image.h"

namespace cgo {
namespace {

constexpr std::uint32_t kTid = 4711;

struct Mutex {
  std::uint32_t lock = 1, count = 0, owner = kTid, users = 1, kind = 0;
  std::int16_t spins = 0, elision = 0;
  std::uint64_t previous = 0, next = 0;
};
static_assert(sizeof(Mutex) == kMutexBytes);

std::optional<HeldMutex> held(const Mutex& mutex, std::uint64_t tid = kTid) {
  return mutex_held_by(std::as_bytes(std::span(&mutex, 1)), tid);
}

}  // namespace

// The fields are those that gdb prints of mutexes of glibc 2.36 after pthread_mutex_lock.
TEST_CASE("a mutex that the thread has locked") {
  CHECK(held({}));
  CHECK_FALSE(held({})->waited_for);
  CHECK(held({.lock = 2})->waited_for);
  CHECK(held({.count = 3, .kind = 1})->times == 3);
  CHECK(held({.kind = 2}));
  CHECK(held({.kind = 3, .spins = 10}));
  CHECK(held({.lock = kTid, .count = 1, .kind = 32}));
  CHECK(held({.lock = kTid | 0x80000000, .count = 1, .kind = 16, .previous = 1, .next = 1})
            ->waited_for);
  CHECK(held({.users = 3}));  // Others wait in pthread_cond_wait.
}

TEST_CASE("what only looks like one") {
  CHECK_FALSE(held({.lock = 0}));
  CHECK_FALSE(held({.lock = 3}));
  CHECK_FALSE(held({.owner = kTid + 1}));
  CHECK_FALSE(held({.count = 1}));             // Not recursive.
  CHECK_FALSE(held({.count = 0, .kind = 1}));  // Recursive, never locked.
  CHECK_FALSE(held({.users = 0}));
  CHECK_FALSE(held({.users = 0x7fff0000}));  // Half of an address.
  CHECK_FALSE(held({.kind = 0x400}));
  CHECK_FALSE(held({.spins = 5}));  // Not adaptive.
  CHECK_FALSE(held({.elision = 20000}));
  CHECK_FALSE(held({.next = 0x7fff12345678}));  // Only robust ones are in a list.
  CHECK_FALSE(held({.lock = 1, .kind = 32}));   // Its lock word would be the owner.
  CHECK_FALSE(held({.lock = kTid, .kind = 0}));
  CHECK_FALSE(held({}, 0));
  CHECK_FALSE(held({.owner = 0}, 0));
  const Mutex mutex;
  CHECK_FALSE(mutex_held_by(std::as_bytes(std::span(&mutex, 1)).first(39), kTid));
}

TEST_CASE("a search finds all of them, over the borders of what is read at once") {
  MemoryImage memory;
  const AddressRange range{{0x100000}, {0x100000 + (300 << 10)}};
  const std::vector<std::byte> zeros(range.bytes());
  memory.bytes(range.begin, zeros);
  const Mutex mutex;
  const auto bytes = std::as_bytes(std::span(&mutex, 1));
  for (const std::uint64_t at :
       {0x100000u, 0x100000u + (256u << 10) - 16, 0x100000u + (300u << 10) - 40})
    memory.bytes({at}, bytes);
  memory.bytes({0x100104}, bytes);  // Not where a mutex can begin.
  const std::vector<AddressRange> ranges{range};
  const MutexSearch found = find_held_mutexes(memory, ranges, kTid, 1 << 20);
  REQUIRE(found.found.size() == 3);
  CHECK(found.found[1].address == Address{0x100000u + (256u << 10) - 16});
  CHECK(found.searched_bytes == range.bytes());
  CHECK_FALSE(found.cut);
  CHECK(find_held_mutexes(memory, ranges, kTid, 1 << 10).cut);
  // A page that is missing costs what is in it.
  const MutexSearch holed = find_held_mutexes(memory.drop({0x100000}), ranges, kTid, 1 << 20);
  CHECK(holed.found.size() == 2);
  CHECK(holed.unread_bytes == 4096);
}

}  // namespace cgo
