#pragma once

#include <string>
#include <vector>

#include "lldb-plugin/subject.h"

namespace cgo {

/// How a finding of `cgo doctor` bears on the answers given here.
enum class Health : std::uint8_t { good, note, problem };

struct DoctorFinding {
  Health health = Health::good;
  std::string topic;  ///< "go runtime", "image", "memory" …
  std::string text;
  std::string hint;  ///< What to do; empty when nothing is to be done.
};

/// What was found in a stop, what is missing for good answers, and what to do about it.
std::vector<DoctorFinding> examine(const Stop& stop);

}  // namespace cgo
