#pragma once

#include <optional>
#include <string>
#include <vector>

#include "goruntime/go_runtime.h"
#include "target/image.h"
#include "target/memory_reader.h"

namespace cgo {

/// A line of Go that crosses.
struct CrossingCallSite {
  Address call;          ///< Of the call instruction.
  std::string function;  ///< The Go function the line is in, before inlining.
  std::string file;
  std::uint32_t line = 0;
  std::string via;  ///< "CString": crosses through this helper of cgo's; empty for a plain call.
};

/// Where a C function is.
struct CFunction {
  enum class Place : std::uint8_t {
    found,    ///< `entry` is where the stub goes.
    by_name,  ///< The stub goes through a table whose entry tells no name: the first image that has
              ///< it.
    library,  ///< The same, and no image has it: in a library that is not loaded (yet).
    inlined,  ///< A macro, or inlined into the stub: there is no function to call.
    unknown,  ///< The stub could not be read, or nothing names what it calls.
  };
  Place place = Place::unknown;
  Address entry;      ///< Of the C function; 0 where it is not known.
  std::string image;  ///< Name of its module.
  std::string file;   ///< Source file; empty where there is no debug information.
  std::uint32_t line = 0;
};

/// One way between Go and C in the program.
struct CrossingPoint {
  enum class Direction : std::uint8_t { go_to_c, c_to_go };
  enum class Form : std::uint8_t {
    cfunc,     ///< `_Cfunc_X`: what C left in errno is dropped.
    c2func,    ///< `_C2func_X`: errno is returned to Go.
    exported,  ///< `//export X`.
    cgocall,   ///< Calls runtime.cgocall itself; no C name is known.
  };
  /// What gave the crossing its data word's name: a symbol, debug information, or only the code of
  /// the Go function, which stripped programs have too.
  enum class KnownBy : std::uint8_t { symbols, dwarf, code };

  Direction direction = Direction::go_to_c;
  Form form = Form::cfunc;
  KnownBy known_by = KnownBy::code;
  std::string function;  ///< C's name of it.
  std::string go_name;   ///< "main._Cfunc_X"; of an export the Go function, "main.X".
  std::string package;   ///< Import path of the package whose build made the crossing.
  std::string build_id;  ///< cgo's hash of that build; empty without symbols of its stubs.
  std::string image;     ///< Name of the module it is in.
  Address entry;         ///< Of `_Cfunc_X`, or of `_cgoexp_HASH_X`.
  Address word;          ///< The data word that Go calls through; 0 when not found.
  Address stub;          ///< What the word holds: cgo's C stub. Of an export: X for C callers.
  CFunction c;           ///< The C function itself; of an export the stub for C callers.
  bool no_callback = false, no_escape = false;
  std::vector<CrossingCallSite> call_sites;  ///< By file and line; of an export its Go function.
};

/// All crossings of a process.
struct Catalogue {
  std::vector<CrossingPoint> crossings;  ///< Go to C first; by package and name.
  std::vector<std::string> looked_in;    ///< Names of the images with Go code.
  std::vector<std::string> problems;     ///< What could not be read, a sentence each.
};

/// Reads the catalogue from the code of every Go module; costs a pass over that code, none over
/// debug information. `memory` must give relocated data.
Catalogue read_catalogue(const MemoryReader& memory, const ImageMap& images,
                         const GoRuntimes& runtimes, const DwarfSource& dwarf);

/// Fills in source file and line of the C function, from debug information of its unit alone.
void locate_c_function(const ImageMap& images, const DwarfSource& dwarf, CrossingPoint& crossing);

}  // namespace cgo
