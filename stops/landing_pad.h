#pragma once

#include <map>
#include <memory>
#include <set>
#include <string_view>

#include "target/elf_imports.h"
#include "target/image.h"
#include "target/memory_reader.h"

namespace cgo {

/// Where the code of a landing pad leads, whatever it compares on the way.
struct PadFlow {
  std::set<Address> catches;  ///< Calls of __cxa_begin_catch: a handler begins at each.
  bool resumes = false;       ///< The exception goes on to the caller.
  bool terminates = false;    ///< std::terminate: the end of a noexcept function.
  bool whole = true;          ///< All of it could be followed.
};

/// Follows landing pads in the machine code, as tables do not tell a cleanup from the end of a
/// noexcept function. Remembers what modules import. amd64.
class LandingPads {
 public:
  LandingPads(const MemoryReader& memory, const ImageMap& images)
      : memory_(memory), images_(images) {}

  PadFlow flow_of(Address pad);

 private:
  /// The name of the function at `target`, which may be an entry of a table of other modules'
  /// functions; empty where it has none.
  std::string_view name_of(Address target);
  std::string_view imported(Address word);

  const MemoryReader& memory_;
  const ImageMap& images_;
  std::map<const ElfFile*, ElfImports> imports_;
};

}  // namespace cgo
