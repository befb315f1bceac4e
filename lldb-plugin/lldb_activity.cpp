#include "lldb-plugin/lldb_activity.h"

#include <mutex>
#include <optional>

#include "lldb-plugin/newer_api.h"

namespace cgo {
namespace {

class LldbActivity final : public Activity {
 public:
  explicit LldbActivity(lldb::SBDebugger debugger)
      : debugger_(debugger), interpreter_(debugger.GetCommandInterpreter()) {}

  void begin(const std::string& title, std::uint64_t total) override {
    const std::lock_guard lock(mutex_);
    progress_.emplace(title.c_str(), total, debugger_);
  }
  void advance(std::uint64_t units) override {
    const std::lock_guard lock(mutex_);
    if (progress_) progress_->advance(units);
  }
  void end() override {
    const std::lock_guard lock(mutex_);
    progress_.reset();
  }
  bool cancelled() override {
    return debugger_.InterruptRequested() || interpreter_.WasInterrupted();
  }

 private:
  lldb::SBDebugger debugger_;
  lldb::SBCommandInterpreter interpreter_;
  std::mutex mutex_;
  std::optional<LldbProgress> progress_;
};

}  // namespace

std::unique_ptr<Activity> lldb_activity(lldb::SBDebugger debugger) {
  return std::make_unique<LldbActivity>(debugger);
}

}  // namespace cgo
