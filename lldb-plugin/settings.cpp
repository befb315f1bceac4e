#include "lldb-plugin/settings.h"

#include "lldb-plugin/command_line.h"

namespace cgo {
namespace {

constexpr Settings::Entry kEntries[] = {
    {"native-bt", "on|off", "Show the whole stack in LLDB's own bt, up and in editors (LLDB 22)."},
    {"goroutine-threads", "N",
     "Show up to N goroutines as threads of LLDB; 0 for none. LLDB slows down with many."},
    {"depth", "N", "Open at most N levels of a value, where --depth does not say."},
    {"elements", "N", "Show at most N elements, where --elements does not say."},
    {"string", "N", "Show at most N bytes of a string, where --string does not say."},
};

std::optional<bool> parse_switch(std::string_view text) {
  if (text == "on" || text == "true" || text == "1" || text == "yes") return true;
  if (text == "off" || text == "false" || text == "0" || text == "no") return false;
  return std::nullopt;
}

Error unknown_setting(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Settings::Entry& entry : kEntries) names.push_back(entry.name);
  std::string message = "no setting '" + std::string(name) + "'";
  const std::string_view near = nearest(name, names);
  if (!near.empty()) message += "; did you mean '" + std::string(near) + "'?";
  return {ErrorCode::malformed_data, std::move(message)};
}

}  // namespace

std::span<const Settings::Entry> Settings::entries() { return kEntries; }

bool Settings::native_bt() const {
  const std::lock_guard lock(mutex_);
  return native_bt_;
}

std::uint64_t Settings::goroutine_threads() const {
  const std::lock_guard lock(mutex_);
  return goroutine_threads_;
}

ReadLimits Settings::limits() const {
  const std::lock_guard lock(mutex_);
  return limits_;
}

std::optional<std::string> Settings::get(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  if (name == "native-bt") return native_bt_ ? "on" : "off";
  if (name == "goroutine-threads") return std::to_string(goroutine_threads_);
  if (name == "depth") return std::to_string(limits_.depth);
  if (name == "elements") return std::to_string(limits_.elements);
  if (name == "string") return std::to_string(limits_.text_bytes);
  return std::nullopt;
}

Result<void> Settings::set(std::string_view name, std::string_view value) {
  std::vector<std::function<void(std::string_view)>> observers;
  {
    const std::lock_guard lock(mutex_);
    if (name == "native-bt") {
      const auto on = parse_switch(value);
      if (!on) return Error{ErrorCode::malformed_data, "native-bt takes on or off"};
      native_bt_ = *on;
    } else if (name == "goroutine-threads") {
      const auto most = value == "off" ? std::optional<std::uint64_t>(0) : parse_number(value);
      if (!most) return Error{ErrorCode::malformed_data, "goroutine-threads takes a number"};
      goroutine_threads_ = *most;
    } else if (name == "depth" || name == "elements" || name == "string") {
      const auto most = parse_number(value);
      if (!most) return Error{ErrorCode::malformed_data, std::string(name) + " takes a number"};
      if (name == "depth") limits_.set_depth(*most);
      if (name == "elements") limits_.set_elements(*most);
      if (name == "string") limits_.set_text_bytes(*most);
    } else {
      return unknown_setting(name);
    }
    observers = observers_;  // A debugger made meanwhile adds its own.
  }
  for (const auto& changed : observers) changed(name);
  return {};
}

void Settings::on_change(std::function<void(std::string_view)> changed) {
  const std::lock_guard lock(mutex_);
  observers_.push_back(std::move(changed));
}

}  // namespace cgo
