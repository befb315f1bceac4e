#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "target/result.h"
#include "values/value.h"

namespace cgo {

/// What `cgo set` shows and changes. Kept here because a plugin cannot add entries to LLDB's own
/// settings. Thread-safe.
class Settings {
 public:
  struct Entry {
    std::string_view name;
    std::string_view values;  ///< "on|off", "N".
    std::string_view help;
  };
  static std::span<const Entry> entries();

  bool native_bt() const;
  /// Most goroutines shown as threads of LLDB; 0 means none.
  std::uint64_t goroutine_threads() const;
  /// How much of a value is shown where a command is not told.
  ReadLimits limits() const;

  /// The value as text; nothing for a name there is not.
  std::optional<std::string> get(std::string_view name) const;
  /// Fails with what the setting takes; nothing has changed then.
  Result<void> set(std::string_view name, std::string_view value);

  /// `changed` is called with the name after each change, without a lock held.
  void on_change(std::function<void(std::string_view)> changed);

 private:
  mutable std::mutex mutex_;
  bool native_bt_ = true;
  std::uint64_t goroutine_threads_ = 0;
  ReadLimits limits_;
  std::vector<std::function<void(std::string_view)>> observers_;
};

}  // namespace cgo
