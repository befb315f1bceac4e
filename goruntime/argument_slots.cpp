#include "goruntime/argument_slots.h"

#include <algorithm>
#include <string_view>

#include "target/byte_view.h"

namespace cgo {
namespace {

// Source: src/internal/abi/symtab.go (1.19: src/runtime/symtab.go), Go 1.19 to 1.27.
constexpr std::uint32_t kPcdataArgLiveIndex = 3;
constexpr std::uint32_t kFuncdataArgInfo = 5;
constexpr std::uint32_t kFuncdataArgLiveInfo = 6;

enum Stream : std::uint8_t {
  offset_too_large = 0xfb,
  dots = 0xfc,
  end_aggregate = 0xfd,
  start_aggregate = 0xfe,
  end_of_list = 0xff,
};

/// Which spill slots hold their parameter at a pc. Source: src/runtime/traceback.go, printArgs.
class Liveness {
 public:
  Liveness(const GoFunction& function, Address pc)
      : table_(function.module->funcdata(function, kFuncdataArgLiveInfo)) {
    if (table_.empty()) return;
    first_ = std::to_integer<std::uint8_t>(table_[0]);
    if (auto index = function.module->pcdata(function, kPcdataArgLiveIndex, pc)) index_ = *index;
  }

  /// Below this offset are parameters that the caller put on the stack.
  bool needs_slot(std::uint8_t offset) const { return offset >= first_; }
  bool live(std::uint8_t offset, unsigned slot) const {
    if (table_.empty() || !needs_slot(offset)) return true;
    if (index_ <= 0) return false;  // Not told here, so it cannot be relied on.
    const auto bits = load<std::uint8_t>(table_, static_cast<std::uint64_t>(index_) + slot / 8);
    return bits && (*bits >> slot % 8 & 1) != 0;
  }

 private:
  ByteView table_;
  std::uint8_t first_ = 0xff;
  std::int32_t index_ = -1;
};

/// Whether a name of pclntab is that of a function with type parameters, not of a method of a type
/// with such or of a function in it: "a/b.F[...]".
bool is_generic_function(std::string_view name) {
  const std::string_view path = name.substr(0, name.find('['));
  const std::string_view last = path.substr(path.rfind('/') + 1);
  return name.ends_with(']') && std::ranges::count(last, '.') == 1;
}

}  // namespace

/// Source: src/cmd/compile/internal/ssagen, EmitArgInfo, Go 1.19 to 1.27.
ArgumentSlots argument_slots(const GoFunction& function, Address pc) {
  constexpr std::size_t kMostBytes = 128;
  ArgumentSlots out;
  const ByteView stream = function.module->funcdata(function, kFuncdataArgInfo);
  const Liveness liveness(function, pc);
  // The first parameter of what has a '[' in its name is left out, but has its slot: the dictionary
  // of a function; of a method it is the receiver, and the dictionary stands in the list.
  const bool generic = function.name.find('[') != std::string_view::npos;
  if (generic && !is_generic_function(function.name)) return {.parameters = {}, .complete = false};
  unsigned slot = generic ? 1 : 0, depth = 0;
  bool doubtful = false;  // Parts of the parameter that is read now are not told.
  std::optional<ArgumentSlot> current;
  const auto finish = [&] {
    if (doubtful && current) current->live = false;
    out.parameters.push_back(current);
    current.reset();
    doubtful = false;
  };
  for (std::size_t at = 0; at < std::min(stream.size(), kMostBytes); ++at) {
    const auto byte = std::to_integer<std::uint8_t>(stream[at]);
    switch (byte) {
      case end_of_list:
        return out;
      case start_aggregate:
        ++depth;
        continue;
      case end_aggregate:
        if (depth > 0 && --depth == 0) finish();
        continue;
      case dots:
        doubtful = true;
        if (depth == 0) out.complete = false;
        continue;
      case offset_too_large:
        doubtful = true;
        break;
      default: {
        const auto bytes = load<std::uint8_t>(stream, ++at);
        if (!bytes) return {};
        const bool live = liveness.live(byte, slot);
        if (liveness.needs_slot(byte)) ++slot;
        if (!current) current = ArgumentSlot{.offset = byte, .live = true};
        current->bytes =
            std::max<std::uint64_t>(current->bytes, std::uint64_t{byte} + *bytes - current->offset);
        current->live = current->live && live;
        current->parts.push_back({byte, *bytes, live});
      }
    }
    if (depth == 0) finish();
  }
  return stream.empty() ? out : ArgumentSlots{};  // It does not end.
}

}  // namespace cgo
