#include "goruntime/labels.h"

#include <algorithm>
#include <optional>

#include "target/byte_view.h"

namespace cgo {
namespace {

constexpr std::uint64_t kMostLabels = 10'000;
constexpr std::uint64_t kLongestText = 64 * 1024;
constexpr std::uint64_t kStringBytes = 16;  // {pointer, length}

Error malformed(const char* what, Address at) {
  return Error{ErrorCode::malformed_data, std::string("labels: ") + what, at};
}

/// The text of the string header at `offset` of `bytes`.
Result<std::string> string_at(const MemoryReader& memory, ByteView bytes, std::uint64_t offset) {
  const Address data{load<std::uint64_t>(bytes, offset).value_or(0)};
  const auto length = load<std::uint64_t>(bytes, offset + 8).value_or(0);
  if (length == 0) return std::string();
  auto text = read_bytes(memory, data, length, kLongestText);
  if (!text) return std::move(text).error().in("labels");
  return std::string(reinterpret_cast<const char*>(text->data()), text->size());
}

/// Since Go 1.24 the labels are a slice of {key, value}.
/// Source: src/runtime/pprof/label.go, LabelSet (1.24, 1.25); src/internal/runtime/pprof/label
/// (1.26).
Result<Labels> decode_label_slice(const MemoryReader& memory, Address slice) {
  auto header = read_bytes(memory, slice, 16);
  if (!header) return std::move(header).error().in("labels");
  const Address first{*load<std::uint64_t>(*header, 0)};
  const auto count = *load<std::uint64_t>(*header, 8);
  if (count > kMostLabels) return malformed("absurd number of labels", slice);
  auto entries = read_bytes(memory, first, count * 2 * kStringBytes);
  if (!entries) return std::move(entries).error().in("labels");
  Labels out;
  for (std::uint64_t i = 0; i < count; ++i) {
    auto key = string_at(memory, *entries, i * 2 * kStringBytes);
    if (!key) return std::move(key).error();
    auto value = string_at(memory, *entries, i * 2 * kStringBytes + kStringBytes);
    if (!value) return std::move(value).error();
    out.emplace_back(*std::move(key), *std::move(value));
  }
  return out;
}

/// Up to Go 1.23 they are a map[string]string with the hash table of those releases.
/// Source: src/runtime/map.go of 1.19 to 1.23, hmap and bmap.
class HashMapReader {
 public:
  explicit HashMapReader(const MemoryReader& memory) : memory_(memory) {}

  Result<Labels> read(Address hmap) {
    auto header = read_bytes(memory_, hmap, 48);
    if (!header) return std::move(header).error().in("labels: hmap");
    const auto count = *load<std::uint64_t>(*header, 0);
    const auto flags = *load<std::uint8_t>(*header, 8);
    const auto log2_buckets = *load<std::uint8_t>(*header, 9);
    if (count > kMostLabels || log2_buckets > 16)
      return malformed("map header makes no sense", hmap);
    const std::uint64_t buckets = std::uint64_t{1} << log2_buckets;
    auto done = read_array({*load<std::uint64_t>(*header, 16)}, buckets);
    if (!done) return std::move(done).error();
    // While a map grows, what was not moved yet lies in the old buckets, which are half as many
    // unless it grows to the same size (flag 8).
    const bool same_size = (flags & 8) != 0;
    done = read_array({*load<std::uint64_t>(*header, 24)}, same_size ? buckets : buckets / 2);
    if (!done) return std::move(done).error();
    if (found_.size() != count) return malformed("map does not hold as many as it says", hmap);
    return std::move(found_);
  }

 private:
  static constexpr std::uint64_t kSlots = 8;
  static constexpr std::uint64_t kKeys = kSlots, kValues = kKeys + kSlots * kStringBytes,
                                 kOverflow = kValues + kSlots * kStringBytes,
                                 kBucketBytes = kOverflow + 8;
  /// Smaller ones mark empty slots, and those moved to a new bucket.
  static constexpr std::uint8_t kMinTopHash = 5;

  Result<void> read_array(Address array, std::uint64_t buckets) {
    if (!array) return {};
    for (std::uint64_t i = 0; i < buckets; ++i) {
      Address bucket = wrapping_add(array, i * kBucketBytes);
      for (std::uint64_t chain = 0; bucket; ++chain) {
        if (chain > kMostLabels) return malformed("endless chain of buckets", bucket);
        auto next = read_bucket(bucket);
        if (!next) return std::move(next).error();
        bucket = *next;
      }
    }
    return {};
  }

  /// Adds what the bucket holds; its overflow bucket, or 0.
  Result<Address> read_bucket(Address bucket) {
    auto bytes = read_bytes(memory_, bucket, kBucketBytes);
    if (!bytes) return std::move(bytes).error().in("labels: bucket");
    for (std::uint64_t slot = 0; slot < kSlots; ++slot) {
      if (*load<std::uint8_t>(*bytes, slot) < kMinTopHash) continue;
      if (found_.size() >= kMostLabels) return malformed("absurd number of labels", bucket);
      auto key = string_at(memory_, *bytes, kKeys + slot * kStringBytes);
      if (!key) return std::move(key).error();
      auto value = string_at(memory_, *bytes, kValues + slot * kStringBytes);
      if (!value) return std::move(value).error();
      found_.emplace_back(*std::move(key), *std::move(value));
    }
    return Address{*load<std::uint64_t>(*bytes, kOverflow)};
  }

  const MemoryReader& memory_;
  Labels found_;
};

Result<Labels> decode_label_map(const MemoryReader& memory, Address map) {
  auto hmap = read_pointer(memory, map);
  if (!hmap) return std::move(hmap).error().in("labels: map");
  if (!*hmap) return Labels{};
  return HashMapReader(memory).read(*hmap);
}

}  // namespace

Result<Labels> decode_labels(const MemoryReader& memory, GoVersion version, Address labels) {
  if (!labels) return Labels{};
  auto found =
      version.minor >= 24 ? decode_label_slice(memory, labels) : decode_label_map(memory, labels);
  if (found) std::sort(found->begin(), found->end());
  return found;
}

}  // namespace cgo
