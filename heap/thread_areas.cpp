#include "heap/thread_areas.h"

#include <algorithm>

#include "target/byte_view.h"

namespace cgo {
namespace {

// The thread pointer points at a struct pthread; where its fields lie depends on the release.
constexpr std::uint64_t kPthreadBytes = 0x800, kPage = 4096;
constexpr std::uint32_t kSegmentTls = 7;  // PT_TLS

struct StackBlock {
  Address begin;
  std::uint64_t bytes = 0, guard = 0;
};

/// Three words behind one another that can only be the thread's own stack: it holds the thread
/// pointer in its last part.
std::optional<StackBlock> stack_block(ByteView pthread, Address thread_pointer,
                                      std::uint64_t tls_bytes) {
  constexpr std::uint64_t kLeast = 16 * 1024;
  for (std::uint64_t at = 0; at + 24 <= pthread.size(); at += 8) {
    const Address begin{load<std::uint64_t>(pthread, at).value_or(0)};
    const std::uint64_t bytes = load<std::uint64_t>(pthread, at + 8).value_or(0);
    const std::uint64_t guard = load<std::uint64_t>(pthread, at + 16).value_or(0);
    const auto end = checked_add(begin, bytes);
    if (!begin || !end || begin.value % kPage != 0 || bytes % kPage != 0 || guard % kPage != 0 ||
        bytes < kLeast || guard > bytes / 2)
      continue;
    if (begin >= thread_pointer || *end <= thread_pointer) continue;
    if (end->value - thread_pointer.value > 4 * kPage + tls_bytes) continue;
    return StackBlock{begin, bytes, guard};
  }
  return std::nullopt;
}

}  // namespace

std::vector<ThreadArea> thread_areas(const MemoryReader& memory,
                                     std::span<const ThreadPlace> threads,
                                     std::uint64_t tls_bytes) {
  std::vector<ThreadArea> out;
  for (const ThreadPlace& thread : threads) {
    const Address pointer = thread.thread_pointer;
    const auto pthread = read_bytes(memory, pointer, kPthreadBytes);
    // It begins with its own address.
    if (!pthread || load<std::uint64_t>(*pthread, 0) != pointer.value) continue;
    ThreadArea area{.tid = thread.tid};
    area.variables = {{pointer.value - std::min(tls_bytes, pointer.value)},
                      {pointer.value + kPthreadBytes}};
    if (const auto block = stack_block(*pthread, pointer, tls_bytes)) {
      area.stack = {{block->begin.value + block->guard}, {block->begin.value + block->bytes}};
      area.guard = {block->begin, area.stack.begin};
      area.variables.end = area.stack.end;
      area.variables.begin = std::max(area.variables.begin, area.stack.begin);
    }
    out.push_back(area);
  }
  return out;
}

std::uint64_t thread_local_bytes(const ImageMap& images) {
  constexpr std::uint64_t kMost = 1 << 20;
  std::uint64_t bytes = 0;
  for (const Image& image : images.all()) {
    if (!image.file || image.mismatch) continue;
    for (const ElfSegment& segment : image.file->segments())
      if (segment.type == kSegmentTls && segment.memory_bytes <= kMost)
        bytes += (segment.memory_bytes + 15) / 16 * 16;
  }
  return std::min(bytes, kMost);
}

std::optional<AddressRange> main_stack(const MemoryReader& memory, const ImageMap& images,
                                       const MappingList& mappings) {
  for (const Mapping& mapping : mappings.all())
    if (mapping.path == "[stack]") return mapping.range;
  std::optional<AddressRange> found;
  for (const Image& image : images.all()) {
    if (!image.file || image.mismatch || !image.name().starts_with("ld-linux")) continue;
    const ElfSymbol* symbol = image.file->find_symbol("__libc_stack_end");
    if (symbol == nullptr) continue;
    const auto end = read_pointer(memory, image.to_load(symbol->file_address));
    const Mapping* mapping = end ? mappings.find(*end) : nullptr;
    if (mapping != nullptr && mapping->writable) found = mapping->range;
  }
  return found;
}

}  // namespace cgo
