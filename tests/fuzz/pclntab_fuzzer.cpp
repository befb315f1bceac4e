// A function table nobody vouches for, in the format of any release. Input: a byte that picks the
// release, the sizes of six tables (2 bytes each), then the tables; the inline trees are the rest.
#include <cstdint>

#include "goruntime/argument_slots.h"
#include "goruntime/pclntab.h"
#include "target/byte_view.h"

namespace cgo {
namespace {

constexpr GoVersion kReleases[] = {{19, 0}, {20, 0}, {22, 0}, {27, 0}};
constexpr Address kText{0x401000};
constexpr std::uint64_t kTextBytes = 0x100;

/// Takes bytes from the front of the input.
class Input {
 public:
  explicit Input(ByteView bytes) : bytes_(bytes) {}
  std::uint64_t size() {
    const auto value = load<std::uint16_t>(bytes_, 0).value_or(0);
    take(2);
    return value;
  }
  ByteView take(std::uint64_t count) {
    const ByteView out = bytes_.first(std::min<std::uint64_t>(count, bytes_.size()));
    bytes_ = bytes_.subspan(out.size());
    return out;
  }
  ByteView rest() const { return bytes_; }

 private:
  ByteView bytes_;
};

void ask_everything(const GoModule& module) {
  (void)module.function_named("main.main");
  for (std::uint64_t pc = kText.value - 1; pc <= kText.value + kTextBytes; pc += 7) {
    const auto function = module.function_at({pc});
    if (!function) continue;
    (void)module.frame_bytes(*function, {pc});
    (void)module.source_frames(*function, {pc});
    (void)module.pcdata(*function, 0, {pc});
    (void)argument_slots(*function, {pc});
    (void)module.function_named(function->name);
  }
}

}  // namespace
}  // namespace cgo

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cgo;
  if (size < 13) return 0;
  Input input(std::as_bytes(std::span(data + 1, size - 1)));
  std::uint64_t sizes[6];
  for (std::uint64_t& bytes : sizes) bytes = input.size();
  GoModule::Tables tables;
  tables.text = tables.minpc = kText;
  tables.etext = tables.maxpc = {kText.value + kTextBytes};
  tables.funcnametab = input.take(sizes[0]);
  tables.cutab = input.take(sizes[1]);
  tables.filetab = input.take(sizes[2]);
  tables.pctab = input.take(sizes[3]);
  tables.pclntable = input.take(sizes[4]);
  tables.ftab = input.take(sizes[5]);
  tables.ftab_entries = tables.ftab.size() / 8;
  tables.gofunc_bytes = input.rest();
  ask_everything(GoModule(std::move(tables), kReleases[data[0] % std::size(kReleases)]));
  return 0;
}
