#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <initializer_list>

#include "goruntime/go_runtime.h"
#include "support/elf_builder.h"
#include "support/go_program_builder.h"
#include "support/go_runtime_state.h"

namespace cgo {
namespace {

GoRuntimes find(const MemoryImage& memory, std::vector<Image> images) {
  const ImageMap map(std::move(images));
  return find_go_runtimes(memory, map, {});
}

}  // namespace

TEST_CASE("a stripped program of every release is found with all it needs") {
  for (GoVersion version : {GoVersion{19, 8}, GoVersion{20, 14}, GoVersion{22, 1}, GoVersion{24, 6},
                            GoVersion{27, 4}}) {
    for (const int shape : {0, 1, 2}) {
      CAPTURE(version.minor, shape);
      GoProgramBuilder program(version, 0x55550000'0000);
      program.sections = shape == 0;
      program.code_in_file = shape != 2;
      add_runtime_functions(program);
      MemoryImage memory;
      program.add_to(memory);
      add_runtime_state(program, memory);
      // The code of a file that is there is read through memory too: the reader of a process has
      // it.
      GoProgramBuilder blind = program;
      blind.code_in_file = false;
      blind.add_to(memory);
      add_runtime_state(program, memory);

      const GoRuntimes found = find(memory, {program.image()});
      for (const Error& error : found.problems) UNSCOPED_INFO(error.message);
      REQUIRE(found.all.size() == 1);
      CHECK(found.problems.empty());
      const GoRuntime& runtime = *found.all.front();

      CHECK(runtime.version() == version);
      CHECK(runtime.parts().g_tls_offset == -8);
      CHECK(runtime.parts().allgs == program.variable(kAllgsVariable));
      CHECK(runtime.parts().allm == program.variable(kAllmVariable));
      CHECK(runtime.parts().wait_reason_strings == program.variable(kReasonsVariable));
      CHECK(found.at(program.text()) == &runtime);
      CHECK(found.at({0x1234}) == nullptr);
      CHECK(runtime.function_at(program.text())->name == "runtime.asmcgocall");
      CHECK(runtime.goroutines(memory).found.size() == 1);
      CHECK(runtime.machines(memory).found.size() == 1);
      CHECK(*runtime.wait_reason(memory, 1) == "GC assist marking");
    }
  }
}

TEST_CASE("addresses from code are not believed where memory contradicts them") {
  GoProgramBuilder program({27, 4}, 0);
  add_runtime_functions(program);
  MemoryImage memory;
  GoProgramBuilder blind = program;
  blind.code_in_file = false;
  blind.add_to(memory);
  add_runtime_state(program, memory);
  memory.u64(program.variable(kAllgsVariable + 8), 5);  // Longer than its capacity.
  memory.u64({kG0.value + program.layout().g.m.bytes}, 0x666000);
  memory.u64(program.variable(kReasonsVariable + 24), 3);
  const GoRuntimes found = find(memory, {program.image()});
  REQUIRE(found.all.size() == 1);
  CHECK_FALSE(found.all[0]->parts().allgs);
  CHECK_FALSE(found.all[0]->parts().allm);
  CHECK_FALSE(found.all[0]->parts().wait_reason_strings);
  const auto goroutines = found.all[0]->goroutines(memory);
  CHECK(goroutines.found.empty());
  REQUIRE_FALSE(goroutines.errors.empty());
  CHECK(goroutines.errors[0].message.find("allgs") != std::string::npos);
}

TEST_CASE("a plugin belongs to the runtime of its program") {
  GoProgramBuilder plugin({26, 8}, 0x7000'0000'0000);
  plugin.plugin = true;
  plugin.function("main.Hello", {});
  GoProgramBuilder program({26, 8}, 0);
  program.next = plugin.moduledata();
  add_runtime_functions(program);
  MemoryImage memory;
  program.add_to(memory);
  plugin.add_to(memory);
  add_runtime_state(program, memory);
  // The plugin comes first in the list of images: order must not matter.
  const GoRuntimes found = find(memory, {plugin.image(), program.image()});
  for (const Error& error : found.problems) UNSCOPED_INFO(error.message);
  REQUIRE(found.all.size() == 1);
  REQUIRE(found.all[0]->parts().modules.size() == 2);
  CHECK(found.all[0]->function_named("main.Hello"));
  CHECK(found.at(plugin.text()) == found.all[0].get());
  CHECK_FALSE(found.all[0]->has_more_modules(memory));
}

TEST_CASE("a runtime notices a plugin that it has taken in since") {
  GoProgramBuilder plugin({26, 8}, 0x7000'0000'0000);
  plugin.plugin = true;
  GoProgramBuilder program({26, 8}, 0);
  add_runtime_functions(program);
  MemoryImage before;
  program.add_to(before);
  plugin.add_to(before);
  add_runtime_state(program, before);
  const GoRuntimes found = find(before, {plugin.image(), program.image()});
  REQUIRE(found.all.size() == 1);
  CHECK_FALSE(found.all[0]->has_more_modules(before));
  MemoryImage after = before;
  after.pointer(wrapping_add(program.moduledata(), program.layout().moduledata.next.bytes),
                plugin.moduledata());
  CHECK(found.all[0]->has_more_modules(after));
}

TEST_CASE("a plugin that is not linked in yet is a problem, not a runtime") {
  GoProgramBuilder plugin({26, 8}, 0);
  plugin.plugin = true;
  plugin.function("main.Hello", {});
  MemoryImage memory;
  plugin.add_to(memory);
  const GoRuntimes found = find(memory, {plugin.image()});
  CHECK(found.all.empty());
  CHECK(found.problems.size() == 1);
  // In its file alone it can be looked at.
  const ImageMap alone({plugin.image()});
  const GoRuntimes lone = find_go_runtimes(memory, alone, {}, LonePlugins::accepted);
  REQUIRE(lone.all.size() == 1);
  CHECK(lone.all[0]->function_named("main.Hello"));
}

TEST_CASE("two programs of different releases are two runtimes") {
  GoProgramBuilder one({19, 8}, 0), two({27, 4}, 0x7000'0000'0000);
  one.function("one.f", {});
  two.function("two.f", {});
  MemoryImage memory;
  one.add_to(memory);
  two.add_to(memory);
  const GoRuntimes found = find(memory, {one.image(), two.image()});
  REQUIRE(found.all.size() == 2);
  CHECK(found.at(one.text())->version() == GoVersion{19, 8});
  CHECK(found.at(two.text())->version() == GoVersion{27, 4});
}

TEST_CASE("a circular list of modules ends with a problem") {
  GoProgramBuilder program({27, 4}, 0);
  program.next = program.moduledata();
  program.function("main.main", {});
  MemoryImage memory;
  program.add_to(memory);
  const GoRuntimes found = find(memory, {program.image()});
  CHECK(found.all.size() == 1);
  REQUIRE(found.problems.size() == 1);
  CHECK(found.problems[0].message.find("circular") != std::string::npos);
}

TEST_CASE("releases without a layout are unsupported, and it says what was looked for") {
  GoProgramBuilder program({27, 4}, 0);
  program.version_text = "go1.31.2";
  program.function("main.main", {});
  MemoryImage memory;
  program.add_to(memory);
  const GoRuntimes found = find(memory, {program.image()});
  CHECK(found.all.empty());
  REQUIRE(found.problems.size() == 1);
  CHECK(found.problems[0].code == ErrorCode::unsupported);
  CHECK(found.problems[0].message.find("go1.31.2") != std::string::npos);
  CHECK(found.problems[0].message.find("DWARF") != std::string::npos);
}

/// Layouts of Go 1.27 under another name, as DWARF of a later release would give them.
class LaterDwarf final : public DwarfInfo {
 public:
  Result<std::vector<SourceFrame>> frames_at(Address) const override { return none(); }
  Result<std::vector<SourceFrame>> tail_calls(Address, Address) const override { return none(); }
  Result<DwarfStruct> struct_type(std::string_view name) const override {
    const auto layout = *layout_from_table({27, 4}, kAmd64);
    const GLayout& g = layout.g;
    const MLayout& m = layout.m;
    if (name == "runtime.stack") return DwarfStruct{"stack", 16, {{"lo", 0, 8}, {"hi", 8, 8}}};
    if (name == "runtime.gobuf")
      return DwarfStruct{"gobuf", 48, {{"sp", 0, 8}, {"pc", 8, 8}, {"bp", 40, 8}}};
    if (name == "runtime.g")
      return DwarfStruct{"g",
                         g.bytes,
                         {{"stack", 0, 16},
                          {"m", g.m.bytes, 8},
                          {"sched", g.sched_sp.bytes, 48},
                          {"syscallsp", g.syscallsp.bytes, 8},
                          {"syscallpc", g.syscallpc.bytes, 8},
                          {"atomicstatus", g.atomicstatus.bytes, 4},
                          {"goid", g.goid.bytes, 8},
                          {"waitsince", g.waitsince.bytes, 8},
                          {"waitreason", g.waitreason.bytes, 1},
                          {"lockedm", g.lockedm.bytes, 8},
                          {"gopc", g.gopc.bytes, 8},
                          {"startpc", g.startpc.bytes, 8},
                          {"labels", g.labels.bytes, 8}}};
    if (name == "runtime.m")
      return DwarfStruct{"m",
                         m.bytes,
                         {{"g0", m.g0.bytes, 8},
                          {"procid", m.procid.bytes, 8},
                          {"gsignal", m.gsignal.bytes, 8},
                          {"curg", m.curg.bytes, 8},
                          {"id", m.id.bytes, 8},
                          {"incgo", m.incgo.bytes, 1},
                          {"ncgo", m.ncgo.bytes, 4},
                          {"alllink", m.alllink.bytes, 8},
                          {"lockedg", m.lockedg.bytes, 8},
                          {"vdsoSP", m.vdso_sp.bytes, 8},
                          {"vdsoPC", m.vdso_pc.bytes, 8}}};
    const auto& data = layout.moduledata;
    return DwarfStruct{"moduledata",
                       568,
                       {{"types", data.types.bytes, 8},
                        {"etypes", data.etypes.bytes, 8},
                        {"gofunc", data.gofunc.bytes, 8},
                        {"textsectmap", data.textsectmap.bytes, 24},
                        {"pluginpath", data.pluginpath.bytes, 16},
                        {"next", data.next.bytes, 8}}};
  }

 private:
  static Error none() { return {ErrorCode::not_found, "none"}; }
};

TEST_CASE(
    "an unknown release with DWARF is used where its function table looks like the known ones") {
  for (const std::uint8_t sigpanic : {20, 21}) {
    GoProgramBuilder program({27, 4}, 0);
    program.version_text = "go1.28.1";
    program.function("runtime.asmcgocall", {}, 2).function("runtime.cgocallback", {}, 4);
    program.function("runtime.goexit", {}, 8).function("runtime.mcall", {}, 12);
    program.function("runtime.morestack", {}, 13).function("runtime.sigpanic", {}, sigpanic);
    program.function("runtime.systemstack", {}, 21);
    MemoryImage memory;
    program.add_to(memory);
    const ImageMap images({program.image()});
    const GoRuntimes found = find_go_runtimes(memory, images, [](const Image&) {
      return std::shared_ptr<const DwarfInfo>(std::make_shared<LaterDwarf>());
    });
    CHECK(found.all.size() == (sigpanic == 20 ? 1u : 0u));
    CHECK(found.problems.size() == (sigpanic == 20 ? 0u : 1u));
  }
}

TEST_CASE("a newer patch release is used only where memory confirms its layout") {
  for (const bool confirmed : {true, false}) {
    GoProgramBuilder program({27, 4}, 0);
    program.version_text = "go1.27.99";
    add_runtime_functions(program);
    MemoryImage memory;
    GoProgramBuilder blind = program;
    blind.code_in_file = false;
    blind.add_to(memory);
    add_runtime_state(program, memory);
    if (!confirmed) memory.u64({kG0.value + program.layout().g.m.bytes}, 0x666000);
    const GoRuntimes found = find(memory, {program.image()});
    CHECK(found.all.size() == (confirmed ? 1u : 0u));
    CHECK(found.problems.size() == (confirmed ? 0u : 1u));
  }
}

TEST_CASE("images without Go are passed over in silence") {
  ElfBuilder elf(3);
  elf.segment({.type = 1, .flags = 6, .address = {0x1000}, .contents = std::vector<std::byte>(64)});
  elf.section({.name = ".data",
               .type = 1,
               .flags = 3,
               .address = {0x1000},
               .contents = std::vector<std::byte>(64)});
  auto file = ElfFile::from_bytes(elf.build(), "libc.so.6");
  REQUIRE(file);
  Image c_library{.path = "/lib/libc.so.6", .file = *file};
  Image missing{.path = "/lib/gone.so", .range = {{0x700000}, {0x800000}}};
  const GoRuntimes found = find(MemoryImage{}, {c_library, missing});
  CHECK(found.all.empty());
  CHECK(found.problems.empty());
}

TEST_CASE("memory without the data segment is a problem that says so") {
  GoProgramBuilder program({27, 4}, 0);
  program.function("main.main", {});
  const GoRuntimes found = find(MemoryImage{}, {program.image()});
  CHECK(found.all.empty());
  REQUIRE(found.problems.size() == 1);
  CHECK(found.problems[0].message.find("moduledata") != std::string::npos);
}

TEST_CASE("any byte of data may be missing") {
  GoProgramBuilder program({27, 4}, 0);
  add_runtime_functions(program);
  MemoryImage memory;
  GoProgramBuilder blind = program;
  blind.code_in_file = false;
  blind.add_to(memory);
  add_runtime_state(program, memory);
  const Image image = program.image();
  // The part around moduledata and the variables, where something depends on each byte.
  for (std::uint64_t at = program.moduledata().value; at < program.variable(0x120).value;
       at += 41) {
    const GoRuntimes found = find(memory.drop({at}), {image});
    CHECK(found.all.size() + found.problems.size() >= 1);
    for (const auto& runtime : found.all) (void)runtime->goroutines(memory.drop({at}));
  }
}

}  // namespace cgo
