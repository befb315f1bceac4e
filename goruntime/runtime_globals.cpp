#include "goruntime/runtime_globals.h"

#include <algorithm>

#include "goruntime/code_operands.h"

namespace cgo {
namespace {

using Use = CodeOperand::Use;

constexpr std::uint64_t kLongestFunction = 16 * 1024;
/// How many gs or ms are looked at before an address is believed.
constexpr std::size_t kSamples = 64;
constexpr std::uint64_t kMostGoroutines = 1ull << 27;

class GlobalFinder {
 public:
  GlobalFinder(const ImageBytes& image, const GoModule& module, const RuntimeLayout& layout)
      : image_(image), memory_(image.memory()), module_(module), layout_(layout) {}

  RuntimeGlobals find() {
    find_tls_offset();
    out_.allgs = by_symbol_or_code("runtime.allgs", &GlobalFinder::allgs_in_code);
    out_.allm = by_symbol_or_code("runtime.allm", &GlobalFinder::allm_in_code);
    out_.wait_reason_strings =
        by_symbol_or_code("runtime.waitReasonStrings", &GlobalFinder::wait_reasons_in_code);
    return std::move(out_);
  }

 private:
  void note(std::string text) { out_.notes.push_back(std::move(text)); }

  Address by_symbol_or_code(const char* name, Address (GlobalFinder::*in_code)()) {
    if (const Address at = image_.symbol(name)) {
      note(std::string(name) + " at " + hex(at) + " by symbol");
      return at;
    }
    const Address at = (this->*in_code)();
    note(at ? std::string(name) + " at " + hex(at) + " from the runtime's code"
            : std::string(name) + " not found: no symbol, and the code that uses it does not tell");
    return at;
  }

  std::vector<std::byte> code_of(const GoFunction& function) const {
    const std::uint64_t bytes =
        std::min(function.end.value - function.entry.value, kLongestFunction);
    auto code = read_bytes(memory_, function.entry, bytes);
    return code ? *std::move(code) : std::vector<std::byte>{};
  }

  std::vector<CodeOperand> operands_of(std::string_view name) const {
    const auto function = module_.function_named(name);
    if (!function) return {};
    return rip_operands_amd64(code_of(*function), function->entry);
  }

  /// Source: src/runtime/proc.go, allgadd: appends to allgs, so that it loads or stores all three
  /// words of the slice. No other slice is used there in 1.19 to 1.27 (looked at with objdump).
  Address allgs_in_code() {
    const auto operands = operands_of("runtime.allgadd");
    const auto moved = [&](Address at) {
      return std::any_of(operands.begin(), operands.end(), [&](const CodeOperand& operand) {
        return operand.target == at && (operand.use == Use::load || operand.use == Use::store);
      });
    };
    return only_one(operands, [&](const CodeOperand& operand) {
      const Address at = operand.target;
      return moved(at) && moved(wrapping_add(at, 8)) && moved(wrapping_add(at, 16)) &&
             plausible_allgs(at);
    });
  }

  /// Source: src/runtime/proc.go, mcommoninit: loads allm for m.alllink, then stores the new m to
  /// its address with atomicstorep. The same in 1.19 to 1.27 (looked at with objdump).
  Address allm_in_code() {
    const auto operands = operands_of("runtime.mcommoninit");
    return only_one(operands, [&](const CodeOperand& operand) {
      const bool address_taken =
          std::any_of(operands.begin(), operands.end(), [&](const CodeOperand& other) {
            return other.target == operand.target && other.use == Use::address;
          });
      return operand.use == Use::load && address_taken && plausible_allm(operand.target);
    });
  }

  /// Source: src/runtime/runtime2.go, waitReason.String; its second entry has the same text in all
  /// releases.
  Address wait_reasons_in_code() {
    return only_one(operands_of("runtime.waitReason.String"), [&](const CodeOperand& operand) {
      return operand.use == Use::address && plausible_wait_reasons(operand.target);
    });
  }

  /// The target of all operands that `fits` accepts, or 0 when they name different ones.
  template <class Fits>
  static Address only_one(const std::vector<CodeOperand>& operands, Fits fits) {
    Address found;
    for (const CodeOperand& operand : operands) {
      if (operand.target == found || !fits(operand)) continue;
      if (found) return {};
      found = operand.target;
    }
    return found;
  }

  bool plausible_allgs(Address at) const {
    const auto data = read_pointer(memory_, at);
    const auto length = read_unsigned<std::uint64_t>(memory_, wrapping_add(at, 8));
    const auto capacity = read_unsigned<std::uint64_t>(memory_, wrapping_add(at, 16));
    if (!data || !length || !capacity) return false;
    if (*length > *capacity || *capacity > kMostGoroutines) return false;
    if (!*data) return *capacity == 0;
    for (std::uint64_t i = 0; i < std::min<std::uint64_t>(*length, kSamples); ++i) {
      const auto g = read_pointer(memory_, wrapping_add(*data, 8 * i));
      if (!g || !decode_goroutine(memory_, layout_.g, *g)) return false;
    }
    return true;
  }

  bool plausible_allm(Address at) const {
    const auto confirmed = confirm_layout(memory_, layout_, at);
    return confirmed || confirmed.error().code == ErrorCode::not_found;
  }

  bool plausible_wait_reasons(Address at) const {
    constexpr std::string_view kSecond = "GC assist marking";
    const auto text = read_pointer(memory_, wrapping_add(at, 16));
    const auto length = read_unsigned<std::uint64_t>(memory_, wrapping_add(at, 24));
    if (!text || !length || *length != kSecond.size()) return false;
    const auto bytes = read_bytes(memory_, *text, kSecond.size());
    return bytes && std::equal(kSecond.begin(), kSecond.end(), bytes->begin(),
                               [](char a, std::byte b) { return static_cast<std::byte>(a) == b; });
  }

  void find_tls_offset() {
    const auto asmcgocall = module_.function_named("runtime.asmcgocall");
    if (!asmcgocall) return note("no runtime.asmcgocall: where threads keep their g is not known");
    const auto access = tls_access_amd64(code_of(*asmcgocall), asmcgocall->entry);
    if (!access) return note("runtime.asmcgocall does not read the g of its thread as known");
    std::int64_t offset = access->offset;
    if (access->slot) {
      const auto word = read_unsigned<std::uint64_t>(memory_, access->slot);
      if (!word) return note("thread-local offset of g: " + word.error().message);
      offset = static_cast<std::int64_t>(*word);
    }
    out_.g_tls_offset = offset;
    note("g at " + std::to_string(offset) +
         " from the thread pointer, as runtime.asmcgocall says (" + access->form + ")");
  }

  const ImageBytes& image_;
  const MemoryReader& memory_;
  const GoModule& module_;
  const RuntimeLayout& layout_;
  RuntimeGlobals out_;
};

}  // namespace

RuntimeGlobals find_runtime_globals(const ImageBytes& image, const GoModule& module,
                                    const RuntimeLayout& layout) {
  return GlobalFinder(image, module, layout).find();
}

Result<void> confirm_layout(const MemoryReader& memory, const RuntimeLayout& layout, Address allm) {
  auto m = read_pointer(memory, allm);
  if (!m) return std::move(m).error().in("runtime.allm");
  if (!*m) return Error{ErrorCode::not_found, "the runtime has no ms yet", allm};
  for (std::size_t i = 0; *m && i < kSamples; ++i) {
    auto machine = decode_machine(memory, layout.m, *m);
    if (!machine) return std::move(machine).error().in("list of ms");
    auto g0_m = read_pointer(memory, wrapping_add(machine->g0, layout.g.m.bytes));
    if (!g0_m) return std::move(g0_m).error().in("g0.m of the m at " + hex(*m));
    if (*g0_m != *m)
      return Error{ErrorCode::malformed_data, "g0 of the m at " + hex(*m) + " belongs to another m",
                   *m};
    m = machine->next;
  }
  return {};
}

}  // namespace cgo
