#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "goruntime/go_version.h"
#include "goruntime/layout.h"
#include "support/memory_image.h"
#include "support/pclntab_builder.h"
#include "target/image.h"

namespace cgo {

/// A Go program as file and as memory, small enough to be read in a test: text, constants with a
/// pclntab, data with build information and a moduledata, all at fixed distances from its base.
class GoProgramBuilder {
 public:
  static constexpr std::uint32_t kTextBytes = 0x1000;

  GoProgramBuilder(GoVersion version, std::uint64_t bias);

  // What may be left out or damaged.
  bool sections = true;      ///< Section headers.
  bool build_info = true;    ///< .go.buildinfo.
  std::string version_text;  ///< In build information; "go1.27.4" by default.
  bool code_in_file = true;  ///< Else the image has no file.
  Address next;              ///< moduledata.next.
  bool plugin = false;

  /// Addresses at run time.
  Address text() const { return {bias_ + 0x401000}; }
  Address pc_header() const { return {bias_ + 0x410000}; }
  Address moduledata() const { return {bias_ + 0x500100}; }
  Address variable(std::uint64_t offset) const { return {bias_ + 0x501000 + offset}; }

  /// A function of 0x100 bytes with this code, behind those added before.
  GoProgramBuilder& function(const std::string& name, std::vector<std::byte> code,
                             std::uint8_t func_id = 0);
  /// Where the next function will begin.
  Address next_function() const;

  const RuntimeLayout& layout() const { return layout_; }
  Image image() const;
  /// Adds the data segment (relocated), and where there is no file all the rest.
  void add_to(MemoryImage& memory) const;

 private:
  std::vector<std::byte> text_bytes() const;
  std::vector<std::byte> constants() const;
  std::vector<std::byte> data() const;
  std::vector<std::byte> build_info_bytes() const;

  GoVersion version_;
  std::uint64_t bias_;
  RuntimeLayout layout_;
  PclntabBuilder functions_;
  std::vector<std::byte> code_;
};

}  // namespace cgo
