#pragma once

#include <optional>
#include <string>
#include <vector>

#include "goruntime/go_runtime.h"
#include "target/image.h"
#include "unwind/frame.h"

namespace cgo {

/// An exception that is about to be thrown.
struct ThrownException {
  /// Of what runtime: "C++", or how its class names itself ("CLNGC++", "MOZ RUST" …).
  std::string runtime;
  bool is_cxx = false;
  Address type;  ///< std::type_info; 0 where it is not known.
  std::string type_name;
  Address object;
  std::optional<std::string> what;  ///< What it says, where that can be read without a call.
};

/// Reads the exception behind the _Unwind_Exception at `header`. Source: Itanium C++ ABI, level II
/// (__cxa_exception as libstdc++ lays it out on 64-bit machines).
Result<ThrownException> read_exception(const MemoryReader& memory, const ImageMap& images,
                                       Address header);

/// Where the search for a handler ends, as the C++ runtime will do it.
struct ExceptionFate {
  enum class Kind : std::uint8_t {
    caught,
    forbidden,  ///< Comes to a noexcept function: std::terminate.
    boundary,   ///< Comes to Go: no handler can be found any more, std::terminate.
    no_rule,    ///< Comes to code without unwind rules: the same.
    unknown,    ///< Cannot be told; `why` says what is in the way.
  };
  Kind kind = Kind::unknown;
  std::size_t physical = 0;  ///< Of the frame where it ends, an index into Walk::elements.
  std::string handler;       ///< Of `caught`: "std::exception", "...".
  Address landing_pad;       ///< Of `caught`.
  std::string file;          ///< Of the handler's code, where it is known.
  std::uint32_t line = 0;
  std::string why;
};

/// The fate of `exception`, thrown by the innermost frame of `walk`: asks the table of each frame
/// of C and C++ outward, up to Go. Walk::elements[0] is in the unwinder itself.
ExceptionFate exception_fate(const MemoryReader& memory, const ImageMap& images,
                             const DwarfSource& dwarf, const Walk& walk,
                             const ThrownException& exception);

/// Where unwinding by force comes to (_Unwind_ForcedUnwind: pthread_exit, a cancelled thread): no
/// handler can end it, but it runs what the frames clean up.
struct ForcedFate {
  enum class Kind : std::uint8_t {
    through,    ///< Through all frames that have rules, up to `physical`, or to the stack's end.
    forbidden,  ///< Comes to a noexcept function: std::terminate.
    unknown,    ///< Cannot be told; `why` says what is in the way.
  };
  Kind kind = Kind::unknown;
  std::size_t physical = 0;  ///< Of the frame where it ends, an index into Walk::elements.
  bool comes_to_go = false;  ///< Of `through`: Go's frames have no rules and are jumped over.
  /// Frames whose catch (...) it enters, which has to throw on: else the C library ends the
  /// process.
  std::vector<std::size_t> must_throw_on;
  std::string why;
};
ForcedFate forced_fate(const MemoryReader& memory, const ImageMap& images, const Walk& walk);

}  // namespace cgo
