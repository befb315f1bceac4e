#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "goruntime/go_map.h"
#include "goruntime/go_version.h"
#include "goruntime/type_descriptor.h"
#include "values/datum.h"

namespace cgo {

/// A function and the place where it is written.
struct CodePlace {
  std::string function;
  std::string file;
  std::uint32_t line = 0;
  std::uint64_t offset = 0;  ///< Bytes from the function's entry.
};

/// A variable that a closure holds.
struct CapturedVariable {
  std::string name;
  const Type* type = nullptr;
  std::uint64_t offset = 0;  ///< In the closure.
  /// Debug information gives its address. The closure holds that, or the variable itself where the
  /// type is none for registers: see how_held.
  bool by_reference = false;
  /// `by_reference` is what the closure holds: its own type says so.
  bool certain = false;
  /// Nothing tells its name; `name` is what the runtime calls its place.
  bool nameless = false;
};

/// What an address is, as far as it can be told.
struct AddressDescription {
  enum class Kind : std::uint8_t {
    nothing,    ///< Null, or not mapped.
    go_object,  ///< Allocated by Go; `base` and `bytes` are the object's.
    go_freed,   ///< In a slot or pages of the Go heap that hold no object, or in a stack of none.
    go_heap,    ///< Of the Go heap otherwise.
    goroutine_stack,
    system_stack,  ///< Of a thread that runs Go: where it runs C and the runtime.
    signal_stack,
    c_block,  ///< Allocated by C; `base` and `bytes` are the block's.
    c_freed,  ///< In a block that C freed.
    c_heap,   ///< Of the C heap otherwise.
    c_stack,
    thread_local_storage,
    global,
    code,
    mapping,  ///< Of a file, or anonymous.
    memory,   ///< Readable; what it is is not known.
  };
  Kind kind = Kind::nothing;
  std::string text;  ///< For people: "main.counter+8", "goroutine 7's stack".
  Address base;      ///< With `bytes`, what the address is in; 0 where that is not known.
  std::uint64_t bytes = 0;
  std::optional<std::uint64_t> goroutine = std::nullopt, thread = std::nullopt;  ///< Whose stack.
  Address address = {};  ///< The one that is described, where a value says so.

  /// Whether nothing that is in use lies there any more.
  bool freed() const { return kind == Kind::go_freed || kind == Kind::c_freed; }
};

/// The kind as scripts know it: "go_object".
std::string_view name_of(AddressDescription::Kind kind);

/// Tells what addresses are.
class AddressDescriber {
 public:
  virtual ~AddressDescriber() = default;
  virtual AddressDescription describe(Address address) const = 0;
  /// What describe() says, when that is freed memory; costs less.
  virtual std::optional<AddressDescription> freed_at(Address) const { return std::nullopt; }
};

/// What the reading of values asks of the program beside its memory. Everything may be unknown:
/// what is not told is not shown. Answers live as long as the context.
class ValueContext {
 public:
  virtual ~ValueContext() = default;
  virtual const MemoryReader& memory() const = 0;
  virtual GoVersion go_version() const { return {27, 0}; }

  /// The type whose descriptor lies at `descriptor`: as debug information has it where it does,
  /// with fields and methods as the runtime has them otherwise.
  virtual Result<const Type*> dynamic_type(Address descriptor) const;
  /// How the values of a Go map type lie in memory.
  virtual Result<MapShape> map_shape_of(const Type& map) const;
  /// Whether a Go interface type has no methods.
  virtual Result<bool> is_empty_interface(const Type& interface) const;
  /// What the runtime's descriptor of a Go type says: its methods.
  virtual Result<TypeDetails> details_of(const Type& type) const;
  /// The function whose code has `pc`.
  virtual std::optional<CodePlace> place_of(Address pc) const;
  /// What the closures of the function that begins at `entry` hold, by rising offset; empty when
  /// they hold nothing or that is not known.
  virtual std::vector<CapturedVariable> captured_variables(Address entry) const;
  /// How large closures of the function at `entry` are; 0 where that is not known.
  virtual std::uint64_t closure_bytes(Address) const { return 0; }
  /// Whether the address lies in a loaded file's segments: what the program's text has as constants
  /// and variables.
  virtual bool in_image(Address) const { return false; }
  virtual std::optional<std::uint64_t> goroutine_id(Address g) const;
  virtual const AddressDescriber* describer() const { return nullptr; }
  /// A variable of a package or file by its whole name, or a constant of a Go package: that has no
  /// address.
  virtual Result<Datum> variable_named(std::string_view name) const;
  /// The import paths of the Go packages that source code may call `name`.
  virtual std::vector<std::string> packages_named(std::string_view name) const;
  /// A type by its whole name.
  virtual Result<const Type*> type_named(std::string_view name) const;
};

}  // namespace cgo
