#include "owners/c_words.h"

#include <catch2/catch_test_macros.hpp>
#include <map>

#include "support/memory_image.h"
#include "target/address_ranges.h"
#include "target/arch.h"

namespace cgo {
namespace {

constexpr std::uint64_t kTid = 7;
constexpr AddressRange kStack{{0x20000}, {0x24000}};
constexpr AddressRange kVariables{{0x23000}, {0x24000}};
constexpr AddressRange kFree{{0x24000}, {0x26000}};
constexpr AddressRange kHeap{{0x25000}, {0x25800}};
constexpr AddressRange kConstants{{0x30000}, {0x31000}};
constexpr AddressRange kProtected{{0x31000}, {0x32000}};  // Filled, and then made read-only.
constexpr Address kSp{0x22080};

class FakeDebuggee final : public Debuggee {
 public:
  FakeDebuggee() {
    for (const AddressRange range : {kStack, kFree, kConstants, kProtected})
      memory_.bytes(range.begin, std::vector<std::byte>(range.bytes()));
  }
  const ArchInfo& arch() const override { return kAmd64; }
  bool is_core() const override { return true; }
  const MemoryReader& memory() const override { return memory_; }
  const ImageMap& images() const override { return images_; }
  std::vector<ThreadInfo> threads() const override { return {{.tid = kTid, .index = 1}}; }
  Result<Registers> registers(std::uint64_t) const override {
    if (!registers_known_) return Error{ErrorCode::not_found, "not known"};
    Registers out(kAmd64);
    out.set_sp(kSp);
    out.set(0, 0x1234);
    out.set(3, 0);
    return out;
  }
  Result<Address> thread_pointer(std::uint64_t) const override {
    return Error{ErrorCode::not_found, "not asked here"};
  }
  bool executable(Address) const override { return false; }
  const MappingList* mappings() const override { return mappings_known_ ? &mappings_ : nullptr; }

  MemoryImage memory_;
  bool mappings_known_ = true, registers_known_ = true;

 private:
  MappingList mappings_{
      std::vector<Mapping>{{.range = {kStack.begin, kFree.end}, .readable = true, .writable = true},
                           {.range = kConstants, .readable = true, .path = "/lib/libx.so"},
                           {.range = kProtected, .readable = true}}};
  ImageMap images_;
};

struct Seen {
  std::map<std::uint64_t, CWord> words;  // By address.
  std::vector<std::uint64_t> registers;
  CWordGaps gaps;
};

Seen look(const FakeDebuggee& debuggee) {
  const std::vector<ThreadArea> areas{{kTid, kStack, {}, kVariables}};
  const std::vector<AddressRange> elsewhere{kHeap};
  Seen seen;
  seen.gaps = for_each_c_word({debuggee, areas, {}, {}, elsewhere}, [&](const CWord& word) {
    if (word.kind == HolderKind::register_word)
      seen.registers.push_back(word.value);
    else
      CHECK(seen.words.emplace(word.at.value, word).second);
  });
  return seen;
}

TEST_CASE("each word is visited once, as what its place is") {
  FakeDebuggee debuggee;
  const auto put = [&](std::uint64_t at) { debuggee.memory_.u64({at}, at); };
  for (const std::uint64_t at : {0x20000, 0x21ff8, 0x22000, 0x22ff8, 0x23000, 0x23ff8, 0x24000,
                                 0x24ff8, 0x25000, 0x257f8, 0x25800, 0x25ff8, 0x30000, 0x31ff8})
    put(at);
  const Seen seen = look(debuggee);
  CHECK(seen.gaps.reasons.empty());
  const auto kind_at = [&](std::uint64_t at) { return seen.words.at(at).kind; };
  CHECK_FALSE(seen.words.contains(0x20000));
  CHECK_FALSE(seen.words.contains(0x21ff8));
  CHECK(kind_at(0x22000) == HolderKind::c_stack);
  CHECK(seen.words.at(0x22000).thread == kTid);
  CHECK(kind_at(0x22ff8) == HolderKind::c_stack);
  CHECK(kind_at(0x23000) == HolderKind::thread_storage);
  CHECK(kind_at(0x23ff8) == HolderKind::thread_storage);
  CHECK(kind_at(0x24000) == HolderKind::mapping);
  CHECK(kind_at(0x24ff8) == HolderKind::mapping);
  CHECK_FALSE(seen.words.contains(0x25000));
  CHECK_FALSE(seen.words.contains(0x257f8));
  CHECK(kind_at(0x25800) == HolderKind::mapping);
  CHECK(kind_at(0x25ff8) == HolderKind::mapping);
  CHECK(kind_at(0x31ff8) == HolderKind::mapping);
  CHECK(seen.words.size() == 9);
  CHECK(seen.registers == std::vector<std::uint64_t>{0x1234, kSp.value});
}

TEST_CASE("what cannot be looked at is said, and the rest is looked at") {
  FakeDebuggee debuggee;
  debuggee.memory_.u64({0x24100}, 5).u64({0x25900}, 6);
  debuggee.memory_ = debuggee.memory_.drop({0x24000});
  const Seen seen = look(debuggee);
  CHECK(seen.gaps.missing_bytes == 0x1000);
  CHECK(seen.gaps.reasons.size() == 1);
  CHECK(seen.words.contains(0x25900));
  debuggee.mappings_known_ = debuggee.registers_known_ = false;
  const Seen less = look(debuggee);
  CHECK(less.gaps.reasons.size() == 2);
  CHECK(less.words.empty());
}

TEST_CASE("a thread that runs on another stack may need all of its own") {
  FakeDebuggee debuggee;
  debuggee.registers_known_ = false;
  debuggee.memory_.u64({0x20000}, 5);
  CHECK(look(debuggee).words.at(0x20000).kind == HolderKind::c_stack);
}

TEST_CASE("what is taken is cut out of a range, wherever it lies") {
  const AddressRange all{{10}, {20}};
  const auto parts = [&](std::vector<AddressRange> taken) { return without(all, taken); };
  const auto range = [](std::uint64_t begin, std::uint64_t end) {
    return AddressRange{{begin}, {end}};
  };
  CHECK(parts({}) == std::vector{all});
  CHECK(parts({range(0, 10), range(20, 30)}) == std::vector{all});
  CHECK(parts({range(0, 12), range(11, 13), range(15, 15), range(18, 40)}) ==
        std::vector{range(13, 15), range(15, 18)});
  CHECK(parts({range(5, 25)}).empty());
  CHECK(parts({range(10, 20)}).empty());
}

}  // namespace
}  // namespace cgo
