#include "lldb-plugin/command_line.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <utility>

namespace cgo {
namespace {

/// Letters to insert, remove, replace or swap to get from one word to the other.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> cost(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) cost[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) cost[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replace = cost[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, replace});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
    }
  }
  return cost[a.size()][b.size()];
}

Error bad_arguments(std::string message) {
  return Error{ErrorCode::malformed_data, std::move(message)};
}

std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates) {
  const std::string_view near = nearest(word, candidates);
  return near.empty() ? "" : "; did you mean '" + std::string(near) + "'?";
}

Error unknown_flag(const Command& command, std::string_view name, std::span<const Flag> flags) {
  std::vector<std::string_view> names;
  for (const Flag& flag : flags) names.push_back(flag.name);
  std::string message = "no flag '" + std::string(name) + "' for " + std::string(command.name);
  message += did_you_mean(name, names);
  if (nearest(name, names).empty()) {
    message += names.empty() ? "; it takes no flags" : "; it takes";
    for (std::string_view known : names) message += " " + std::string(known);
  }
  if (!name.starts_with("--") && !command.positionals.empty())
    message += "; what is no flag but begins with '-' comes after '--'";
  return bad_arguments(std::move(message));
}

std::optional<Error> check_value(std::string_view what, ValueKind kind, std::string_view value) {
  if (kind == ValueKind::number && !parse_number(value))
    return bad_arguments(std::string(what) + " takes a number, not '" + std::string(value) + "'");
  if (kind != ValueKind::none && value.empty())
    return bad_arguments(std::string(what) + " needs a value that is not empty");
  return std::nullopt;
}

/// Takes one flag and its value off `words` from `at` on; `at` is left on the last word used.
std::optional<Error> take_flag(CommandLine& line, std::span<const Flag> flags,
                               std::span<const std::string> words, std::size_t& at) {
  const std::string_view word = words[at];
  const std::string_view name = word.substr(0, word.find('='));
  const auto flag = std::find_if(flags.begin(), flags.end(),
                                 [&](const Flag& known) { return known.name == name; });
  if (flag == flags.end()) return unknown_flag(*line.command, name, flags);
  if (line.flags.contains(name)) return bad_arguments(std::string(name) + " was given twice");
  const bool joined = name.size() < word.size();
  std::string value;
  if (flag->kind == ValueKind::none) {
    if (joined) return bad_arguments(std::string(name) + " takes no value");
  } else if (joined) {
    value = word.substr(name.size() + 1);
  } else {
    if (at + 1 >= words.size())
      return bad_arguments(std::string(name) + " needs " + std::string(flag->value_name));
    value = words[++at];
  }
  if (auto wrong = check_value(name, flag->kind, value)) return wrong;
  line.flags.emplace(name, std::move(value));
  return std::nullopt;
}

bool is_flag(std::span<const Flag> flags, std::string_view word) {
  return std::any_of(flags.begin(), flags.end(), [&](const Flag& known) {
    return known.name == word.substr(0, word.find('='));
  });
}

/// Whether a script's first argument has been read: flags that are not known belong to it from
/// there on.
bool is_script(const Command& command, const CommandLine& line) {
  const auto& declared = command.positionals;
  return declared.size() > 1 && declared.back().repeats &&
         line.positionals.size() >= declared.size();
}

std::optional<Error> check_positionals(const CommandLine& line) {
  const auto& declared = line.command->positionals;
  const bool repeats = !declared.empty() && declared.back().repeats;
  if (line.positionals.size() > declared.size() && !repeats) {
    std::string message = "'" + line.positionals[declared.size()] +
                          "' is one argument too many for " + std::string(line.command->name);
    if (line.flags.contains("--core") && !line.flags.contains("--exe"))
      message += "; the program of a core is given with --exe";
    return bad_arguments(std::move(message));
  }
  for (std::size_t i = 0; i < declared.size(); ++i) {
    if (i < line.positionals.size()) {
      if (auto wrong = check_value(declared[i].name, declared[i].kind, line.positionals[i]))
        return wrong;
    } else if (declared[i].required) {
      return bad_arguments(std::string(line.command->name) + " needs " +
                           std::string(declared[i].name));
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> CommandLine::text(std::string_view flag) const {
  const auto found = flags.find(flag);
  if (found == flags.end()) return std::nullopt;
  return found->second;
}

std::optional<std::uint64_t> CommandLine::number(std::string_view flag) const {
  const auto found = flags.find(flag);
  return found == flags.end() ? std::nullopt : parse_number(found->second);
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    text.remove_prefix(2);
    base = 16;
  }
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || text.empty() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::int64_t> parse_duration_ns(const std::string& text) {
  constexpr double kMost = 1e18;
  constexpr std::pair<std::string_view, double> kUnits[] = {{"ns", 1},  {"us", 1e3}, {"ms", 1e6},
                                                            {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}};
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  const auto unit = std::ranges::find(kUnits, std::string_view(end),
                                      [](const auto& known) { return known.first; });
  if (end == text.c_str() || unit == std::end(kUnits) || !(number >= 0) ||
      number * unit->second > kMost)
    return std::nullopt;
  return static_cast<std::int64_t>(std::llround(number * unit->second));
}

std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates) {
  std::string_view best;
  std::size_t best_distance = word.size() / 3 + 2;  // A candidate has to be nearer than this.
  for (std::string_view candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance >= best_distance || distance >= candidate.size()) continue;
    best = candidate;
    best_distance = distance;
  }
  return best;
}

Error unknown_command(std::string_view name, Host host) {
  std::vector<std::string_view> names;
  for (const Command& command : command_table())
    if (exists_in(command.host, host)) names.push_back(command.name);
  std::string message = "no command '" + std::string(name) + "'" + did_you_mean(name, names);
  if (nearest(name, names).empty()) {
    message += "; there are";
    for (std::string_view known : names) message += " " + std::string(known);
  }
  return bad_arguments(std::move(message));
}

std::vector<Flag> flags_of(const Command& command, Host host) {
  std::vector<Flag> flags;
  for (const Flag& flag : command.flags)
    if (exists_in(flag.host, host)) flags.push_back(flag);
  if (host == Host::lldb || command.needs == Needs::nothing) return flags;
  for (const Flag& flag : target_flags())
    if (command.needs != Needs::running || flag.name == "--pid") flags.push_back(flag);
  return flags;
}

Result<CommandLine> parse_command_line(const Command& command, std::span<const std::string> words,
                                       Host host) {
  CommandLine line{.command = &command};
  const std::vector<Flag> flags = flags_of(command, host);
  bool flags_ended = false;
  for (std::size_t at = 0; at < words.size(); ++at) {
    const std::string& word = words[at];
    if (flags_ended && command.needs == Needs::running) {
      line.program.push_back(word);
    } else if (!flags_ended && word == "--") {
      flags_ended = true;
    } else if (!flags_ended && (word == "--help" || word == "-h")) {
      line.help = true;
      return line;
    } else if (!flags_ended && word.size() > 1 && word.starts_with('-') &&
               !(is_script(command, line) && !is_flag(flags, word))) {
      if (auto wrong = take_flag(line, flags, words, at)) return *std::move(wrong);
    } else {
      line.positionals.push_back(word);
    }
  }
  if (auto wrong = check_positionals(line)) return *std::move(wrong);
  return line;
}

}  // namespace cgo
