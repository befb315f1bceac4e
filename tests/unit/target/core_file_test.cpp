#include "target/core_file.h"

#include <elf.h>

#include <catch2/catch_test_macros.hpp>

#include "support/core_builder.h"

namespace cgo {
namespace {

std::shared_ptr<const CoreFile> opened(std::vector<std::byte> bytes) {
  auto core = CoreFile::from_bytes(std::move(bytes), "core");
  REQUIRE(core);
  return *core;
}

std::shared_ptr<const ElfFile> program_with_id(std::string_view id) {
  ElfBuilder builder;
  if (!id.empty())
    builder.section({.name = ".note.gnu.build-id",
                     .type = SHT_NOTE,
                     .contents = elf_note("GNU", NT_GNU_BUILD_ID, ByteWriter().text(id).take())});
  auto file = ElfFile::from_bytes(builder.build(), "/bin/program");
  REQUIRE(file);
  return *file;
}

}  // namespace

TEST_CASE("a core names its threads, their registers and the signal that ended it") {
  const auto core = opened(small_core());
  CHECK(core->arch().name == "amd64");
  REQUIRE(core->threads().size() == 2);
  const CoreThread& crashed = core->threads()[0];
  CHECK(crashed.tid == 11);
  CHECK(crashed.signal == 11);
  CHECK(crashed.registers.pc() == Address{0x400010});
  CHECK(crashed.registers.sp() == Address{0x7000});
  CHECK(crashed.registers.fp() == Address{1});
  CHECK(crashed.registers.get(15) == 0x1000);  // r15 is the first word, orig_rax none of ours.
  CHECK(crashed.registers.get(0) == 0x100a);   // rax
  CHECK(crashed.thread_pointer == Address{2});
  REQUIRE(crashed.details);
  CHECK(crashed.details->number == 11);
  CHECK(crashed.details->code == 1);
  CHECK(crashed.details->fault_address == Address{0xdead});
  CHECK_FALSE(crashed.details->sender_pid);
  CHECK(core->threads()[1].tid == 12);
  CHECK(core->threads()[1].signal == 0);
  CHECK_FALSE(core->threads()[1].details);
  REQUIRE(core->process());
  CHECK(core->process()->pid == 10);
  CHECK(core->process()->name == "program");
  CHECK(core->process()->arguments == "./program -x");
  CHECK(core->auxv(AT_ENTRY) == 0x400010);
  CHECK(core->auxv(AT_BASE) == std::nullopt);
}

TEST_CASE("a signal that was sent has a sender and no fault address") {
  ElfBuilder builder(ET_CORE);
  ByteWriter notes;
  notes.bytes(elf_note("CORE", NT_PRSTATUS, prstatus({.tid = 1})));
  notes.bytes(elf_note("CORE", NT_SIGINFO, siginfo(6, -6, 77)));
  builder.segment({.type = PT_NOTE, .contents = notes.take()});
  const auto core = opened(builder.build());
  REQUIRE(core->threads()[0].details);
  CHECK(core->threads()[0].details->sender_pid == 77);
  CHECK_FALSE(core->threads()[0].details->fault_address);
}

TEST_CASE("masks of a core's threads are believed where its writer filled them in") {
  ElfBuilder builder(ET_CORE);
  ByteWriter notes;
  notes.bytes(elf_note("CORE", NT_PRSTATUS,
                       prstatus({.tid = 1, .pending = 0x200, .blocked = 0x4001, .parent = 77})));
  notes.bytes(elf_note("CORE", NT_PRSTATUS, prstatus({.tid = 2})));
  builder.segment({.type = PT_NOTE, .contents = notes.take()});
  const auto core = opened(builder.build());
  REQUIRE(core->threads()[0].signals);
  CHECK(core->threads()[0].signals->pending == SignalSet{0x200});
  CHECK(core->threads()[0].signals->blocked == SignalSet{0x4001});
  CHECK_FALSE(core->threads()[0].signals->caught);
  CHECK_FALSE(core->threads()[1].signals);
  CHECK_FALSE(known_signals(core->threads()[1]));
}

TEST_CASE("a core's memory is what was dumped, and nothing reads as zero") {
  const auto core = opened(small_core());
  const auto across = read_bytes(*core, {0x500002}, 8);
  REQUIRE(across);
  CHECK(*across == ByteWriter().text("rst next").take());
  const auto beyond = read_bytes(*core, {0x500002}, 9);
  REQUIRE_FALSE(beyond);
  CHECK(beyond.error().address == Address{0x50000a});
  const auto not_dumped = read_bytes(*core, {0x400ff0}, 0x20);
  REQUIRE_FALSE(not_dumped);
  CHECK(not_dumped.error().address == Address{0x401000});
  CHECK_FALSE(read_bytes(*core, {~std::uint64_t{0}}, 1));
  CHECK_FALSE(read_bytes(*core, {~std::uint64_t{0}}, 16));
}

TEST_CASE("a core's mappings carry the names of their files") {
  const auto core = opened(small_core());
  REQUIRE(core->mappings().size() == 3);
  const Mapping& code = core->mappings()[0];
  CHECK(code.range == AddressRange{{0x400000}, {0x402000}});
  CHECK(code.executable);
  CHECK(code.path == "/bin/program");
  CHECK(core->mappings()[1].path == "/lib/libc.so");
  CHECK(core->mappings()[1].file_offset == 0x3000);
  CHECK_FALSE(core->mappings()[2].readable);
  CHECK(core->mapped_files().size() == 2);
}

TEST_CASE("a wrong executable is told by the build id in the core's memory") {
  const auto core = opened(small_core());
  const auto executable = core->executable();
  REQUIRE(executable);
  CHECK(executable->path == "/bin/program");
  CHECK(executable->base == Address{0x400000});
  CHECK(executable->elf.build_id == "616263");
  CHECK(executable->elf.bias == 0x400000);
  CHECK_FALSE(mismatch(*executable, *program_with_id("abc")));
  const auto wrong = mismatch(*executable, *program_with_id("xyz"));
  REQUIRE(wrong);
  CHECK(wrong->message.find("616263") != std::string::npos);
  CHECK(wrong->message.find("78797a") != std::string::npos);
  CHECK(mismatch(*executable, *program_with_id("")));
}

TEST_CASE("a core cut at any byte opens while its program headers last, and says what it lacks") {
  const auto whole = small_core();
  CHECK_FALSE(opened(whole)->cut());
  constexpr std::size_t kHeaders = sizeof(Elf64_Ehdr) + 4 * sizeof(Elf64_Phdr);
  const std::size_t threads_end = kHeaders + 12 + 8 + 336;
  const std::size_t memory_end = whole.size() - 8 - 64 * 2 - 16;  // Last segment, names, headers.
  for (std::size_t size = 0; size < memory_end; ++size) {
    const auto core = CoreFile::from_bytes({whole.begin(), whole.begin() + size}, "core");
    if (size < kHeaders) {
      REQUIRE_FALSE(core);
      continue;
    }
    REQUIRE(core);
    const auto cut = (*core)->cut();
    REQUIRE(cut);
    CHECK(cut->file_bytes == size);
    CHECK(cut->expected_bytes >= memory_end);
    CHECK(cut->missing_memory_bytes > 0);
    CHECK((*core)->threads().empty() == (size < threads_end));
    CHECK_FALSE((*core)->mappings().empty());
    CHECK_FALSE(read_bytes(**core, {0x500006}, 4));
  }
}

TEST_CASE("what is not a core of a known CPU is refused") {
  const auto program = CoreFile::from_bytes(ElfBuilder(ET_EXEC).build(), "x");
  REQUIRE_FALSE(program);
  CHECK(program.error().code == ErrorCode::malformed_data);
  const auto other = CoreFile::from_bytes(ElfBuilder(ET_CORE, EM_S390).build(), "x");
  REQUIRE_FALSE(other);
  CHECK(other.error().code == ErrorCode::unsupported);
  CHECK_FALSE(CoreFile::from_bytes({}, "x"));
  const auto bare = opened(ElfBuilder(ET_CORE).build());
  CHECK(bare->threads().empty());
  CHECK_FALSE(bare->executable());
}

}  // namespace cgo
