#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "owners/allocation_records.h"
#include "target/address.h"

namespace cgo {

enum class FindingLevel : std::uint8_t { note, warning, error };
/// "1 block", "2 blocks".
std::string counted(std::uint64_t number, std::string_view what);

/// "note", "warning", "error".
std::string_view name_of(FindingLevel level);

/// Something that is wrong with the memory of both sides, as in lldb-cgo/findings/1.
struct Finding {
  /// A stack that the agent recorded, and what it is of: "allocated by goroutine 7".
  struct StackOf {
    std::string what;
    std::uint32_t stack = 0;
  };
  /// One that is found again at a later stop is the same when its subject is.
  struct Subject {
    Address address;
    std::uint64_t detail = 0;
    friend auto operator<=>(const Subject&, const Subject&) = default;
  };

  std::string_view id;  ///< Documented in docs/findings.md.
  FindingLevel level = FindingLevel::warning;
  std::string title, explanation;
  std::vector<std::string> evidence;  ///< A sentence each.
  std::vector<StackOf> stacks;
  std::optional<Address> address;
  std::string hint;
  std::string go_type;  ///< Of the Go object it is about; empty when not known.
  std::uint64_t bytes = 0;
  std::vector<Subject> subjects;
};

/// For people, without a stack's frames where `stacks` is false. `records` may be null.
std::string format_finding(const Finding& finding, const AllocationRecords* records, bool stacks);
/// One object of "findings". `records` may be null.
std::string finding_json(const Finding& finding, const AllocationRecords* records);

}  // namespace cgo
