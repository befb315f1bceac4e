#include "target/mapping.h"

#include <algorithm>
#include <charconv>

namespace cgo {
namespace {

/// Takes fields off the front of a line.
class Line {
 public:
  explicit Line(std::string_view text) : rest_(text) {}

  bool hex(std::uint64_t& value, char terminator) {
    const char* const begin = rest_.data();
    const char* const end = begin + rest_.size();
    const auto [stop, failed] = std::from_chars(begin, end, value, 16);
    if (failed != std::errc{} || stop == end || *stop != terminator) return false;
    rest_.remove_prefix(static_cast<std::size_t>(stop - begin) + 1);
    return true;
  }

  std::string_view word() {
    const std::string_view taken = rest_.substr(0, rest_.find(' '));
    rest_.remove_prefix(std::min(rest_.size(), taken.size() + 1));
    return taken;
  }

  std::string_view rest_without_padding() const {
    const std::size_t begin = rest_.find_first_not_of(' ');
    return begin == std::string_view::npos ? std::string_view{} : rest_.substr(begin);
  }

 private:
  std::string_view rest_;
};

/// Undoes the one escape of /proc/PID/maps: a newline is written as \012.
/// Source: Linux fs/proc/task_mmu.c, show_map_vma (seq_file_path with "\n").
std::string unescaped(std::string_view text) {
  constexpr std::string_view kNewline = "\\012";
  std::string out;
  while (!text.empty()) {
    const std::size_t at = text.find(kNewline);
    out += text.substr(0, at);
    if (at == std::string_view::npos) break;
    out += '\n';
    text.remove_prefix(at + kNewline.size());
  }
  return out;
}

bool parse_line(std::string_view text, Mapping& mapping) {
  Line line(text);
  if (!line.hex(mapping.range.begin.value, '-') || !line.hex(mapping.range.end.value, ' '))
    return false;
  const std::string_view access = line.word();
  if (access.size() != 4 || mapping.range.empty()) return false;
  mapping.readable = access[0] == 'r';
  mapping.writable = access[1] == 'w';
  mapping.executable = access[2] == 'x';
  if (!line.hex(mapping.file_offset, ' ')) return false;
  line.word();  // Device.
  line.word();  // Inode.
  std::string_view path = line.rest_without_padding();
  constexpr std::string_view kDeleted = " (deleted)";
  mapping.deleted = path.ends_with(kDeleted);
  if (mapping.deleted) path.remove_suffix(kDeleted.size());
  mapping.path = unescaped(path);
  return true;
}

}  // namespace

Result<std::vector<Mapping>> parse_proc_maps(std::string_view text) {
  std::vector<Mapping> mappings;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    Mapping mapping;
    if (!parse_line(line, mapping))
      return Error{ErrorCode::malformed_data,
                   "not a line of /proc/PID/maps: " + std::string(line.substr(0, 200))};
    mappings.push_back(std::move(mapping));
  }
  return mappings;
}

MappingList::MappingList(std::vector<Mapping> mappings) : mappings_(std::move(mappings)) {
  std::vector<IntervalMap<std::size_t>::Entry> entries;
  entries.reserve(mappings_.size());
  for (std::size_t i = 0; i < mappings_.size(); ++i) entries.push_back({mappings_[i].range, i});
  index_ = IntervalMap<std::size_t>(std::move(entries));
}

const Mapping* MappingList::find(Address address) const {
  const auto* piece = index_.find(address);
  return piece ? &mappings_[piece->value] : nullptr;
}

}  // namespace cgo
