#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "goruntime/go_runtime.h"
#include "target/image.h"
#include "unwind/code_address.h"
#include "unwind/frame.h"

namespace cgo {

/// The function of the frame that Walk::elements[physical] is, with those inlined into it left
/// out; its address where it has no name. "?" where the stack has no such frame.
std::string function_in(const Stack& stack, std::size_t physical);

/// "f at file.c:12": the innermost frame from `physical` on that is neither plumbing nor a tail
/// call that led there.
std::string place_in(const Stack& stack, std::size_t physical);

/// Whether an image of this name is the C library.
bool is_libc(std::string_view module);

/// "longjmp" for the function that a sanitizer puts before it; else the name itself.
std::string_view plain_name(std::string_view function);

/// "f at file.c:12", without the place where it is not known.
std::string place_text(const Frame& frame);

/// The same of code that is on no stack: its innermost function; the address where it has no name.
std::string code_text(const ImageMap& images, const DwarfSource& dwarf, CodeAddress pc);

}  // namespace cgo
