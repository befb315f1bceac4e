#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "crossings/catalogue.h"
#include "target/type.h"

namespace cgo {

/// One argument, or the result, of a crossing.
struct CrossingPart {
  std::string name;            ///< C's where it is known, else cgo's ("p0").
  std::string cgo_name;        ///< "p0", "r".
  const Type* type = nullptr;  ///< C's.
  std::string go_type;         ///< "C.int", "*main.T"; empty where it is not known.
  std::uint64_t offset = 0;    ///< In the block that Go passes to cgo's stub.
};

/// What a Go→C crossing passes: the structure that cgo's stub takes (`_cgo_a`), in the words of
/// both sides. Types live as long as the debug information.
struct CrossingShape {
  std::vector<CrossingPart> arguments;  ///< In order.
  std::optional<CrossingPart> result;
  std::uint64_t bytes = 0;  ///< Of the block.
};

/// From debug information of the stub (types), of the C function (names) and of the Go function
/// `_Cfunc_X` (Go's types): what of it is missing is left empty. not_found where the stub has none,
/// so that nothing is known of the block. `crossing` has load addresses.
/// Source: src/cmd/cgo/out.go, writeOutputFunc.
Result<CrossingShape> shape_of_call(const ImageMap& images, const DwarfSource& dwarf,
                                    const CrossingPoint& crossing);

/// The parameters of an exported Go function as its C side has them, without offsets.
Result<std::vector<CrossingPart>> parameters_of_export(const ImageMap& images,
                                                       const DwarfSource& dwarf,
                                                       const CrossingPoint& crossing);

/// The type of what an exported Go function gives back to C, and how; nothing when it gives nothing
/// back.
struct ExportResult {
  const Type* type = nullptr;  ///< Of the first.
  std::size_t count = 0;       ///< Of the Go function; C gets a structure when there are several.
  std::uint64_t bytes = 0;     ///< Of what C gets.
};
Result<ExportResult> result_of_export(const ImageMap& images, const DwarfSource& dwarf,
                                      const CrossingPoint& crossing);

/// "C.int" for Go's "main._Ctype_int"; other names as they are.
std::string go_type_text(const Type& type);

}  // namespace cgo
