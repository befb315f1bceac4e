#include "seeds.h"
#include "support/minidump_builder.h"

namespace cgo {

void write_seeds(const SeedWriter& out) {
  auto dump = small_minidump();
  out.add("two-threads", dump);
  dump.resize(dump.size() - 8);
  out.add("cut", dump);
}

}  // namespace cgo
