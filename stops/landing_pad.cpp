#include "stops/landing_pad.h"

#include <vector>

#include "crossings/code_bytes.h"
#include "crossings/machine_code.h"

namespace cgo {
namespace {

constexpr std::size_t kMostBlocks = 200;
constexpr std::uint64_t kBlockBytes = 1024;

enum class Callee { other, begins_catch, resumes, terminates };

Callee callee_of(std::string_view name) {
  if (name == "__cxa_begin_catch") return Callee::begins_catch;
  if (name == "_Unwind_Resume" || name == "_Unwind_Resume_or_Rethrow") return Callee::resumes;
  if (name == "_ZSt9terminatev" || name == "__clang_call_terminate" ||
      name == "__cxa_call_terminate" || name == "__cxa_call_unexpected")
    return Callee::terminates;
  return Callee::other;
}

}  // namespace

std::string_view LandingPads::imported(Address word) {
  const Image* image = images_.find(word);
  if (image == nullptr || !image->file || image->mismatch) return {};
  const ElfImports& imports = imports_.try_emplace(image->file.get(), image->file).first->second;
  return imports.at(image->to_file(word));
}

std::string_view LandingPads::name_of(Address target) {
  if (const ElfSymbol* symbol = images_.symbol_beginning_at(target)) return symbol->name;
  const Address word = word_of_plt(memory_, target);
  return word ? imported(word) : std::string_view();
}

PadFlow LandingPads::flow_of(Address pad) {
  PadFlow out;
  std::set<Address> seen{pad};
  std::vector<Address> todo{pad};
  while (!todo.empty()) {
    const Address block = todo.back();
    todo.pop_back();
    const auto code = read_short_code(memory_, block, kBlockBytes);
    if (!code || seen.size() > kMostBlocks) {
      out.whole = false;
      continue;
    }
    const bool decoded = decode_amd64(*code, block, [&](const Instruction& one) {
      using Kind = Instruction::Kind;
      // A function may end in a jump to one of them.
      const bool leaves = one.kind == Kind::jump && !one.falls_through;
      const std::string_view name = one.kind == Kind::slot             ? imported(one.target)
                                    : one.kind == Kind::call || leaves ? name_of(one.target)
                                                                       : std::string_view();
      const Callee callee = callee_of(name);
      if (callee == Callee::other && one.kind == Kind::jump && seen.insert(one.target).second)
        todo.push_back(one.target);
      // A jump through a word.
      if (callee == Callee::other && one.kind == Kind::slot && !one.calls) out.whole = false;
      if (callee == Callee::begins_catch) out.catches.insert(one.at);
      out.resumes |= callee == Callee::resumes;
      out.terminates |= callee == Callee::terminates;
      // What has no name may never come back.
      const bool unnamed = one.calls && name.empty();
      out.whole &= !unnamed;
      return callee == Callee::other && !unnamed && one.falls_through;
    });
    out.whole &= decoded;
  }
  return out;
}

}  // namespace cgo
