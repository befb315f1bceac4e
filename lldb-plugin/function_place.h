#pragma once

#include <cstdint>
#include <string>

#include "lldb-plugin/subject.h"

namespace cgo {

/// A function, as far as it is known.
struct FunctionPlace {
  Address address;
  std::string function;  ///< Empty when it has no name.
  std::string module;    ///< Name of the image; empty outside of all.
  std::string file;
  std::uint32_t line = 0;
};

/// The function at an address that is its entry; a name that lies before it is no answer.
FunctionPlace place_of_function(const Program& program, Address entry);

/// "handler  libdemo.so  handlers.c:12"; the address where it has no name. Safe to print.
std::string format_place(const FunctionPlace& place);

}  // namespace cgo
