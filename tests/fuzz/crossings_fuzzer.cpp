// Machine code nobody vouches for, as that of a Go program's wrappers, exports and callers, and as
// C stubs. Input: the code, 64 bytes a function.
#include <cstdint>

#include "crossings/c_functions.h"
#include "crossings/call_sites.h"
#include "crossings/go_wrappers.h"
#include "support/memory_image.h"
#include "support/pclntab_builder.h"

namespace cgo {
namespace {

constexpr Address kText{0x401000};
constexpr std::uint32_t kFunctionBytes = 64, kTextBytes = 8 * kFunctionBytes;

std::unique_ptr<GoModule> program() {
  PclntabBuilder table({26, 8});
  std::uint32_t entry = 0;
  for (const char* name :
       {"runtime.cgocall", "main._Cfunc_add", "main._C2func_add", "main.caller",
        "main._Cfunc_CString", "_cgoexp_0123456789ab_call", "main.call", "main._cgo_cmalloc"}) {
    PclntabBuilder::Function function{.name = name, .entry = entry};
    function.files = {{kFunctionBytes, "/src/main.go"}};
    function.lines = {{kFunctionBytes, 7}};
    table.function(std::move(function));
    entry += kFunctionBytes;
  }
  return table.module(kText, kTextBytes);
}

}  // namespace
}  // namespace cgo

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cgo;
  static const std::unique_ptr<GoModule> module = program();
  MemoryImage memory;
  memory.bytes(kText, std::as_bytes(std::span(data, std::min<std::size_t>(size, kTextBytes))));
  const CodeBytes code = CodeBytes::read(memory, {kText, {kText.value + kTextBytes}});
  (void)find_go_sides(*module, code, memory);
  (void)direct_calls(*module, code, {kText, {kText.value + kFunctionBytes}});
  Image image;
  image.path = "/program";
  image.range = {kText, {kText.value + kTextBytes}};
  const ImageMap images({image});
  CFunctions functions(memory, images);
  for (std::uint32_t at = 0; at < kTextBytes; at += kFunctionBytes)
    (void)functions.behind({kText.value + at}, "add");
  return 0;
}
