#include "goruntime/labels.h"

#include <catch2/catch_test_macros.hpp>

#include "support/memory_image.h"

namespace cgo {
namespace {

constexpr Address kLabels{0xc000010000};

/// Writes texts somewhere and their headers where they belong.
class Strings {
 public:
  explicit Strings(MemoryImage& memory) : memory_(memory) {}
  void put(std::uint64_t header, std::string_view text) {
    memory_.u64({header}, next_).u64({header + 8}, text.size()).text({next_}, text);
    next_ += 0x100;
  }

 private:
  MemoryImage& memory_;
  std::uint64_t next_ = 0xc000800000;
};

MemoryImage slice_of_two() {
  MemoryImage memory;
  memory.u64(kLabels, 0xc000020000).u64({kLabels.value + 8}, 2);
  Strings strings(memory);
  strings.put(0xc000020000, "request");
  strings.put(0xc000020010, "7");
  strings.put(0xc000020020, "handler");
  strings.put(0xc000020030, "");
  return memory;
}

constexpr std::uint64_t kBuckets = 0xc000030000, kOldBuckets = 0xc000040000, kBucketBytes = 272;

void empty_buckets(MemoryImage& memory, std::uint64_t at, std::uint64_t count) {
  for (std::uint64_t i = 0; i < count * kBucketBytes; ++i) memory.u8({at + i}, 0);
}

void put_slot(MemoryImage& memory, Strings& strings, std::uint64_t bucket, std::uint64_t slot,
              std::string_view key, std::string_view value) {
  memory.u8({bucket + slot}, 0x80);
  strings.put(bucket + 8 + slot * 16, key);
  strings.put(bucket + 136 + slot * 16, value);
}

/// Two buckets, one with an overflow bucket, and an old one that is only half moved.
MemoryImage growing_map() {
  MemoryImage memory;
  memory.u64(kLabels, 0xc000050000);
  for (std::uint64_t i = 0; i < 48; ++i) memory.u8({0xc000050000 + i}, 0);
  memory.u64({0xc000050000}, 4).u8({0xc000050009}, 1);
  memory.u64({0xc000050010}, kBuckets).u64({0xc000050018}, kOldBuckets);
  empty_buckets(memory, kBuckets, 3);  // The third is an overflow bucket.
  empty_buckets(memory, kOldBuckets, 1);
  Strings strings(memory);
  put_slot(memory, strings, kBuckets, 0, "b", "2");
  put_slot(memory, strings, kBuckets + kBucketBytes, 7, "d", "4");
  memory.u64({kBuckets + 264}, kBuckets + 2 * kBucketBytes);
  put_slot(memory, strings, kBuckets + 2 * kBucketBytes, 3, "a", "1");
  put_slot(memory, strings, kOldBuckets, 5, "c", "3");
  memory.u8({kOldBuckets + 1}, 2);  // evacuatedX
  return memory;
}

}  // namespace

TEST_CASE("labels of 1.24 on are a slice") {
  const auto labels = decode_labels(slice_of_two(), {27, 0}, kLabels);
  REQUIRE(labels);
  CHECK(*labels == Labels{{"handler", ""}, {"request", "7"}});
}

TEST_CASE("labels up to 1.23 are a map, which may be growing") {
  const auto labels = decode_labels(growing_map(), {23, 12}, kLabels);
  REQUIRE(labels);
  CHECK(*labels == Labels{{"a", "1"}, {"b", "2"}, {"c", "3"}, {"d", "4"}});
}

TEST_CASE("no labels are no error") {
  CHECK(decode_labels(MemoryImage{}, {27, 0}, {})->empty());
  MemoryImage nil_map;
  nil_map.u64(kLabels, 0);
  CHECK(decode_labels(nil_map, {19, 0}, kLabels)->empty());
}

TEST_CASE("labels report every missing byte at its address") {
  struct Case {
    MemoryImage whole;
    GoVersion version;
  };
  for (const Case& c : {Case{slice_of_two(), {24, 0}}, Case{growing_map(), {19, 0}}}) {
    for (Address hole : c.whole.addresses()) {
      const auto labels = decode_labels(c.whole.drop(hole), c.version, kLabels);
      REQUIRE_FALSE(labels);
      CHECK(labels.error().address == hole);
    }
  }
}

TEST_CASE("absurd counts and circular buckets end with an error") {
  MemoryImage many = slice_of_two();
  many.u64({kLabels.value + 8}, ~0ull);
  CHECK(decode_labels(many, {27, 0}, kLabels).error().code == ErrorCode::malformed_data);
  MemoryImage circular = growing_map();
  circular.u64({kBuckets + 264}, kBuckets);
  CHECK(decode_labels(circular, {19, 0}, kLabels).error().code == ErrorCode::malformed_data);
  MemoryImage deep = growing_map();
  deep.u8({0xc000050009}, 63);
  CHECK(decode_labels(deep, {19, 0}, kLabels).error().code == ErrorCode::malformed_data);
  MemoryImage miscounted = growing_map();
  miscounted.u64({0xc000050000}, 5);
  CHECK(decode_labels(miscounted, {19, 0}, kLabels).error().code == ErrorCode::malformed_data);
}

}  // namespace cgo
