#include "unwind/plumbing.h"

#include <algorithm>
#include <array>

namespace cgo {
namespace {

constexpr std::array<std::string_view, 31> kGoPlumbing{"crosscall2",
                                                       "runtime.asmcgocall",
                                                       "runtime.asmcgocall_landingpad",
                                                       "runtime.asmcgocall_no_g",
                                                       "runtime.cgocall",
                                                       "runtime.cgocallback",
                                                       "runtime.cgocallbackg",
                                                       "runtime.cgocallbackg1",
                                                       "runtime.cgoSigtramp",
                                                       "runtime.crash",
                                                       "runtime.dieFromSignal",
                                                       "runtime.goexit",
                                                       "runtime.goexit0",
                                                       "runtime.main",
                                                       "runtime.mcall",
                                                       "runtime.mstart",
                                                       "runtime.mstart0",
                                                       "runtime.mstart1",
                                                       "runtime.raise",
                                                       "runtime.rt0_go",
                                                       "runtime.sigfwd",
                                                       "runtime.sigfwdgo",
                                                       "runtime.sighandler",
                                                       "runtime.sigpanic",
                                                       "runtime.sigprofNonGoWrapper",
                                                       "runtime.sigreturn__sigaction",
                                                       "runtime.sigtramp",
                                                       "runtime.sigtrampgo",
                                                       "runtime.systemstack",
                                                       "runtime.systemstack_switch",
                                                       "_rt0_amd64_linux"};

constexpr std::array<std::string_view, 4> kCPlumbing{"__restore_rt", "crosscall1",
                                                     "crosscall_amd64", "threadentry"};

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// _cgo_0123456789ab_Cfunc_name, and _C2func_.
bool is_cgo_stub(std::string_view name) {
  constexpr std::string_view kPrefix = "_cgo_";
  constexpr std::size_t kHash = 12;
  if (!name.starts_with(kPrefix) || name.size() < kPrefix.size() + kHash) return false;
  const auto hash = name.substr(kPrefix.size(), kHash);
  const bool is_hash = std::all_of(hash.begin(), hash.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
  });
  const auto rest = name.substr(kPrefix.size() + kHash);
  return is_hash && (rest.starts_with("_Cfunc_") || rest.starts_with("_C2func_"));
}

}  // namespace

bool is_plumbing(Language language, std::string_view function, std::string_view file) {
  if (language == Language::go || language == Language::assembly)
    return contains(kGoPlumbing, function) || function.starts_with("_cgoexp_") ||
           function.starts_with("runtime.cgocallbackg1.");
  const auto slash = file.rfind('/');
  const auto base = slash == std::string_view::npos ? file : file.substr(slash + 1);
  return is_cgo_stub(function) || contains(kCPlumbing, function) || base == "_cgo_export.c";
}

bool is_runtime_function(std::string_view function) {
  return function.starts_with("runtime.") || function.starts_with("runtime/internal/") ||
         function.starts_with("internal/runtime/");
}

}  // namespace cgo
