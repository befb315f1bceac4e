#include "goruntime/layout.h"

#include <catch2/catch_test_macros.hpp>
#include <map>
#include <string>

#include "goruntime/layout_table.h"

namespace cgo {
namespace {

/// Debug information that knows five structures, written by hand.
class FakeDwarf final : public DwarfInfo {
 public:
  std::map<std::string, DwarfStruct, std::less<>> types;

  Result<std::vector<SourceFrame>> frames_at(Address) const override { return none(); }
  Result<std::vector<SourceFrame>> tail_calls(Address, Address) const override { return none(); }
  Result<DwarfStruct> struct_type(std::string_view name) const override {
    const auto found = types.find(name);
    if (found == types.end()) return Error{ErrorCode::not_found, "no " + std::string(name)};
    return found->second;
  }

 private:
  static Error none() { return {ErrorCode::not_found, "none"}; }
};

FakeDwarf go1_27() {
  FakeDwarf dwarf;
  dwarf.types["runtime.stack"] = {"runtime.stack", 16, {{"lo", 0, 8}, {"hi", 8, 8}}};
  dwarf.types["runtime.gobuf"] = {"runtime.gobuf", 48, {{"sp", 0, 8}, {"pc", 8, 8}, {"bp", 40, 8}}};
  dwarf.types["runtime.g"] = {"runtime.g",
                              456,
                              {{"stack", 0, 16},
                               {"m", 48, 8},
                               {"sched", 56, 48},
                               {"syscallsp", 104, 8},
                               {"syscallpc", 112, 8},
                               {"syscallbp", 120, 8},
                               {"atomicstatus", 144, 4},
                               {"goid", 152, 8},
                               {"waitsince", 168, 8},
                               {"waitreason", 176, 1},
                               {"lockedm", 208, 8},
                               {"gopc", 288, 8},
                               {"startpc", 304, 8},
                               {"labels", 352, 8},
                               {"parentGoid", 280, 8}}};
  dwarf.types["runtime.m"] = {"runtime.m",
                              1832,
                              {{"g0", 0, 8},
                               {"procid", 64, 8},
                               {"gsignal", 72, 8},
                               {"curg", 184, 8},
                               {"id", 232, 8},
                               {"incgo", 280, 1},
                               {"isextra", 281, 1},
                               {"isExtraInC", 282, 1},
                               {"ncgo", 328, 4},
                               {"alllink", 352, 8},
                               {"lockedg", 384, 8},
                               {"vdsoSP", 896, 8},
                               {"vdsoPC", 904, 8}}};
  dwarf.types["runtime.moduledata"] = {"runtime.moduledata",
                                       568,
                                       {{"types", 296, 8},
                                        {"etypes", 312, 8},
                                        {"gofunc", 344, 8},
                                        {"textsectmap", 360, 24},
                                        {"pluginpath", 408, 16},
                                        {"next", 560, 8}}};
  return dwarf;
}

}  // namespace

TEST_CASE("the layout from DWARF equals the table's for the same release") {
  const auto layout = layout_from_dwarf(go1_27());
  REQUIRE(layout);
  const auto table = layout_from_table({27, 4}, kAmd64);
  REQUIRE(table);
  CHECK(layout->g == table->g);
  CHECK(layout->m == table->m);
  CHECK(layout->moduledata == table->moduledata);
  CHECK(layout->source == RuntimeLayout::Source::dwarf);
  CHECK(table->source == RuntimeLayout::Source::table);
}

TEST_CASE("a field that some releases lack may be absent, any other may not") {
  const FakeDwarf whole = go1_27();
  for (const auto& [name, type] : whole.types) {
    for (std::size_t i = 0; i < type.members.size(); ++i) {
      FakeDwarf dwarf = whole;
      auto& members = dwarf.types[name].members;
      const std::string field = members[i].name;
      members.erase(members.begin() + static_cast<std::ptrdiff_t>(i));
      const bool optional = field == "syscallbp" || field == "parentGoid" || field == "isextra" ||
                            field == "isExtraInC";
      CAPTURE(name, field);
      const auto layout = layout_from_dwarf(dwarf);
      CHECK(layout.has_value() == optional);
      if (!layout) CHECK(layout.error().message.find(field) != std::string::npos);
    }
  }
}

TEST_CASE("debug information without Go's types is said to have none") {
  FakeDwarf dwarf = go1_27();
  dwarf.types.erase("runtime.m");
  const auto layout = layout_from_dwarf(dwarf);
  REQUIRE_FALSE(layout);
  CHECK(layout.error().code == ErrorCode::not_found);
}

TEST_CASE("a field outside of its structure is refused") {
  FakeDwarf dwarf = go1_27();
  dwarf.types["runtime.m"].members[0].offset = ~0ull;
  CHECK(layout_from_dwarf(dwarf).error().code == ErrorCode::malformed_data);
  dwarf = go1_27();
  dwarf.types["runtime.g"].bytes = 1ull << 40;
  CHECK(layout_from_dwarf(dwarf).error().code == ErrorCode::malformed_data);
}

TEST_CASE("rows of the table are ordered, do not overlap and fit their structures") {
  const VersionedLayout* before = nullptr;
  for (const VersionedLayout& row : layout_rows_amd64()) {
    CAPTURE(format_go_version(row.first));
    CHECK(row.first <= row.last);
    CHECK(row.first.minor == row.last.minor);
    if (before != nullptr) CHECK(before->last < row.first);
    CHECK(row.g.labels.bytes + 8 <= row.g.bytes);
    CHECK(row.m.vdso_pc.bytes + 8 <= row.m.bytes);
    before = &row;
  }
}

TEST_CASE("patch releases that moved fields have rows of their own") {
  CHECK(layout_from_table({23, 11}, kAmd64)->m.alllink == FieldOffset{328});
  CHECK(layout_from_table({23, 12}, kAmd64)->m.alllink == FieldOffset{352});
  CHECK(layout_from_table({24, 5}, kAmd64)->m.alllink == FieldOffset{328});
  CHECK(layout_from_table({24, 6}, kAmd64)->m.alllink == FieldOffset{352});
}

TEST_CASE("what was not measured is unsupported, or marked when only the patch is newer") {
  for (GoVersion version : {GoVersion{18, 0}, GoVersion{28, 0}}) {
    const auto layout = layout_from_table(version, kAmd64);
    REQUIRE_FALSE(layout);
    CHECK(layout.error().code == ErrorCode::unsupported);
  }
  CHECK_FALSE(layout_from_table({27, 4}, kAmd64)->newer_than_measured);
  CHECK(layout_from_table({27, 99}, kAmd64)->newer_than_measured);
}

}  // namespace cgo
