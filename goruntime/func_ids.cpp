#include <array>

#include "goruntime/pclntab.h"

namespace cgo {
namespace {

using enum FuncId;

// Source: src/runtime/symtab.go of 1.19 and 1.20, src/internal/abi/symtab.go of 1.21.
constexpr std::array kIds1_19 = {normal,
                                 abort,
                                 asmcgocall,
                                 async_preempt,
                                 cgocallback,
                                 debug_call_v2,
                                 gc_bg_mark_worker,
                                 goexit,
                                 gogo,
                                 gopanic,
                                 handle_async_event,
                                 mcall,
                                 morestack,
                                 mstart,
                                 panicwrap,
                                 rt0_go,
                                 runfinq,
                                 runtime_main,
                                 sigpanic,
                                 systemstack,
                                 systemstack_switch,
                                 wrapper};

// Source: src/internal/abi/symtab.go of 1.22 to 1.24: corostart is new.
constexpr std::array kIds1_22 = {normal,        abort,
                                 asmcgocall,    async_preempt,
                                 cgocallback,   corostart,
                                 debug_call_v2, gc_bg_mark_worker,
                                 goexit,        gogo,
                                 gopanic,       handle_async_event,
                                 mcall,         morestack,
                                 mstart,        panicwrap,
                                 rt0_go,        runfinq,
                                 runtime_main,  sigpanic,
                                 systemstack,   systemstack_switch,
                                 wrapper};

// Source: src/internal/abi/symtab.go of 1.25 to 1.27: runfinq became runFinalizers and runCleanups.
constexpr std::array kIds1_25 = {normal,
                                 abort,
                                 asmcgocall,
                                 async_preempt,
                                 cgocallback,
                                 corostart,
                                 debug_call_v2,
                                 gc_bg_mark_worker,
                                 goexit,
                                 gogo,
                                 gopanic,
                                 handle_async_event,
                                 mcall,
                                 morestack,
                                 mstart,
                                 panicwrap,
                                 rt0_go,
                                 runtime_main,
                                 run_finalizers,
                                 run_cleanups,
                                 sigpanic,
                                 systemstack,
                                 systemstack_switch,
                                 wrapper};

}  // namespace

std::span<const FuncId> func_ids_for(GoVersion version) {
  if (version.minor >= 25) return kIds1_25;
  if (version.minor >= 22) return kIds1_22;
  return kIds1_19;
}

}  // namespace cgo
