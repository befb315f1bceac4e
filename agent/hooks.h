#pragma once
// What hooks are made of.

#define CGO_HOOK extern "C" __attribute__((visibility("default")))
/// Not inlined, so that its frame lies right below the program's.
#ifdef __clang__
#define CGO_RECORDED __attribute__((noinline)) static
#else
#define CGO_RECORDED __attribute__((noinline, noclone)) static
#endif
#define CGO_CALLER() ::cgo::agent::caller_of(__builtin_frame_address(0))
/// A second name of a hook: the agent's own function, wherever the first name leads.
#define CGO_OURS(function)                                                                         \
  asm(".globl cgo_agent_" #function "\n.hidden cgo_agent_" #function "\n.set cgo_agent_" #function \
      ", " #function);                                                                             \
  extern "C" __attribute__((visibility("hidden"))) char cgo_agent_##function[];
#define CGO_REPLACEMENT(function) {#function, cgo_agent_##function, 0}
