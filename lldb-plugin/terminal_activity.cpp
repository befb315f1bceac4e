#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <mutex>
#include <utility>

#include "lldb-plugin/activity.h"

namespace cgo {
namespace {

class TerminalActivity final : public Activity {
 public:
  TerminalActivity(Interrupts& interrupts, std::function<bool()> lost)
      : interrupts_(interrupts), lost_(std::move(lost)), bar_(isatty(STDERR_FILENO) == 1) {}
  ~TerminalActivity() override { end(); }

  void begin(const std::string& title, std::uint64_t total) override {
    const std::lock_guard lock(mutex_);
    title_ = title;
    total_ = total;
    done_ = 0;
    started_ = std::chrono::steady_clock::now();
  }
  void advance(std::uint64_t units) override {
    const std::lock_guard lock(mutex_);
    done_ += units;
    if (bar_) draw();
  }
  void end() override {
    const std::lock_guard lock(mutex_);
    if (drawn_) std::fputs("\r\033[K", stderr);
    drawn_ = false;
  }
  bool cancelled() override { return interrupts_ > 0; }
  bool lost() override { return lost_ && lost_(); }

 private:
  void draw() {
    const auto now = std::chrono::steady_clock::now();
    if (total_ == 0 || now - started_ < std::chrono::milliseconds(300)) return;
    if (drawn_ && now - last_drawn_ < std::chrono::milliseconds(100)) return;
    constexpr unsigned kWidth = 30;
    const auto filled = static_cast<unsigned>(kWidth * done_ / total_);
    std::fprintf(stderr, "\r%s [", title_.c_str());
    for (unsigned i = 0; i < kWidth; ++i) std::fputc(i < filled ? '#' : ' ', stderr);
    std::fprintf(stderr, "] %3u%%", static_cast<unsigned>(100 * done_ / total_));
    drawn_ = true;
    last_drawn_ = now;
  }

  Interrupts& interrupts_;
  const std::function<bool()> lost_;
  const bool bar_;
  std::mutex mutex_;
  std::string title_;
  std::uint64_t total_ = 0, done_ = 0;
  std::chrono::steady_clock::time_point started_, last_drawn_;
  bool drawn_ = false;
};

}  // namespace

std::unique_ptr<Activity> terminal_activity(Interrupts& interrupts, std::function<bool()> lost) {
  return std::make_unique<TerminalActivity>(interrupts, std::move(lost));
}

}  // namespace cgo
