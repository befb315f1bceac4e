#pragma once

#include <span>
#include <string>

#include "crossings/catalogue.h"

namespace cgo {

/// Crossings for people, a paragraph each, ends with a newline.
std::string format_crossings(std::span<const CrossingPoint> crossings);

/// The "crossings" of lldb-cgo/crossings/1: a JSON array.
std::string crossings_json(std::span<const CrossingPoint> crossings);

/// "Cfunc", "C2func", "export", "cgocall": the words of the JSON schemas.
const char* form_word(CrossingPoint::Form form);

/// "_Cfunc_: errno dropped" and the like.
const char* form_text(CrossingPoint::Form form);

}  // namespace cgo
