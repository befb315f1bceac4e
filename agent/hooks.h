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
