// Values of types that the runtime describes: both the types and the values are the input. Input: a
// release (1 byte), the address of a type descriptor and of a value (8 bytes each), then pieces of
// memory, each as address (8 bytes), size (4 bytes) and contents.
#include <cstdint>
#include <cstring>

#include "support/test_context.h"
#include "target/byte_view.h"
#include "values/format_value.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cgo;
  const ByteView input = std::as_bytes(std::span(data, size));
  const auto release = load<std::uint8_t>(input, 0);
  const auto type = load<std::uint64_t>(input, 1), value = load<std::uint64_t>(input, 9);
  if (!release || !type || !value) return 0;
  MemoryImage memory;
  for (std::uint64_t at = 17;;) {
    const auto address = load<std::uint64_t>(input, at);
    const auto bytes = load<std::uint32_t>(input, at + 8);
    if (!address || !bytes) break;
    const auto contents = slice(input, at + 12, *bytes);
    if (!contents || !checked_add({*address}, *bytes)) break;
    memory.bytes({*address}, *contents);
    at += 12 + *bytes;
  }
  const TestContext context(memory, {19 + *release % 9, 0});
  const Value read = read_value(context, "x", context.datum({*type}, {*value}),
                                {.depth = 5, .elements = 16, .text_bytes = 64, .values = 300});
  (void)format_text(read);
  (void)format_json(read);
  return 0;
}
