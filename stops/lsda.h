#pragma once

#include <cstdint>
#include <vector>

#include "target/memory_reader.h"

namespace cgo {

/// What a C++ function does with an exception that comes out of one of its calls.
struct LsdaAction {
  /// A `catch`, or an exception specification.
  struct Handler {
    bool all = false;  ///< catch (...).
    Address type;      ///< The std::type_info that is caught.
    /// An exception specification (`throw(A, B)`): stops what is of none of these types.
    bool specification = false;
    std::vector<Address> allowed;
  };
  enum class Kind : std::uint8_t {
    passes,     ///< Nothing to do: it goes on to the caller.
    cleans_up,  ///< Destructors run, then it goes on.
    catches,    ///< `handlers`, in their order; it goes on when none fits.
    forbids,    ///< No exception may come from here (noexcept): std::terminate is called.
  };
  Kind kind = Kind::passes;
  Address landing_pad;            ///< Where the code goes on; 0 when it does not.
  std::vector<Handler> handlers;  ///< Of `catches`.
  bool cleans_up_too = false;     ///< Of `catches`: comes to the landing pad when none fits, too.
};

/// Reads the language-specific data area at `data` of the function that begins at `function`, for a
/// call at `call` (an address within the call instruction). malformed_data where it makes no sense.
/// Source: the GCC exception tables (libsupc++ eh_personality.cc, __gxx_personality_v0).
Result<LsdaAction> exception_action(const MemoryReader& memory, Address data, Address function,
                                    Address call);

}  // namespace cgo
