#pragma once

#include <lldb/API/LLDB.h>

#include <string>

#include "lldb-plugin/session.h"

namespace cgo {

/// Puts the agent into a stopped process and takes it out of the way again, by calls on one of its
/// threads, which is left as it was. Use it without the lock of the sessions: the process runs.
class AgentInjection {
 public:
  AgentInjection(Sessions& sessions, lldb::SBProcess process)
      : sessions_(sessions), process_(process) {}

  /// The number of the loader's slots that lead to the agent then; 0 where it was loaded with the
  /// program. `options` as in LLDB_CGO_AGENT.
  Result<std::uint64_t> put_in(const std::string& agent_file, const std::string& options);
  /// The number of slots that were given back.
  Result<std::uint64_t> take_out();

 private:
  struct Place {
    lldb::SBThread thread;
    std::uint64_t dlopen = 0, dlsym = 0, errno_location = 0;
    bool has_agent = false;
  };
  Result<Place> find_place();
  Result<std::int64_t> call(Place& place, const std::string& expression);
  Result<std::uint64_t> function_of_agent(const std::string& name);
  Result<std::int64_t> with_errno_kept(Place& place, const std::string& agent_file,
                                       const std::string& function, const std::string& arguments);

  Sessions& sessions_;
  lldb::SBProcess process_;
};

}  // namespace cgo
