#pragma once

#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "target/dwarf_code.h"
#include "target/dwarf_scan.h"
#include "target/variables.h"

namespace cgo {

/// All entry points of functions with a name, for calls that leave their unit.
using DwarfFunctionsNamed =
    std::function<Result<std::vector<Address>>(std::string_view linkage_or_name)>;

/// A call that a function makes, as DWARF tells of it.
struct CallEntry {
  Address return_pc;  ///< Behind the call instruction; 0 when only `pc` is known.
  Address pc;         ///< The call instruction; 0 when only `return_pc` is known.
  bool tail = false;
  std::optional<DwarfPlace> callee;  ///< Nothing for a call through a pointer.
  DwarfExpression target;            ///< Computes the pointer of such a call; may be empty.

  /// An address inside of the call instruction.
  Address inside() const { return pc ? pc : Address{return_pc.value - 1}; }
};

/// Whether an entry is a call site, DWARF 5's or GNU's.
bool is_call_entry(const DwarfDie& die);

/// Reads a call site's attributes; the scan is at its entry.
Result<CallEntry> read_call_entry(DwarfScan& scan, const DwarfDie& die);

/// The entry points that the function at `callee`, as a caller in `unit` sees it, may have.
Result<std::vector<Address>> call_targets(const DwarfCode& code,
                                          const DwarfFunctionsNamed& functions_named,
                                          const DwarfUnit& unit, DwarfPlace callee);

/// DwarfInfo::call_site.
Result<CallSite> find_call_site(const DwarfCode& code, const DwarfFunctionsNamed& functions_named,
                                Address return_pc);

}  // namespace cgo
