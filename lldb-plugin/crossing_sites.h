#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "crossings/catalogue.h"
#include "lldb-plugin/name_pattern.h"

namespace cgo {

/// Which crossings a breakpoint is about, and when.
struct CrossingQuery {
  enum class When : std::uint8_t {
    enter,    ///< Go calls C: at the first instruction of cgo's stub.
    returns,  ///< C returns to Go, or an exported Go function to C: at the stub's last instruction.
    callback,  ///< C calls Go: at the first instruction of the exported function's C side.
  };
  /// A place in Go that calls: "main.go", or more of its path, and a line.
  struct CallSite {
    std::string file;
    std::uint32_t line = 0;
  };
  When when = When::enter;
  std::optional<NamePattern> name;  ///< Searched for in C's and in Go's name; nothing: any.
  std::optional<CallSite> at;
};

/// Whether `path` ends with the words of `file`: "main.go" is the end of "/src/main.go".
bool names_file(const std::string& path, const std::string& file);

/// An instruction that a breakpoint of crossings has to be at.
struct CrossingSite {
  enum class Role : std::uint8_t {
    entry,
    exit,
    back_in_go,  ///< In asmcgocall, where the C side has been left: all crossings come by here.
  };
  Role role = Role::entry;
  Address at;                ///< A file address.
  std::size_t crossing = 0;  ///< In FileCrossings; meaningless for `back_in_go`.
  bool leaves_too = false;   ///< An entry that is the last instruction as well.
};

/// The crossings of one file, with file addresses, and where a query's breakpoints go. Immutable.
class FileCrossings {
 public:
  /// not_found where the file has no Go code.
  static Result<std::shared_ptr<const FileCrossings>> read(const std::string& path);

  const std::vector<CrossingPoint>& crossings() const { return crossings_; }
  /// `problems` gets a sentence for each crossing that fits and cannot be watched.
  std::vector<CrossingSite> sites(const CrossingQuery& query,
                                  std::vector<std::string>& problems) const;

 private:
  void add_exits(const CrossingPoint& crossing, std::size_t number,
                 std::vector<CrossingSite>& sites, bool& back_in_go,
                 std::vector<std::string>& problems) const;

  std::shared_ptr<const void> program_;  // Keeps what the readers below use.
  const MemoryReader* memory_ = nullptr;
  const ImageMap* images_ = nullptr;
  std::vector<CrossingPoint> crossings_;
  std::vector<Address> returns_from_c_;
};

/// Reads each file once. Thread-safe.
class CrossingFiles {
 public:
  /// `build_id` tells versions of a file apart.
  Result<std::shared_ptr<const FileCrossings>> of(const std::string& path,
                                                  const std::string& build_id);

 private:
  std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, Result<std::shared_ptr<const FileCrossings>>>
      known_;
};

}  // namespace cgo
