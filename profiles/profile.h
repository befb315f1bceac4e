#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "target/address.h"

namespace cgo {

/// What a step of a stack is; pictures give each a colour.
enum class StepKind : std::uint8_t {
  go,
  c,
  crossing,  ///< A function that cgo made for a call from Go to C or back.
  lost,
  unclear,
  note,  ///< No function: it says what is missing.
};

/// Blocks of memory counted by stacks and labels: what every export is written from. Texts are safe
/// to show: control characters and what is not UTF-8 stand there as \xNN.
struct Profile {
  struct Function {
    std::string name;
    std::string file;  ///< May be empty.
    StepKind kind = StepKind::note;
  };
  struct Line {
    std::uint32_t function = 0;
    std::uint32_t line = 0;  ///< 0: not known.
  };
  /// One step of a stack. Where functions are inlined in each other it has several lines, the
  /// innermost first.
  struct Place {
    Address pc;                 ///< Within the call; 0 where the step is no code.
    std::uint32_t mapping = 0;  ///< Index into `mappings`, plus 1; 0: none.
    std::vector<Line> lines;    ///< At least one.
  };
  /// A file's code in memory.
  struct Mapping {
    AddressRange range;
    std::uint64_t file_offset = 0;
    std::string file;
    std::string build_id;  ///< Hex; empty where it has none.
  };
  using Labels = std::vector<std::pair<std::string, std::string>>;
  struct Sample {
    std::uint32_t stack = 0, labels = 0;
    std::uint64_t blocks = 0, bytes = 0;
    std::uint64_t retained_bytes = 0;
  };

  std::string title;
  std::vector<std::string> notes;  ///< What the numbers mean, and what is missing; a sentence each.
  /// The first one is the main program's, if there are any.
  std::vector<Mapping> mappings;
  std::vector<Function> functions;
  std::vector<Place> places;
  std::vector<std::vector<std::uint32_t>> stacks;  ///< Places, the innermost first.
  std::vector<Labels> labels;
  std::vector<Sample> samples;
  /// What the colours of steps mean, where the picture says it.
  std::vector<std::pair<StepKind, std::string>> legend;

  std::uint64_t blocks() const;
  std::uint64_t bytes() const;
};

/// Puts a profile together; equal parts become one.
class ProfileBuilder {
 public:
  /// The names may be anything.
  std::uint32_t function(std::string_view name, std::string_view file, StepKind kind);
  std::uint32_t place(Profile::Place place);
  /// A step that is no code.
  std::uint32_t step(std::string_view name, StepKind kind) {
    return place({.lines = {{function(name, {}, kind), 0}}});
  }
  /// The index that Place::mapping wants.
  std::uint32_t mapping(Profile::Mapping mapping);
  std::uint32_t stack(std::vector<std::uint32_t> places);
  /// Labels with empty values are left out.
  std::uint32_t labels(const Profile::Labels& labels);
  void add(const Profile::Sample& sample);
  void note(std::string_view sentence);
  Profile finish(std::string_view title, std::vector<std::pair<StepKind, std::string>> legend);

 private:
  using PlaceKey =
      std::tuple<Address, std::uint32_t, std::vector<std::pair<std::uint32_t, std::uint32_t>>>;

  Profile profile_;
  std::map<std::tuple<std::string, std::string, StepKind>, std::uint32_t> functions_;
  std::map<PlaceKey, std::uint32_t> places_;
  std::map<std::vector<std::uint32_t>, std::uint32_t> stacks_;
  std::map<Profile::Labels, std::uint32_t> labels_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::size_t> samples_;
};

/// What a picture's size goes by.
enum class Weight : std::uint8_t { bytes, blocks };

}  // namespace cgo
