#pragma once

#include <string>

#include "profiles/profile.h"
#include "target/result.h"

namespace cgo {

/// A profile as `go tool pprof` reads it: gzipped, with the sample types inuse_objects,
/// inuse_space (the usual one) and retained_space.
/// Source: github.com/google/pprof, proto/profile.proto.
Result<std::string> pprof_file(const Profile& profile);

/// The same before it is compressed.
std::string pprof_message(const Profile& profile);

}  // namespace cgo
