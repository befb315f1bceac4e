#include "lldb-plugin/panic_sites.h"

#include "crossings/machine_code.h"
#include "lldb-plugin/program_subject.h"

namespace cgo {
namespace {

/// The check of the stack's size lies within so many instructions, and the second place so many
/// behind the first. Source: src/cmd/internal/obj/x86/obj6.go, stacksplit.
constexpr unsigned kInstructionsOfCheck = 6, kInstructionsBetween = 4;

PanicSite site_in(ByteView code, const GoFunction& function) {
  PanicSite out{.arrival = function.entry.value};
  unsigned count = 0;
  bool behind_check = false;
  decode_amd64(code, function.entry, [&](const Instruction& one) {
    const bool straight = one.kind != Instruction::Kind::jump &&
                          one.kind != Instruction::Kind::slot && !one.calls && one.falls_through;
    ++count;
    if (!behind_check) {
      if (one.kind == Instruction::Kind::jump && one.falls_through) {
        out.arrival = one.end().value;
        behind_check = true;
        count = 0;
      }
      return straight ? count < kInstructionsOfCheck : behind_check;
    }
    if (!straight) return false;
    out.passed = one.end().value;
    return count < kInstructionsBetween;
  });
  return out;
}

}  // namespace

Result<std::vector<PanicSite>> panic_sites(const std::string& path) {
  auto subject = open_program_subject(path);
  if (!subject) return std::move(subject).error();
  const auto stop = (*subject)->stop();
  if (!stop) return stop.error();
  std::vector<PanicSite> out;
  for (const auto& runtime : (*stop)->program->runtimes.all) {
    const auto function = runtime->function_named("runtime.gopanic");
    if (!function || function->end <= function->entry) continue;
    constexpr std::uint64_t kBeginning = 128;
    const std::uint64_t length = function->end.value - function->entry.value;
    auto code =
        read_bytes((*stop)->debuggee->memory(), function->entry, std::min(kBeginning, length));
    if (!code) return std::move(code).error().in("runtime.gopanic");
    out.push_back(site_in(*code, *function));
  }
  return out;
}

}  // namespace cgo
