// Everything goruntime/ reads from a process: a Go image (build information, moduledata, pclntab,
// code), the runtime's variables, goroutines, ms, labels. Input: the size of an ELF file (4 bytes,
// 0 for an image without a file) and the file; then pieces of memory, each as address (8 bytes),
// size (4 bytes) and contents.
#include <cstdint>
#include <cstring>

#include "goruntime/build_info.h"
#include "goruntime/go_runtime.h"
#include "target/byte_view.h"

namespace cgo {
namespace {

class Pieces final : public MemoryReader {
 public:
  void add(Address at, ByteView bytes) { pieces_.push_back({at, bytes}); }

  Result<void> read(Address from, std::span<std::byte> out) const override {
    for (std::size_t i = 0; i < out.size();) {
      const Address at{from.value + i};
      const Piece* piece = find(at);
      if (piece == nullptr) return unreadable(from, out.size(), at);
      const std::uint64_t skip = at.value - piece->at.value;
      const auto count = std::min<std::uint64_t>(piece->bytes.size() - skip, out.size() - i);
      std::memcpy(out.data() + i, piece->bytes.data() + skip, count);
      i += count;
    }
    return {};
  }

 private:
  struct Piece {
    Address at;
    ByteView bytes;
  };
  const Piece* find(Address at) const {
    for (const Piece& piece : pieces_)
      if (at.value - piece.at.value < piece.bytes.size()) return &piece;
    return nullptr;
  }
  std::vector<Piece> pieces_;
};

void ask_everything(const GoRuntime& runtime, const MemoryReader& memory) {
  for (const Goroutine& g : runtime.goroutines(memory).found) {
    (void)runtime.wait_reason(memory, g.wait_reason);
    (void)runtime.labels(memory, g);
    (void)runtime.function_at(g.sched.pc);
    (void)wait_ns(g, 1);
  }
  for (const Machine& m : runtime.machines(memory).found)
    (void)runtime.machine_of_thread(memory, m.procid);
  (void)runtime.current_g(memory, {0x7000});
  (void)runtime.function_named("runtime.asmcgocall");
}

}  // namespace
}  // namespace cgo

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cgo;
  const ByteView input = std::as_bytes(std::span(data, size));
  (void)decode_build_info(input);
  const auto file_bytes = load<std::uint32_t>(input, 0);
  if (!file_bytes) return 0;
  const auto file = slice(input, 4, *file_bytes);
  if (!file) return 0;
  Pieces memory;
  for (std::uint64_t at = 4ull + *file_bytes;;) {
    const auto address = load<std::uint64_t>(input, at);
    const auto bytes = load<std::uint32_t>(input, at + 8);
    if (!address || !bytes) break;
    const auto contents = slice(input, at + 12, *bytes);
    if (!contents) break;
    memory.add({*address}, *contents);
    at += 12 + *bytes;
  }
  Image image{.path = "fuzz", .range = {{0x400000}, {0x502000}}};
  if (*file_bytes != 0) {
    auto elf = ElfFile::from_bytes({file->begin(), file->end()}, "fuzz");
    if (!elf) return 0;
    image.file = *elf;
  }
  const ImageMap images({image});
  const GoRuntimes found = find_go_runtimes(memory, images, {});
  for (const auto& runtime : found.all) ask_everything(*runtime, memory);
  return 0;
}
