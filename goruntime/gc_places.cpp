#include "goruntime/gc_places.h"

#include <algorithm>

#include "goruntime/code_operands.h"
#include "goruntime/image_bytes.h"
#include "target/byte_view.h"

namespace cgo {
namespace {

constexpr std::uint64_t kLongestFunction = 16 * 1024;
constexpr std::uint64_t kMostSpans = 1u << 27, kMostProcessors = 1u << 16;
constexpr std::size_t kSamples = 16;
/// Source: src/runtime/mcleanup.go, type cleanupQueue, and mgcmark.go, markroot; 1.25 to 1.27.
constexpr std::uint64_t kCleanupsAll = 128;
constexpr int kFirstWithCleanupQueue = 25;

class PlaceFinder {
 public:
  PlaceFinder(const MemoryReader& memory, const ImageBytes* image, const GoRuntime& runtime,
              const GcLayout& layout)
      : memory_(memory), image_(image), runtime_(runtime), layout_(layout) {}

  GcPlaces find() {
    out_.mheap =
        find("runtime.mheap_",
             {"runtime.(*mcentral).grow", "runtime.(*mcache).allocLarge", "runtime.gcSweep"},
             &PlaceFinder::is_mheap);
    out_.allp = find("runtime.allp", {"runtime.gcMarkTinyAllocs", "runtime.procresize"},
                     &PlaceFinder::is_allp);
    out_.finalizer_blocks =
        find("runtime.allfin", {"runtime.markroot"}, &PlaceFinder::is_finalizer_blocks);
    if (runtime_.version().minor >= kFirstWithCleanupQueue) find_cleanups();
    return std::move(out_);
  }

 private:
  using Check = bool (PlaceFinder::*)(Address) const;

  Address find(const char* name, std::initializer_list<std::string_view> functions, Check fits) {
    if (const Address at = image_ != nullptr ? image_->symbol(name) : Address{}) {
      out_.notes.push_back(std::string(name) + " at " + hex(at) + " by symbol");
      return at;
    }
    bool ambiguous = false;
    for (const std::string_view function : functions) {
      const Address at = only_operand(function, fits);
      ambiguous = ambiguous || ambiguous_;
      if (!at) continue;
      out_.notes.push_back(std::string(name) + " at " + hex(at) + " from the code of " +
                           std::string(function));
      return at;
    }
    out_.notes.push_back(std::string(name) + (ambiguous ? " could be several" : " not found"));
    if (ambiguous) out_.unknown.push_back(name);
    return {};
  }

  void find_cleanups() {
    const Address queue = image_ != nullptr ? image_->symbol("runtime.gcCleanups") : Address{};
    if (queue) {
      out_.cleanup_blocks = wrapping_add(queue, kCleanupsAll);
      out_.notes.push_back("runtime.gcCleanups at " + hex(queue) + " by symbol");
      return;
    }
    out_.cleanup_blocks =
        find("runtime.gcCleanups.all", {"runtime.markroot"}, &PlaceFinder::is_cleanup_blocks);
  }

  Address only_operand(std::string_view name, Check fits) {
    ambiguous_ = false;
    const auto function = runtime_.function_named(name);
    if (!function) return {};
    const auto code =
        read_bytes(memory_, function->entry,
                   std::min(function->end.value - function->entry.value, kLongestFunction));
    if (!code) return {};
    Address found;
    for (const CodeOperand& operand : rip_operands_amd64(*code, function->entry)) {
      if (operand.target == found || !(this->*fits)(operand.target)) continue;
      ambiguous_ = ambiguous_ || found;
      found = operand.target;
    }
    return ambiguous_ ? Address{} : found;
  }

  /// The first spans of its list must be in the arenas where they say they are.
  bool is_mheap(Address at) const {
    const auto data = read_pointer(memory_, wrapping_add(at, layout_.allspans.bytes));
    const auto length =
        read_unsigned<std::uint64_t>(memory_, wrapping_add(at, layout_.allspans.bytes + 8));
    const auto capacity =
        read_unsigned<std::uint64_t>(memory_, wrapping_add(at, layout_.allspans.bytes + 16));
    if (!data || !length || !capacity || *length == 0 || *length > *capacity ||
        *capacity > kMostSpans)
      return false;
    std::size_t alive = 0;
    for (std::uint64_t i = 0; i < std::min<std::uint64_t>(*length, kSamples); ++i) {
      const auto span = read_pointer(memory_, wrapping_add(*data, 8 * i));
      if (!span) return false;
      const auto bytes = read_bytes(memory_, *span, layout_.span_bytes, 4096);
      if (!bytes) return false;
      const auto start = load<std::uint64_t>(*bytes, layout_.start.bytes).value_or(1);
      const auto state = load<std::uint8_t>(*bytes, layout_.state.bytes).value_or(255);
      if (start % 8192 != 0 || state > 2) return false;
      alive += state != 0;
    }
    return alive != 0;
  }

  /// Source: src/runtime/runtime2.go, type p: its first field is its index in the list.
  bool is_allp(Address at) const {
    const auto data = read_pointer(memory_, at);
    const auto length = read_unsigned<std::uint64_t>(memory_, wrapping_add(at, 8));
    const auto capacity = read_unsigned<std::uint64_t>(memory_, wrapping_add(at, 16));
    if (!data || !length || !capacity || *length == 0 || *length > *capacity ||
        *capacity > kMostProcessors)
      return false;
    for (std::uint64_t i = 0; i < std::min<std::uint64_t>(*length, kSamples); ++i) {
      const auto p = read_pointer(memory_, wrapping_add(*data, 8 * i));
      const auto id = p ? read_unsigned<std::uint32_t>(memory_, *p) : Result<std::uint32_t>(1u);
      if (!id || *id != i) return false;
      // The list of them all is not the only one; the others hold words of other kinds.
      const auto status = read_unsigned<std::uint32_t>(memory_, wrapping_add(*p, 4));
      if (!status || *status > 4) return false;
    }
    return true;
  }

  std::optional<std::uint64_t> word(Address at, std::uint64_t offset) const {
    const auto value = read_unsigned<std::uint64_t>(memory_, wrapping_add(at, offset));
    return value ? std::optional(*value) : std::nullopt;
  }
  bool null_or_readable(std::optional<std::uint64_t> pointer) const {
    return pointer && *pointer % 8 == 0 && (*pointer == 0 || word({*pointer}, 0));
  }

  /// Source: src/runtime/mfinal.go, type finBlock: two links, then how many of 101 are used.
  bool is_finalizer_block(Address block) const {
    const auto count = word(block, 16);
    return count && *count <= 101 && null_or_readable(word(block, 0)) &&
           null_or_readable(word(block, 8));
  }
  bool is_finalizer_blocks(Address at) const {
    const auto block = word(at, 0);
    if (!block || *block == 0 || *block % 8 != 0 || !is_finalizer_block({*block})) return false;
    const auto next = word({*block}, 0);
    return *next == 0 || is_finalizer_block({*next});
  }

  /// Source: src/runtime/mcleanup.go, type cleanupBlock: behind the words of a lock-free list a
  /// link, then how many are used, of at most 60.
  bool is_cleanup_block(Address block) const {
    const auto count = word(block, 24);
    return count && (*count & ~0u) <= 60 && *count >> 32 == 0 && null_or_readable(word(block, 16));
  }
  bool is_cleanup_blocks(Address at) const {
    const auto block = word(at, 0);
    if (at == out_.finalizer_blocks || !block || *block == 0 || *block % 8 != 0 ||
        !is_cleanup_block({*block}))
      return false;
    const auto next = word({*block}, 16);
    return *next == 0 || is_cleanup_block({*next});
  }

  const MemoryReader& memory_;
  const ImageBytes* image_;
  const GoRuntime& runtime_;
  const GcLayout& layout_;
  GcPlaces out_;
  bool ambiguous_ = false;
};

}  // namespace

GcPlaces find_gc_places(const MemoryReader& memory, const ImageMap& images,
                        const GoRuntime& runtime, const GcLayout& layout) {
  const Image* image = images.with_path(runtime.parts().image_path);
  if (image == nullptr) return PlaceFinder(memory, nullptr, runtime, layout).find();
  const ImageBytes bytes(*image, memory);
  return PlaceFinder(memory, &bytes, runtime, layout).find();
}

}  // namespace cgo
