#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace cgo {

/// Long work as the user sees it: how far it is, and whether it should end. `advance` and
/// `cancelled` may be called from several threads.
class Activity {
 public:
  virtual ~Activity() = default;
  /// A new piece of work of `total` units begins; the one before has ended.
  virtual void begin(const std::string& title, std::uint64_t total) = 0;
  virtual void advance(std::uint64_t units) = 0;
  virtual void end() = 0;
  /// True once the user asked to stop (Ctrl-C); what is known so far is shown then.
  virtual bool cancelled() = 0;
};

/// A bar on stderr when that is a terminal, interrupts through SIGINT. One at a time a process.
std::unique_ptr<Activity> terminal_activity();

}  // namespace cgo
