#include "lldb-plugin/preload_words.h"

#include <algorithm>
#include <cctype>
#include <vector>

namespace cgo {
namespace {

constexpr std::string_view kAgentFile = "/liblldb-cgo-agent.so";
constexpr std::string_view kOurs = "lldb";

/// Source: ld.so(8), LD_PRELOAD: separated by spaces or colons.
constexpr std::string_view kSeparators = ": ";

bool is_agent(std::string_view word) {
  return word.ends_with(kAgentFile) || word == kAgentFile.substr(1);
}

std::vector<std::string_view> words_of(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(separators), text.size());
    if (end > 0) out.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

}  // namespace

std::string with_agent(std::string_view preload, std::string_view agent) {
  const std::string rest = without_agent(preload);
  return std::string(agent) + (rest.empty() ? "" : ":" + rest);
}

std::string without_agent(std::string_view preload) {
  std::string out(preload);
  for (std::string agent = agent_in(out); !agent.empty(); agent = agent_in(out)) {
    std::size_t at = 0;
    for (const std::string_view word : words_of(out, kSeparators))
      if (word == agent) at = static_cast<std::size_t>(word.data() - out.data());
    // With the separator behind it, or, of the last one, that in front of it.
    const bool last = at + agent.size() == out.size();
    out.erase(last && at > 0 ? at - 1 : at, agent.size() + 1);
  }
  return out;
}

std::string agent_in(std::string_view preload) {
  for (const std::string_view word : words_of(preload, kSeparators))
    if (is_agent(word)) return std::string(word);
  return "";
}

std::string with_options(std::string_view value, std::string_view options) {
  std::string out = without_options(value);
  if (options.empty()) return out;
  return out + (out.empty() ? "" : ",") + std::string(kOurs) + "," + std::string(options);
}

std::string without_options(std::string_view value) {
  std::size_t at = 0;
  for (const std::string_view word : words_of(value, ",")) {
    at = static_cast<std::size_t>(word.data() - value.data());
    if (word == kOurs) return std::string(value.substr(0, at == 0 ? 0 : at - 1));
  }
  return std::string(value);
}

bool is_byte_count(std::string_view text) {
  if (text.ends_with('k') || text.ends_with('m') || text.ends_with('g')) text.remove_suffix(1);
  return !text.empty() && text.size() <= 12 &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace cgo
