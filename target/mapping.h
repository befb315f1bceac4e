#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "target/address.h"
#include "target/interval_map.h"
#include "target/result.h"

namespace cgo {

/// One mapping of the debuggee's address space.
struct Mapping {
  AddressRange range;
  bool readable = false;
  bool writable = false;
  bool executable = false;
  std::uint64_t file_offset = 0;
  std::string path;  ///< As the kernel names it: a file, "[stack]", "[vdso]"; empty for anonymous.
  bool deleted = false;  ///< The file was removed or replaced after it was mapped.
};

/// The mappings of a debuggee, found by address. Immutable once built.
class MappingList {
 public:
  MappingList() = default;
  explicit MappingList(std::vector<Mapping> mappings);

  /// The mapping that covers `address`, or null. Lives as long as this list.
  const Mapping* find(Address address) const;
  std::span<const Mapping> all() const { return mappings_; }

 private:
  std::vector<Mapping> mappings_;
  IntervalMap<std::size_t> index_;
};

/// The mappings in the text of /proc/PID/maps; malformed_data names the first line that is none.
Result<std::vector<Mapping>> parse_proc_maps(std::string_view text);

}  // namespace cgo
