#include "goruntime/pclntab.h"

#include <catch2/catch_test_macros.hpp>

#include "support/pclntab_builder.h"

namespace cgo {
namespace {

constexpr Address kText{0x401000};

/// main.outer calls inlined main.middle, which calls inlined main.inner, at [0x20, 0x30).
PclntabBuilder program(GoVersion version) {
  PclntabBuilder builder(version);
  builder.function({.name = "main.first",
                    .entry = 0,
                    .func_id = 2,
                    .frame = {{0x4, 0}, {0x1c, 24}, {0x20, 0}},
                    .files = {{0x20, "/src/first.go"}},
                    .lines = {{0x10, 7}, {0x20, 9}}});
  builder.function(
      {.name = "main.outer",
       .entry = 0x20,
       .frame = {{0x80, 8}},
       .files = {{0x20, "/src/outer.go"}, {0x30, "/src/inner.go"}, {0x80, "/src/outer.go"}},
       .lines = {{0x18, 100}, {0x20, 101}, {0x30, 300}, {0x40, 200}, {0x80, 102}},
       .inline_index = {{0x20, -1}, {0x30, 1}, {0x40, 0}, {0x80, -1}},
       .inlined = {{.function = "main.middle",
                    .parent_pc = 0x18,
                    .parent = -1,
                    .call_file = "/src/outer.go",
                    .call_line = 101},
                   {.function = "main.inner",
                    .func_id = 0,
                    .parent_pc = 0x30,
                    .parent = 0,
                    .call_file = "/src/outer.go",
                    .call_line = 200}},
       .start_line = 99});
  return builder;
}

constexpr GoVersion kReleases[] = {{19, 0}, {20, 0}, {22, 0}, {27, 0}};

}  // namespace

TEST_CASE("function_at finds the function that covers a pc") {
  for (GoVersion version : kReleases) {
    const auto module = program(version).module(kText, 0xa0);
    const auto first = module->function_at({0x401000});
    REQUIRE(first);
    CHECK(first->name == "main.first");
    CHECK(first->id == FuncId::asmcgocall);
    CHECK(first->entry == Address{0x401000});
    CHECK(first->end == Address{0x401020});
    CHECK(first->module == module.get());
    CHECK(module->function_at({0x40101f})->name == "main.first");
    CHECK(module->function_at({0x401020})->name == "main.outer");
    CHECK(module->function_at({0x40109f})->name == "main.outer");
    CHECK_FALSE(module->function_at({0x4010a0}));
    CHECK_FALSE(module->function_at({0x400fff}));
    CHECK_FALSE(module->function_at({0}));
    CHECK_FALSE(module->function_at({~0ull}));
  }
}

TEST_CASE("function_named finds whole names only") {
  const auto module = program({27, 0}).module(kText, 0xa0);
  CHECK(module->function_named("main.outer")->entry == Address{0x401020});
  CHECK(module->function_named("main.outer")->start_line == 99);
  CHECK_FALSE(module->function_named("main.out"));
  CHECK_FALSE(module->function_named("outer"));
  CHECK_FALSE(module->function_named("main.inner"));  // Only ever inlined.
  CHECK_FALSE(module->function_named(""));
  CHECK(module->function_named("main.first")->entry == Address{0x401000});
}

TEST_CASE("frame_bytes follows pcsp to its very edges") {
  for (GoVersion version : kReleases) {
    const auto module = program(version).module(kText, 0xa0);
    const auto first = *module->function_at(kText);
    const auto frame = [&](std::uint64_t offset) {
      return module->frame_bytes(first, {kText.value + offset}).value_or(999);
    };
    CHECK(frame(0) == 0);
    CHECK(frame(3) == 0);
    CHECK(frame(4) == 24);
    CHECK(frame(0x1b) == 24);
    CHECK(frame(0x1c) == 0);
    CHECK_FALSE(module->frame_bytes(first, {kText.value + 0x20}));
    CHECK_FALSE(module->frame_bytes(first, {kText.value - 1}));
  }
}

TEST_CASE("source_frames expands inlining, innermost first") {
  for (GoVersion version : kReleases) {
    CAPTURE(version.minor);
    const auto module = program(version).module(kText, 0xa0);
    const auto outer = *module->function_at({0x401020});
    const auto frames = module->source_frames(outer, {0x401020 + 0x25});
    REQUIRE(frames);
    REQUIRE(frames->size() == 3);
    CHECK((*frames)[0].function == "main.inner");
    CHECK((*frames)[0].file == "/src/inner.go");
    CHECK((*frames)[0].line == 300);
    CHECK((*frames)[0].inlined);
    CHECK((*frames)[1].function == "main.middle");
    CHECK((*frames)[1].file == "/src/outer.go");
    CHECK((*frames)[1].line == 200);
    CHECK((*frames)[1].inlined);
    CHECK((*frames)[2].function == "main.outer");
    CHECK((*frames)[2].file == "/src/outer.go");
    CHECK((*frames)[2].line == 101);
    CHECK_FALSE((*frames)[2].inlined);

    const auto plain = module->source_frames(outer, {0x401020 + 0x50});
    REQUIRE(plain);
    REQUIRE(plain->size() == 1);
    CHECK(plain->front().line == 102);
  }
}

TEST_CASE("an inline tree that runs in a circle ends with an error") {
  PclntabBuilder by_pc({27, 0});
  by_pc.function({.name = "main.f",
                  .frame = {{0x20, 0}},
                  .files = {{0x20, "f.go"}},
                  .lines = {{0x20, 1}},
                  .inline_index = {{0x20, 0}},
                  .inlined = {{.function = "main.loop", .parent_pc = 0}}});
  const auto first = by_pc.module(kText, 0x20);
  const auto frames = first->source_frames(*first->function_at(kText), kText);
  REQUIRE_FALSE(frames);
  CHECK(frames.error().code == ErrorCode::malformed_data);

  PclntabBuilder by_index({19, 0});
  by_index.function({.name = "main.f",
                     .frame = {{0x20, 0}},
                     .files = {{0x20, "f.go"}},
                     .lines = {{0x20, 1}},
                     .inline_index = {{0x20, 0}},
                     .inlined = {{.function = "main.loop", .parent = 0}}});
  const auto second = by_index.module(kText, 0x20);
  CHECK_FALSE(second->source_frames(*second->function_at(kText), kText));
}

TEST_CASE("numbers of functions differ between releases") {
  CHECK(func_ids_for({19, 0})[18] == FuncId::sigpanic);
  CHECK(func_ids_for({21, 13})[21] == FuncId::wrapper);
  CHECK(func_ids_for({22, 0})[19] == FuncId::sigpanic);
  CHECK(func_ids_for({24, 0})[22] == FuncId::wrapper);
  CHECK(func_ids_for({25, 0})[17] == FuncId::runtime_main);
  CHECK(func_ids_for({27, 0})[23] == FuncId::wrapper);
  PclntabBuilder builder({27, 0});
  builder.function({.name = "main.f", .func_id = 200, .frame = {{8, 0}}});
  CHECK(builder.module(kText, 8)->function_at(kText)->id == FuncId::unknown);
}

TEST_CASE("tables cut at any byte never answer beyond their end") {
  for (GoVersion version : kReleases) {
    const auto whole = program(version).bytes(0xa0);
    using Table = std::vector<std::byte> PclntabBuilder::Bytes::*;
    for (Table table : {&PclntabBuilder::Bytes::funcnametab, &PclntabBuilder::Bytes::cutab,
                        &PclntabBuilder::Bytes::filetab, &PclntabBuilder::Bytes::pctab,
                        &PclntabBuilder::Bytes::pclntable, &PclntabBuilder::Bytes::ftab,
                        &PclntabBuilder::Bytes::gofunc}) {
      for (std::size_t size = 0; size < (whole.*table).size(); ++size) {
        auto cut = std::make_shared<PclntabBuilder::Bytes>(whole);
        (cut.get()->*table).resize(size);
        (cut.get()->*table).shrink_to_fit();  // So that a sanitizer sees a read past the end.
        const auto module = module_from_bytes(cut, version, kText, 0xa0);
        for (std::uint64_t pc = kText.value; pc < kText.value + 0xa0; ++pc) {
          const auto function = module->function_at({pc});
          if (!function) continue;
          const auto frame = module->frame_bytes(*function, {pc});
          if (frame) CHECK((*frame == 0 || *frame == 8 || *frame == 24));
          const auto frames = module->source_frames(*function, {pc});
          if (frames) CHECK(frames->size() <= 3);
        }
      }
    }
  }
}

}  // namespace cgo
