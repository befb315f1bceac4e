#include "lldb-plugin/crossing_sites.h"

#include <fmt/format.h>

#include <algorithm>

#include "crossings/function_exits.h"
#include "lldb-plugin/program_subject.h"

namespace cgo {
namespace {

using Role = CrossingSite::Role;
using When = CrossingQuery::When;

bool called_at(const CrossingPoint& crossing, const CrossingQuery::CallSite& at) {
  return std::ranges::any_of(crossing.call_sites, [&](const CrossingCallSite& site) {
    return site.line == at.line && names_file(site.file, at.file);
  });
}

bool fits(const CrossingPoint& crossing, const CrossingQuery& query) {
  const bool to_c = crossing.direction == CrossingPoint::Direction::go_to_c;
  if (to_c ? query.when == When::callback : query.when == When::enter) return false;
  if (query.at && !(to_c && called_at(crossing, *query.at))) return false;
  return !query.name || query.name->found_in(crossing.function) ||
         query.name->found_in(crossing.go_name);
}

}  // namespace

bool names_file(const std::string& path, const std::string& file) {
  if (!path.ends_with(file)) return false;
  return path.size() == file.size() || file.starts_with('/') ||
         path[path.size() - file.size() - 1] == '/';
}

Result<std::shared_ptr<const FileCrossings>> FileCrossings::read(const std::string& path) {
  auto subject = open_program_subject(path);
  if (!subject) return std::move(subject).error();
  const auto stop = (*subject)->stop();
  if (!stop) return stop.error();
  const Program& program = *(*stop)->program;
  if (program.runtimes.all.empty())
    return Error{ErrorCode::not_found, path + ": no Go code in this file"};
  auto out = std::make_shared<FileCrossings>();
  out->memory_ = &(*stop)->debuggee->memory();
  out->images_ = program.images.get();
  out->crossings_ =
      read_catalogue(*out->memory_, *program.images, program.runtimes, program.dwarf).crossings;
  for (const auto& runtime : program.runtimes.all)
    for (const Address at : returns_from_c(*out->memory_, *runtime))
      out->returns_from_c_.push_back(at);
  out->program_ = *stop;
  return std::shared_ptr<const FileCrossings>(std::move(out));
}

void FileCrossings::add_exits(const CrossingPoint& crossing, std::size_t number,
                              std::vector<CrossingSite>& sites, bool& back_in_go,
                              std::vector<std::string>& problems) const {
  const bool to_c = crossing.direction == CrossingPoint::Direction::go_to_c;
  const auto exits = exits_of(*memory_, *images_, crossing.stub);
  if (exits && std::ranges::find(exits->returns, crossing.stub) != exits->returns.end())
    sites.back().leaves_too = true;  // Of the entry, which was added right before.
  if (exits)
    for (const Address at : exits->returns) sites.push_back({Role::exit, at, number});
  // A jump to another function is where an exported function ends (what it goes to only tidies up),
  // but where the C function behind a stub begins.
  if (exits && !to_c)
    for (const Address at : exits->tail_jumps) sites.push_back({Role::exit, at, number});
  if (exits && (!to_c || exits->tail_jumps.empty())) return;
  if (to_c && !returns_from_c_.empty()) {
    back_in_go = true;
  } else {
    problems.push_back(
        fmt::format("the returns of {} cannot be watched: {}", crossing.function,
                    exits ? "runtime.asmcgocall is not there" : exits.error().message));
  }
}

std::vector<CrossingSite> FileCrossings::sites(const CrossingQuery& query,
                                               std::vector<std::string>& problems) const {
  std::vector<CrossingSite> out;
  bool back_in_go = false;
  for (std::size_t i = 0; i < crossings_.size(); ++i) {
    const CrossingPoint& crossing = crossings_[i];
    if (!fits(crossing, query)) continue;
    if (!crossing.stub) {
      problems.push_back(
          fmt::format("{} cannot be watched: its C side was not found", crossing.function));
      continue;
    }
    out.push_back({Role::entry, crossing.stub, i});
    if (query.when != When::enter) add_exits(crossing, i, out, back_in_go, problems);
  }
  if (back_in_go)
    for (const Address at : returns_from_c_) out.push_back({Role::back_in_go, at, 0});
  return out;
}

Result<std::shared_ptr<const FileCrossings>> CrossingFiles::of(const std::string& path,
                                                               const std::string& build_id) {
  const std::lock_guard lock(mutex_);
  const auto key = std::pair(path, build_id);
  const auto found = known_.find(key);
  if (found != known_.end()) return found->second;
  return known_.emplace(key, FileCrossings::read(path)).first->second;
}

}  // namespace cgo
