#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "values/value_context.h"

namespace cgo {

/// A structure, union or enumeration written in C, with the layout that it has in the debuggee.
/// Its name is a typedef: "$main_Thing".
struct CDefinition {
  std::string name;
  std::string forward;              ///< "typedef struct … $main_Thing;"; empty for enumerations.
  std::string text;                 ///< Defines it.
  std::vector<std::string> checks;  ///< Conditions that hold when a compiler lays it out so.
  std::vector<std::string> uses;    ///< Names of the definitions that `text` mentions.
};

/// A type of the debuggee in C.
struct CLayout {
  std::vector<CDefinition> definitions;  ///< What another one contains comes before it.
  std::string before, after;  ///< "$main_Thing *" and "" around the name of a pointer to the type.
  bool simplified = false;    ///< Pointers stand as void * because of the depth.
};

/// Other names for definitions, by the name they have without: "$main_Thing" → "$main_Thing_2".
using CNames = std::map<std::string, std::string, std::less<>>;

/// Writes `type` in C so that its parts lie where they lie in the debuggee. Strings, slices and
/// interfaces are structures, maps and channels void *. Pointers are followed `depth` levels deep,
/// further ones are void *. Fails for a type without a size.
Result<CLayout> c_layout_of(const ValueContext& context, const Type& type, unsigned depth,
                            const CNames& names = {});

/// A name of Go or C++ as an identifier of C: other characters become '_', keywords get one.
std::string c_identifier(std::string_view name);

}  // namespace cgo
