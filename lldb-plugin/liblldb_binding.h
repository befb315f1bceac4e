#pragma once

#include <string>
#include <vector>

namespace cgo {

/// The functions of liblldb that this file calls and the process does not have, mangled. Not empty
/// means that the LLDB that loaded it is too old: nothing else of LLDB may be called then.
std::vector<std::string> missing_lldb_functions();

}  // namespace cgo
