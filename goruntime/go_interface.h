#pragma once

#include "goruntime/type_descriptor.h"
#include "target/byte_view.h"

namespace cgo {

/// What a non-nil interface value holds.
struct InterfaceContents {
  TypeDescriptor type;  ///< The dynamic type.
  Address itab;         ///< 0 for an empty interface.
  /// Where the value lies: what the data word points at; where the data word itself is a
  /// pointer-shaped value (type.direct_interface), the address of nothing: see `word`.
  Address word;
  bool direct() const { return type.direct_interface; }
};

/// Decodes the two words of an interface value. Nothing for the nil interface; a nil pointer in an
/// interface is not nil. `empty`: its type has no methods (runtime.eface, otherwise runtime.iface).
/// malformed_data when the first word leads to no type.
Result<std::optional<InterfaceContents>> decode_interface(const MemoryReader& memory,
                                                          ByteView words, bool empty);

}  // namespace cgo
