#include "stops/libc_function.h"

#include <string>

namespace cgo {

Result<std::int64_t> learn_from_code(
    const MemoryReader& memory, const ImageMap& images, const char* name, std::uint64_t bytes,
    const std::function<Result<std::int64_t>(Address entry, ByteView code)>& read) {
  Error why{ErrorCode::not_found, std::string("no image has ") + name};
  for (const Image& image : images.all()) {
    if (!image.file || image.mismatch) continue;
    const ElfSymbol* symbol = image.file->find_symbol(name);
    if (symbol == nullptr || symbol->bytes == 0) continue;  // Taken from another image.
    const Address entry = image.to_load(symbol->file_address);
    const auto code = read_bytes(memory, entry, bytes);
    auto found = code ? read(entry, *code) : Result<std::int64_t>(code.error());
    if (found) return found;
    why = found.error();
  }
  return why;
}

}  // namespace cgo
