#include "seeds.h"
#include "support/elf_builder.h"
#include "support/go_runtime_state.h"

namespace cgo {
namespace {

/// The memory as pieces without holes.
void put_pieces(ByteWriter& out, const MemoryImage& memory) {
  const std::vector<Address> addresses = memory.addresses();
  for (std::size_t first = 0; first < addresses.size();) {
    std::size_t end = first + 1;
    while (end < addresses.size() && addresses[end].value == addresses[end - 1].value + 1) ++end;
    std::vector<std::byte> bytes(end - first);
    (void)memory.read(addresses[first], bytes);
    out.u64(addresses[first].value).u32(static_cast<std::uint32_t>(bytes.size())).bytes(bytes);
    first = end;
  }
}

std::vector<std::byte> input(GoVersion version, bool with_file, bool sections) {
  GoProgramBuilder program(version, 0);
  program.sections = sections;
  add_runtime_functions(program);
  MemoryImage memory;
  GoProgramBuilder blind = program;
  blind.code_in_file = false;
  blind.add_to(memory);
  add_runtime_state(program, memory);
  ByteWriter out;
  const auto image = program.image();
  const auto file = with_file ? image.file->bytes() : ByteView{};
  out.u32(static_cast<std::uint32_t>(file.size())).bytes(file);
  put_pieces(out, memory);
  return out.take();
}

}  // namespace

void write_seeds(const SeedWriter& out) {
  out.add("go1.19", input({19, 8}, true, true));
  out.add("go1.22-without-sections", input({22, 0}, true, false));
  out.add("go1.27", input({27, 4}, true, true));
  out.add("go1.27-without-file", input({27, 4}, false, false));
}

}  // namespace cgo
