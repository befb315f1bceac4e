#include "crossings/go_wrappers.h"

#include <array>

#include "crossings/machine_code.h"

namespace cgo {
namespace {

constexpr std::uint64_t kMostWrapperBytes = 4096;
constexpr std::string_view kPlain = "._Cfunc_", kErrno = "._C2func_", kExport = "_cgoexp_";
constexpr std::string_view kMalloc = "._cgo_cmalloc";
constexpr int kRax = 0, kRegisters = 16;

/// Which word each register was loaded from, along straight code.
class LoadedWords {
 public:
  explicit LoadedWords(const MemoryReader& memory) : memory_(memory) {}

  void step(const Instruction& one) {
    if (one.to < 0) return;
    Address word;
    if (one.kind == Instruction::Kind::load) word = one.target;
    // Code of plugins finds data through its global offset table.
    if (one.kind == Instruction::Kind::follow && words_[index(one.from)])
      if (const auto pointer = read_pointer(memory_, words_[index(one.from)])) word = *pointer;
    words_[index(one.to)] = word;
  }
  Address of(int number) const { return words_[index(number)]; }

 private:
  static std::size_t index(int number) { return static_cast<std::size_t>(number); }

  const MemoryReader& memory_;
  std::array<Address, kRegisters> words_{};
};

/// Reads what the wrapper's code tells. The word is the one in rax at the call of runtime.cgocall;
/// no other call of a wrapper has a value from memory there.
void read_wrapper_code(const GoModule& module, const CodeBytes& code, const MemoryReader& memory,
                       GoWrapper& wrapper) {
  LoadedWords words(memory);
  const GoFunction& function = wrapper.function;
  const std::uint64_t bytes =
      std::min(function.end.value - function.entry.value, kMostWrapperBytes);
  const ByteView body = code.at({function.entry, wrapping_add(function.entry, bytes)});
  decode_amd64(body, function.entry, [&](const Instruction& one) {
    const bool calls = one.kind == Instruction::Kind::call || one.kind == Instruction::Kind::slot;
    if (calls) {
      const auto called = module.function_at(one.target);
      const std::string_view name = called ? called->name : std::string_view();
      if (name == "runtime.cgoNoCallback") wrapper.no_callback = true;
      if (name == "runtime.cgoKeepAlive") wrapper.no_escape = true;
      if (!wrapper.word && words.of(kRax)) wrapper.word = words.of(kRax);
    }
    words.step(one);
    // What keeps arguments alive stands behind the return, on a path that is never taken.
    return !one.returns || wrapper.no_callback;
  });
}

bool is_of_runtime(std::string_view name) { return name.starts_with("runtime."); }

/// Finds the function that a `_cgoexp_` function is for: the one it calls, or that was inlined into
/// it as a whole; beside it there are calls to the runtime only.
void find_exported(const GoModule& module, const CodeBytes& code, GoExport& out) {
  const GoFunction& function = out.function;
  decode_amd64(
      code.at({function.entry, function.end}), function.entry, [&](const Instruction& one) {
        const auto frames = module.source_frames(function, one.at);
        if (!frames || frames->empty()) return true;
        if (frames->size() > 1) {
          const GoSourceFrame& inlined = (*frames)[frames->size() - 2];
          if (is_of_runtime(inlined.function)) return true;
          const bool first = out.go_name.empty();
          if (!first && out.go_name != inlined.function) return true;
          out.go_name = inlined.function;
          if (first || inlined.line < out.line) out.line = inlined.line;
          out.file = inlined.file;
          return true;
        }
        if (one.kind != Instruction::Kind::call || !out.go_name.empty()) return true;
        const auto called = module.function_at(one.target);
        if (!called || called->entry != one.target || is_of_runtime(called->name)) return true;
        out.go_name = called->name;
        if (const auto at = module.source_frames(*called, called->entry); at && !at->empty()) {
          out.file = at->back().file;
          out.line = called->start_line != 0 ? called->start_line : at->back().line;
        }
        return false;
      });
}

}  // namespace

GoSides find_go_sides(const GoModule& module, const CodeBytes& code, const MemoryReader& memory) {
  GoSides out;
  module.each_function([&](const GoFunction& function) {
    const std::string_view name = function.name;
    if (name.starts_with(kExport)) {
      const std::size_t hash_end = name.find('_', kExport.size());
      if (hash_end == name.npos) return;
      const std::string_view c_name = name.substr(hash_end + 1);
      GoExport& added = out.exports.emplace_back();
      added.function = function;
      added.c_name = c_name;
      find_exported(module, code, added);
      return;
    }
    const auto behind = [&](std::string_view mark) -> std::optional<std::string_view> {
      const std::size_t at = name.find(mark);
      return at == name.npos ? std::nullopt : std::optional(name.substr(at + mark.size()));
    };
    const auto plain = behind(kPlain), with_errno = behind(kErrno), allocates = behind(kMalloc);
    if (!plain && !with_errno && !(allocates && allocates->empty())) return;
    GoWrapper wrapper{.function = function, .returns_errno = !plain && with_errno};
    wrapper.c_name = plain ? *plain : with_errno ? *with_errno : "malloc";
    read_wrapper_code(module, code, memory, wrapper);
    if (wrapper.word)
      out.wrappers.push_back(std::move(wrapper));
    else
      out.helpers.push_back({function, std::move(wrapper.c_name)});
  });
  return out;
}

}  // namespace cgo
