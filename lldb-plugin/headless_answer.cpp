#include "lldb-plugin/headless_answer.h"

#include <cstdio>
#include <string>

#include "unwind/format.h"

namespace cgo {

int print_answer(StandardOutput& out, const Answer& answer, std::string_view command) {
  out.write(answer.out);
  const ExitStatus status = out.finish(answer.status);
  const std::string name = "lldb-cgo " + std::string(command);
  for (const std::string& warning : answer.warnings)
    std::fprintf(stderr, "%s: warning: %s\n", name.c_str(), escaped(warning).c_str());
  if (answer.failure) std::fprintf(stderr, "%s\n", format_failure(name, *answer.failure).c_str());
  return static_cast<int>(status);
}

Failure interrupted_early() {
  return {"interrupted", "nothing was read yet", "run it again and give it more time"};
}

}  // namespace cgo
