#pragma once
// What hooks are made of.

#define CGO_HOOK extern "C" __attribute__((visibility("default")))
/// Not inlined, so that its frame lies right below the program's.
#define CGO_RECORDED __attribute__((noinline, noclone)) static
#define CGO_CALLER() ::cgo::agent::caller_of(__builtin_frame_address(0))
