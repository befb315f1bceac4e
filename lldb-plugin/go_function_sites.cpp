#include "lldb-plugin/go_function_sites.h"

#include <algorithm>

#include "crossings/machine_code.h"
#include "lldb-plugin/program_subject.h"

namespace cgo {
namespace {

/// The check of the stack's size lies within so many instructions. Source:
/// src/cmd/internal/obj/x86/obj6.go, stacksplit.
constexpr unsigned kInstructionsOfCheck = 6;

ArrivalSite site_in(ByteView code, const GoFunction& function) {
  std::uint64_t behind_check = 0;
  unsigned count = 0;
  decode_amd64(code, function.entry, [&](const Instruction& one) {
    if (one.kind == Instruction::Kind::jump && one.falls_through) behind_check = one.end().value;
    return behind_check == 0 && one.falls_through && !one.calls && ++count < kInstructionsOfCheck;
  });
  const std::uint64_t arrival = behind_check != 0 ? behind_check : function.entry.value;
  return arrival_site(code.subspan(arrival - function.entry.value), arrival);
}

}  // namespace

bool has_go(lldb::SBModule module) {
  constexpr const char* kSections[] = {".go.buildinfo", ".gopclntab", ".data.rel.ro.gopclntab"};
  return std::ranges::any_of(kSections,
                             [&](const char* name) { return module.FindSection(name).IsValid(); });
}

Result<std::vector<ArrivalSite>> go_function_sites(const std::string& path, std::string_view name) {
  auto subject = open_program_subject(path);
  if (!subject) return std::move(subject).error();
  const auto stop = (*subject)->stop();
  if (!stop) return stop.error();
  std::vector<ArrivalSite> out;
  for (const auto& runtime : (*stop)->program->runtimes.all) {
    const auto function = runtime->function_named(name);
    if (!function || function->end <= function->entry) continue;
    constexpr std::uint64_t kBeginning = 128;
    const std::uint64_t length = function->end.value - function->entry.value;
    auto code =
        read_bytes((*stop)->debuggee->memory(), function->entry, std::min(kBeginning, length));
    if (!code) return std::move(code).error().in(std::string(name));
    out.push_back(site_in(*code, *function));
  }
  return out;
}

}  // namespace cgo
