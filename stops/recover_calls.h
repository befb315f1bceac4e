#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "goruntime/go_runtime.h"
#include "target/memory_reader.h"

namespace cgo {

/// Whether a deferred function can stop a panic, as far as its code tells.
struct RecoverCall {
  enum class Kind : std::uint8_t {
    none,     ///< No call of it to recover can: there is none, or it is not the function's own.
    calls,    ///< It has a call to recover; whether that is reached is not known.
    unknown,  ///< `why` says why it cannot be told.
  };
  Kind kind = Kind::unknown;
  std::string function;  ///< What is deferred, behind wrappers of the compiler's; may be empty.
  std::string file;      ///< Of the call, with its line.
  std::uint32_t line = 0;
  std::string why;
  friend bool operator==(const RecoverCall&, const RecoverCall&) = default;
};

/// Tells what deferred functions do when a panic calls them. Only a call to recover in the deferred
/// function itself stops the panic, not one in what it calls; wrappers that the compiler made do
/// not count as functions. Source: The Go Programming Language Specification, "Handling panics";
/// src/runtime/panic.go, gorecover of 1.19 (argp) and of 1.27 (frames that are no wrapper).
class RecoverCalls {
 public:
  RecoverCalls(const MemoryReader& memory, const GoRuntime& runtime)
      : memory_(memory), runtime_(runtime) {}

  /// `closure`: the func value that is deferred.
  RecoverCall of(Address closure);

 private:
  /// What the code of one function says.
  struct Code {
    std::vector<std::byte> bytes;           // Of a wrapper.
    std::optional<GoSourceFrame> recovers;  // The call to recover that counts.
    // Of a wrapper:
    std::vector<GoFunction> callees;
    std::vector<Address> indirect;  // Calls whose target is not in the code.
  };
  /// A function and, where it is known, the closure that it is called as.
  struct Step {
    GoFunction function;
    std::optional<Address> closure;
  };
  const Result<Code>& code_of(const GoFunction& function);
  Result<Code> read_code(const GoFunction& function) const;
  Result<Step> next_of(const Step& wrapper, const Code& code) const;

  const MemoryReader& memory_;
  const GoRuntime& runtime_;
  std::map<Address, Result<Code>> known_;  // By entry.
};

}  // namespace cgo
