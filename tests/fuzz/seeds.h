#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include "target/byte_view.h"

namespace cgo {

/// Writes the inputs that a fuzzer starts from into its corpus folder.
class SeedWriter {
 public:
  explicit SeedWriter(std::filesystem::path folder) : folder_(std::move(folder)) {}

  void add(const std::string& name, ByteView bytes) const {
    std::ofstream out(folder_ / name, std::ios::binary | std::ios::trunc);
    out.write(reinterpret_cast<const char*>(bytes.data()),
              static_cast<std::streamsize>(bytes.size()));
  }

 private:
  std::filesystem::path folder_;
};

/// Defined once for every fuzzer. Must give the same bytes each time.
void write_seeds(const SeedWriter& out);

}  // namespace cgo
