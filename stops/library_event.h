#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "target/memory_reader.h"

namespace cgo {

/// A text of the debuggee, or why it is not known.
struct KnownText {
  std::optional<std::string> text;
  std::string why;  ///< Empty for a null pointer.
};
/// The text a pointer of C leads to.
KnownText text_at(const MemoryReader& memory, Address pointer);
/// The text of `bytes` bytes at a pointer, as Go's strings have it.
KnownText text_at(const MemoryReader& memory, Address pointer, std::uint64_t bytes);

/// One call that binds libraries to the program: dlopen, dlsym and their like, or of Go's package
/// plugin. What does not apply is left empty.
struct LibraryEvent {
  std::string event;     ///< "dlopen", "dlsym", "plugin.open", "plugin.lookup".
  std::string function;  ///< The one that was called: "dlvsym".
  std::uint64_t tid = 0;
  std::optional<std::uint64_t> goroutine;
  std::string caller;     ///< "load at load.c:12".
  std::string go_caller;  ///< "main.main at main.go:20": the innermost frame of Go.
  KnownText name;         ///< The path, or the symbol.
  bool is_path = false;
  std::optional<std::uint64_t> flags;           ///< Of dlopen.
  std::optional<std::int64_t> name_space;       ///< Of dlmopen.
  std::optional<std::uint64_t> handle;          ///< Of dlsym: what was searched.
  KnownText version;                            ///< Of dlvsym.
  std::optional<std::uint64_t> result;          ///< Zero: it failed.
  std::string error;                            ///< Why, in the words of who failed.
  std::string symbol, module, searched_module;  ///< What it was bound to.
  std::optional<std::int64_t> duration_ns;      ///< With the stops in it.
};

/// "RTLD_NOW|RTLD_GLOBAL". Source: glibc, bits/dlfcn.h.
std::string dlopen_flags(std::uint64_t flags);
/// What dlsym searches: "RTLD_DEFAULT", "RTLD_NEXT", or an address.
std::string dlsym_handle(std::uint64_t handle);

/// The keys of a record, without those that each has, and without braces.
std::string event_keys(const LibraryEvent& event);

}  // namespace cgo
