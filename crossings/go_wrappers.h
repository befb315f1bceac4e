#pragma once

#include <string>
#include <vector>

#include "crossings/code_bytes.h"
#include "goruntime/pclntab.h"
#include "target/memory_reader.h"

namespace cgo {

/// A function that cmd/cgo wrote in Go for a C function: `_Cfunc_X` (one that gives X's errno back
/// is `_C2func_X`). Source: src/cmd/cgo/out.go, writeDefsFunc; the same shape in Go 1.19 to 1.27.
struct GoWrapper {
  GoFunction function;
  std::string c_name;          ///< "X".
  bool returns_errno = false;  ///< `_C2func_`.
  Address word;                ///< The data word with the stub's address; 0 when not found.
  bool no_callback = false;    ///< `#cgo nocallback`: it calls runtime.cgoNoCallback. Since 1.24.
  /// `#cgo noescape` beside nocallback: arguments are kept alive, not made to escape. noescape by
  /// itself leaves no trace in the program.
  bool no_escape = false;
};

/// The Go side of an exported function: `_cgoexp_HASH_X`. Source: src/cmd/cgo/out.go, writeExports.
struct GoExport {
  GoFunction function;
  std::string c_name;      ///< "X".
  std::string go_name;     ///< "main.X", "main.(*T).X"; empty when it cannot be told.
  std::string file;        ///< Of the Go function; with the line of its `func`, or, where it was
  std::uint32_t line = 0;  ///< inlined as a whole, of the first of its lines in the code.
};

/// A Go function of cmd/cgo's that calls a wrapper for its caller: C.CString and C.CBytes call C's
/// malloc. Those that do not leave Go (C.GoString) are among them. Source: src/cmd/cgo/out.go.
struct GoHelper {
  GoFunction function;
  std::string name;  ///< "CString".
};

struct GoSides {
  std::vector<GoWrapper> wrappers;
  std::vector<GoHelper> helpers;
  std::vector<GoExport> exports;
};

/// Finds both kinds by the names that cmd/cgo gives them, which a stripped program has too, and
/// reads from their code what they use. `code` is the module's.
GoSides find_go_sides(const GoModule& module, const CodeBytes& code, const MemoryReader& memory);

}  // namespace cgo
