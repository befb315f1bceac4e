#pragma once

#include <string>

#include "goruntime/go_interface.h"
#include "values/value_context.h"

namespace cgo {

/// What keeps `type`, an interface type or another one, from having all methods of `interface`:
/// "missing method Name"; empty when nothing does. Fails where the runtime does not tell: the
/// linker leaves out the types of methods that nothing calls.
Result<std::string> missing_method(const ValueContext& context, const Type& type,
                                   const Type& interface);

/// The two words of an interface value, decoded; nothing for the nil interface.
Result<std::optional<InterfaceContents>> interface_contents(const ValueContext& context,
                                                            const Datum& interface);

}  // namespace cgo
