#include "target/cached_reader.h"

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <thread>

namespace cgo {
namespace {

constexpr std::size_t kPage = CachedReader::kPageBytes;

/// Readable from 0x10000 up to `end`; counts what it is asked. Each byte tells its address.
class Source final : public MemoryReader {
 public:
  explicit Source(std::uint64_t end) : end_(end) {}

  static std::byte byte_at(std::uint64_t address) { return std::byte(address * 31 >> 3 & 255); }

  Result<void> read(Address from, std::span<std::byte> out) const override {
    ++reads;
    for (std::size_t i = 0; i < out.size(); ++i) {
      const std::uint64_t at = from.value + i;
      if (at < 0x10000 || at >= end_) return unreadable(from, out.size(), {at});
      out[i] = byte_at(at);
    }
    return {};
  }

  mutable std::atomic<int> reads = 0;

 private:
  std::uint64_t end_;
};

bool right(const CachedReader& reader, std::uint64_t from, std::size_t count) {
  const auto bytes = read_bytes(reader, {from}, count);
  if (!bytes) return false;
  for (std::size_t i = 0; i < count; ++i)
    if (bytes->at(i) != Source::byte_at(from + i)) return false;
  return true;
}

}  // namespace

TEST_CASE("a page is fetched once however often it is read") {
  const auto source = std::make_shared<Source>(0x100000);
  const CachedReader reader(source);
  for (int i = 0; i < 100; ++i) CHECK(right(reader, 0x10000 + i * 8, 16));
  CHECK(source->reads == 1);
  CHECK(right(reader, 0x10ff8, 16));
  CHECK(source->reads == 2);
}

TEST_CASE("the first unreadable byte is the source's, in the words of the request") {
  const auto source = std::make_shared<Source>(0x12345);
  const CachedReader reader(source);
  CHECK(right(reader, 0x12340, 5));  // The page has a hole, these bytes do not.
  const auto refused = read_bytes(reader, {0x11ffc}, 0x1000);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().address == Address{0x12345});
  CHECK(refused.error().message == unreadable({0x11ffc}, 0x1000, {0x12345}).message);
  CHECK_FALSE(read_bytes(reader, {~std::uint64_t{0}}, 2));
}

TEST_CASE("no more than the limit is kept, and large reads pass by") {
  const auto source = std::make_shared<Source>(0x10000000);
  const CachedReader reader(source, 32 * kPage);
  for (std::uint64_t page = 0; page < 64; ++page) CHECK(right(reader, 0x10000 + page * kPage, 8));
  CHECK(source->reads == 64);
  for (std::uint64_t page = 32; page < 64; ++page) CHECK(right(reader, 0x10000 + page * kPage, 8));
  CHECK(source->reads == 64);  // The newest are there.
  CHECK(right(reader, 0x10000, 8));
  CHECK(source->reads == 65);  // The oldest are not.
  CHECK(right(reader, 0x10000, 64 * kPage));
  CHECK(source->reads == 66);
}

TEST_CASE("threads read the right bytes while pages come and go") {
  const auto source = std::make_shared<Source>(0x10000000);
  const CachedReader reader(source, 16 * kPage);
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (std::uint64_t seed = 1; seed <= 4; ++seed)
    threads.emplace_back([&reader, &wrong, seed] {
      std::uint64_t state = seed;
      for (int i = 0; i < 2000; ++i) {
        state = state * 6364136223846793005 + 1442695040888963407;
        if (!right(reader, 0x10000 + (state >> 44), 24)) ++wrong;
      }
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
}

}  // namespace cgo
