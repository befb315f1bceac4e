#pragma once

#include <lldb/API/LLDB.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "target/byte_view.h"

namespace cgo {

/// Where a thread comes by once for each call of a function, as addresses of its file.
struct ArrivalSite {
  std::uint64_t arrival = 0;
  /// Further on in straight code; 0 where there is no such place. An arrival that is not followed
  /// by this one is the same again: a signal came between.
  std::uint64_t passed = 0;
};

/// The site of the code that begins at `entry`. The second place is not the next instruction: LLDB
/// forgets an arrival right behind another breakpoint.
ArrivalSite arrival_site(ByteView code, std::uint64_t entry);
/// Of a function that a module has.
ArrivalSite arrival_site(lldb::SBAddress entry);

/// Sites of one process's modules, and which threads have arrived and not passed.
class ArrivalSites {
 public:
  /// Replaces what was known of the module; returns all addresses to stop at.
  std::vector<std::uint64_t> set(lldb::SBModule module, std::vector<ArrivalSite> sites);

  /// Whether a thread at one of the addresses comes there for a new call. `who`: the thread, or the
  /// goroutine where that is the same one after a signal.
  bool is_new(lldb::SBFrame frame, std::uint64_t who);
  /// Another process begins.
  void forget_arrivals() { begun_.clear(); }

 private:
  struct Begun {
    std::uint64_t pc = 0, sp = 0;
    friend bool operator==(const Begun&, const Begun&) = default;
  };
  std::map<std::string, std::vector<ArrivalSite>> sites_;  // By path of the module.
  std::map<std::uint64_t, Begun> begun_;
};

}  // namespace cgo
