#include "profiles/profile.h"

#include <numeric>

#include "unwind/format.h"

namespace cgo {

std::uint64_t Profile::blocks() const {
  return std::accumulate(samples.begin(), samples.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const Sample& one) { return sum + one.blocks; });
}

std::uint64_t Profile::bytes() const {
  return std::accumulate(samples.begin(), samples.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const Sample& one) { return sum + one.bytes; });
}

std::uint32_t ProfileBuilder::function(std::string_view name, std::string_view file,
                                       StepKind kind) {
  std::string safe = name.empty() ? "?" : escaped(name);
  std::string safe_file = escaped(file);
  const auto [found, fresh] =
      functions_.try_emplace({safe, safe_file, kind}, profile_.functions.size());
  if (fresh) profile_.functions.push_back({std::move(safe), std::move(safe_file), kind});
  return found->second;
}

std::uint32_t ProfileBuilder::place(Profile::Place place) {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> lines;
  for (const Profile::Line& line : place.lines) lines.emplace_back(line.function, line.line);
  const auto [found, fresh] =
      places_.try_emplace({place.pc, place.mapping, std::move(lines)}, profile_.places.size());
  if (fresh) profile_.places.push_back(std::move(place));
  return found->second;
}

std::uint32_t ProfileBuilder::mapping(Profile::Mapping mapping) {
  for (std::size_t i = 0; i < profile_.mappings.size(); ++i)
    if (profile_.mappings[i].range.begin == mapping.range.begin)
      return static_cast<std::uint32_t>(i + 1);
  mapping.file = escaped(mapping.file);
  profile_.mappings.push_back(std::move(mapping));
  return static_cast<std::uint32_t>(profile_.mappings.size());
}

std::uint32_t ProfileBuilder::stack(std::vector<std::uint32_t> places) {
  const auto [found, fresh] = stacks_.try_emplace(places, profile_.stacks.size());
  if (fresh) profile_.stacks.push_back(std::move(places));
  return found->second;
}

std::uint32_t ProfileBuilder::labels(const Profile::Labels& labels) {
  Profile::Labels safe;
  for (const auto& [name, value] : labels)
    if (!value.empty()) safe.emplace_back(name, escaped(value));
  const auto [found, fresh] = labels_.try_emplace(safe, profile_.labels.size());
  if (fresh) profile_.labels.push_back(std::move(safe));
  return found->second;
}

void ProfileBuilder::add(const Profile::Sample& sample) {
  const auto [found, fresh] =
      samples_.try_emplace({sample.stack, sample.labels}, profile_.samples.size());
  if (fresh) {
    profile_.samples.push_back(sample);
    return;
  }
  Profile::Sample& sum = profile_.samples[found->second];
  sum.blocks += sample.blocks;
  sum.bytes += sample.bytes;
  sum.retained_bytes += sample.retained_bytes;
}

void ProfileBuilder::note(std::string_view sentence) {
  profile_.notes.push_back(escaped(sentence));
}

Profile ProfileBuilder::finish(std::string_view title,
                               std::vector<std::pair<StepKind, std::string>> legend) {
  profile_.title = escaped(title);
  profile_.legend = std::move(legend);
  return std::move(profile_);
}

}  // namespace cgo
