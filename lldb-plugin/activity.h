#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "lldb-plugin/interrupts.h"

namespace cgo {

/// Long work as the user sees it: how far it is, and whether it should end. `advance`, `cancelled`
/// and `lost` may be called from several threads.
class Activity {
 public:
  virtual ~Activity() = default;
  /// A new piece of work of `total` units begins; the one before has ended.
  virtual void begin(const std::string& title, std::uint64_t total) = 0;
  virtual void advance(std::uint64_t units) = 0;
  virtual void end() = 0;
  /// True once the user asked to stop (Ctrl-C); what is known so far is shown then.
  virtual bool cancelled() = 0;
  /// True once the process that is read has ended: the rest cannot be read any more.
  virtual bool lost() { return false; }
};

/// A bar on stderr when that is a terminal. `lost` may be empty.
std::unique_ptr<Activity> terminal_activity(Interrupts& interrupts,
                                            std::function<bool()> lost = {});

}  // namespace cgo
