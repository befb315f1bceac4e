#include "support/minidump_builder.h"

#include <utility>

#include "support/elf_builder.h"

namespace cgo {
namespace {

constexpr std::uint32_t kHeaderBytes = 32;
constexpr std::uint32_t kStreams = 9;
constexpr std::uint32_t kContextBytes = 736;

std::vector<std::byte> context(std::uint64_t rip, std::uint64_t rsp, std::uint64_t fs_base) {
  ByteWriter out;
  out.zeros(0x30).u32(0x80100007).zeros(0x98 - 0x34).u64(rsp).zeros(0xf8 - 0xa0).u64(rip);
  out.zeros(0x2d0 - 0x100).u64(fs_base).u64(0);
  return out.take();
}

/// Streams one after another behind a directory that knows where each one is.
class Streams {
 public:
  std::uint32_t offset() const {
    return kHeaderBytes + kStreams * 12 + static_cast<std::uint32_t>(contents_.size());
  }
  std::uint32_t data(ByteView bytes) {
    const std::uint32_t at = offset();
    contents_.bytes(bytes);
    return at;
  }
  void stream(std::uint32_t type, ByteView bytes) {
    directory_.u32(type).u32(static_cast<std::uint32_t>(bytes.size())).u32(data(bytes));
  }
  std::vector<std::byte> file() const {
    ByteWriter out;
    out.text("MDMP").u32(0xa793).u32(kStreams).u32(kHeaderBytes).u32(0).u32(0).u64(2);
    return out.bytes(directory_.take()).bytes(contents_.take()).take();
  }

 private:
  ByteWriter directory_, contents_;
};

}  // namespace

std::vector<std::byte> small_minidump() {
  Streams out;
  out.stream(7, ByteWriter().u16(9).zeros(54).take());
  out.stream(15, ByteWriter().u32(24).u32(1).u32(10).zeros(12).take());
  out.stream(0x47670004, ByteWriter()
                             .text("Name:\tp\nSigPnd:\t0000000000000001\n"
                                   "SigBlk:\t0000000000000002\nSigIgn:\t0000000000001000\n"
                                   "SigCgt:\t0000000000000400\n")
                             .take());
  out.stream(0x47670009, ByteWriter().text("400000-402000 r-xp 0 08:02 1 /bin/p\n").take());

  const std::uint32_t name = out.data(
      ByteWriter().u32(14).text(std::string_view("/\0b\0i\0n\0/\0p\0\xe9\0\0\0", 16)).take());
  const std::uint32_t id = out.data(ByteWriter().u32(0x4270454c).text("abc").take());
  ByteWriter modules;
  modules.u32(1).u64(0x400000).u32(0x2000).u32(0).u32(0).u32(name).zeros(52);
  modules.u32(7).u32(id).zeros(24);
  out.stream(4, modules.take());

  const std::uint32_t stack = out.data(ByteWriter().text("stack bytes").take());
  const std::uint32_t second = out.data(context(0x500010, 0x7100, 2));
  const std::uint32_t first = out.data(context(0x400010, 0x7000, 1));
  ByteWriter threads;
  threads.u32(2);
  threads.u32(12).zeros(12).u64(0).u64(0).u32(0).u32(0).u32(kContextBytes).u32(second);
  threads.u32(11).zeros(12).u64(0).u64(0x7000).u32(11).u32(stack).u32(kContextBytes).u32(first);
  out.stream(3, threads.take());
  out.stream(6, ByteWriter().u32(11).u32(0).u32(11).zeros(156).take());
  out.stream(5, ByteWriter().u32(1).u64(0x7000).u32(11).u32(stack).take());

  ByteWriter memory;
  const std::uint32_t contents_at = out.offset() + 16 + 2 * 16;
  memory.u64(2).u64(contents_at).u64(0x500000).u64(6).u64(0x500006).u64(4);
  out.stream(9, memory.take());
  out.data(ByteWriter().text("first next").take());
  return out.file();
}

}  // namespace cgo
