#include "support/core_builder.h"

#include <elf.h>

#include <cstring>

namespace cgo {

std::vector<std::byte> prstatus(const PrStatus& status) {
  ByteWriter out;
  out.u32(status.signal).u32(0).u32(0).u16(status.signal).u16(0);  // si_*, pr_cursig.
  out.u64(status.pending).u64(status.blocked).u32(status.tid).u32(status.parent).zeros(112 - 40);
  std::vector<std::uint64_t> words(27);
  for (std::size_t i = 0; i < words.size(); ++i) words[i] = 0x1000 + i;
  words[4] = status.rbp;
  words[16] = status.rip;
  words[19] = status.rsp;
  words[21] = status.fs_base;
  for (const std::uint64_t word : words) out.u64(word);
  return out.u64(0).take();
}

std::vector<std::byte> prpsinfo(std::uint32_t pid, std::string_view name,
                                std::string_view arguments) {
  ByteWriter out;
  out.zeros(24).u32(pid).zeros(12);
  out.text(name).zeros(16 - name.size());
  out.text(arguments).zeros(80 - arguments.size());
  return out.take();
}

std::vector<std::byte> siginfo(std::int32_t number, std::int32_t code, std::uint64_t value) {
  return ByteWriter().integer(number).u32(0).integer(code).u32(0).u64(value).zeros(104).take();
}

std::vector<std::byte> nt_file(const std::vector<NtFile>& files) {
  ByteWriter out;
  out.u64(files.size()).u64(4096);
  for (const NtFile& file : files) out.u64(file.begin).u64(file.end).u64(file.page_offset);
  for (const NtFile& file : files) out.text(file.path).u8(0);
  return out.take();
}

std::vector<std::byte> auxv(const std::vector<std::pair<std::uint64_t, std::uint64_t>>& entries) {
  ByteWriter out;
  for (const auto& [type, value] : entries) out.u64(type).u64(value);
  return out.u64(AT_NULL).u64(0).take();
}

std::vector<std::byte> elf_header_page(Address file_address, std::string_view build_id) {
  const auto note = elf_note("GNU", NT_GNU_BUILD_ID, ByteWriter().text(build_id).take());
  ElfBuilder builder(ET_DYN);
  builder.segment({.flags = PF_R | PF_X, .address = file_address});
  constexpr std::uint64_t kNoteAt = sizeof(Elf64_Ehdr) + 2 * sizeof(Elf64_Phdr);
  builder.segment({.type = PT_NOTE, .address = {file_address.value + kNoteAt}, .contents = note});
  std::vector<std::byte> page = builder.build();
  page.resize(4096);
  // The first segment is the page itself.
  Elf64_Phdr first;
  std::memcpy(&first, page.data() + sizeof(Elf64_Ehdr), sizeof first);
  first.p_offset = 0;
  first.p_filesz = first.p_memsz = 0x2000;
  std::memcpy(page.data() + sizeof(Elf64_Ehdr), &first, sizeof first);
  return page;
}

std::vector<std::byte> elf_in_memory(bool gnu_hash, std::uint64_t dynamic_bias) {
  constexpr std::uint64_t kHashAt = sizeof(Elf64_Ehdr) + 2 * sizeof(Elf64_Phdr);
  ByteWriter hash;
  if (gnu_hash)  // One bucket, symbols from 1 on, one Bloom word; one chain that ends at once.
    hash.u32(1).u32(1).u32(1).u32(0).u64(~0ull).u32(1).u32(1);
  else  // One bucket, two chain entries.
    hash.u32(1).u32(2).u32(1).u32(0).u32(0);
  hash.align(8);
  ByteWriter contents;
  contents.bytes(hash.take());
  const std::uint64_t symbols_at = kHashAt + contents.size();
  contents.zeros(24);
  contents.u32(1).u8(0x12).u8(0).u16(7).u64(0x20).u64(16);
  const std::uint64_t names_at = kHashAt + contents.size();
  contents.u8(0).text("vdso_call").u8(0).align(8);
  const std::uint64_t dynamic_at = kHashAt + contents.size();
  ByteWriter dynamic;
  dynamic.u64(gnu_hash ? DT_GNU_HASH : DT_HASH).u64(dynamic_bias + kHashAt);
  dynamic.u64(DT_SYMTAB).u64(dynamic_bias + symbols_at);
  dynamic.u64(DT_STRTAB).u64(dynamic_bias + names_at);
  dynamic.u64(DT_STRSZ).u64(11);
  dynamic.u64(DT_NULL).u64(0);
  contents.bytes(dynamic.take());

  ElfBuilder builder(ET_DYN);
  builder.segment({.flags = PF_R | PF_X, .contents = contents.take()});
  builder.segment({.type = PT_DYNAMIC, .address = {dynamic_at}, .contents = dynamic.take()});
  auto bytes = builder.build();
  bytes.resize(kHashAt + contents.size());
  Elf64_Ehdr header;
  std::memcpy(&header, bytes.data(), sizeof header);
  header.e_shoff = header.e_shnum = header.e_shstrndx = 0;
  std::memcpy(bytes.data(), &header, sizeof header);
  Elf64_Phdr first;
  std::memcpy(&first, bytes.data() + sizeof header, sizeof first);
  first.p_offset = 0;
  first.p_filesz = first.p_memsz = bytes.size();
  std::memcpy(bytes.data() + sizeof header, &first, sizeof first);
  return bytes;
}

std::vector<std::byte> small_core() {
  ByteWriter notes;
  notes.bytes(elf_note(
      "CORE", NT_PRSTATUS,
      prstatus({.tid = 11, .signal = 11, .rip = 0x400010, .rsp = 0x7000, .rbp = 1, .fs_base = 2})));
  notes.bytes(elf_note("CORE", NT_PRPSINFO, prpsinfo(10, "program", "./program -x ")));
  notes.bytes(elf_note("CORE", NT_SIGINFO, siginfo(11, 1, 0xdead)));
  notes.bytes(elf_note("CORE", NT_AUXV, auxv({{AT_PHDR, 0x400040}, {AT_ENTRY, 0x400010}})));
  notes.bytes(elf_note(
      "CORE", NT_FILE,
      nt_file({{0x400000, 0x402000, 0, "/bin/program"}, {0x500000, 0x501000, 3, "/lib/libc.so"}})));
  notes.bytes(elf_note("CORE", NT_FPREGSET, {}));
  notes.bytes(elf_note("CORE", NT_PRSTATUS, prstatus({.tid = 12, .rip = 0x500010})));
  ElfBuilder core(ET_CORE);
  core.segment({.type = PT_NOTE, .flags = 0, .contents = notes.take()});
  core.segment({.flags = PF_R | PF_X,
                .address = {0x400000},
                .contents = elf_header_page({0}, "abc"),
                .memory_bytes = 0x2000});
  core.segment({.flags = PF_R | PF_W,
                .address = {0x500000},
                .contents = ByteWriter().text("first ").take()});
  core.segment({.flags = 0, .address = {0x500006}, .contents = ByteWriter().text("next").take()});
  auto bytes = core.build();
  // Cores by the kernel have no section headers: e_shoff, e_shnum, e_shstrndx.
  std::memset(bytes.data() + 40, 0, 8);
  std::memset(bytes.data() + 60, 0, 4);
  return bytes;
}

}  // namespace cgo
