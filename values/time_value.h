#pragma once

#include <string>
#include <vector>

#include "values/value_context.h"

namespace cgo {

/// A time.Time as its String method writes it, by the data in the program's memory alone.
struct TimeText {
  std::string text;                ///< Empty for what is no time.
  std::vector<std::string> notes;  ///< Why it is in UTC, or no time.
  bool unread = false;             ///< Its zone lies in memory that cannot be read.
};
TimeText text_of_time(const ValueContext& context, const Datum& time);

}  // namespace cgo
