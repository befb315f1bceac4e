#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "goruntime/pclntab.h"

namespace cgo {

/// Lays out the tables of a Go module as the linker of a release does, from functions given by
/// hand.
class PclntabBuilder {
 public:
  /// A pc-value table: each value holds up to (not including) `end`, an offset from the entry.
  struct Run {
    std::uint32_t end;
    std::int32_t value;
  };
  struct Inlined {
    std::string function;
    std::uint8_t func_id = 0;
    std::uint32_t parent_pc = 0;  ///< 1.20 on: offset from the entry.
    std::int16_t parent = -1;     ///< Up to 1.19: index, and where the call is written.
    std::string call_file;
    std::uint32_t call_line = 0;
  };
  struct Function {
    std::string name;
    std::uint32_t entry = 0;  ///< Offset from text.
    std::uint8_t func_id = 0;
    std::vector<Run> frame;                                    ///< pcsp.
    std::vector<std::pair<std::uint32_t, std::string>> files;  ///< {end, path}.
    std::vector<Run> lines;
    std::vector<Run> inline_index;
    std::vector<Inlined> inlined;
    std::uint32_t start_line = 0;
    /// Where parameters are (FUNCDATA ArgInfo), which of them hold (ArgLiveInfo) and where in that.
    std::vector<std::byte> arguments, live_arguments;
    std::vector<Run> live_index;
    std::vector<std::byte> open_coded_defers;  ///< FUNCDATA OpenCodedDeferInfo.
  };
  struct Bytes {
    std::vector<std::byte> funcnametab, cutab, filetab, pctab, pclntable, ftab, gofunc;
  };

  explicit PclntabBuilder(GoVersion version) : version_(version) {}

  /// In order of their entries.
  PclntabBuilder& function(Function function);
  /// Functions end at `text_bytes`.
  Bytes bytes(std::uint32_t text_bytes) const;
  /// The same as a module with its code at `text`.
  std::unique_ptr<GoModule> module(Address text, std::uint32_t text_bytes) const;

 private:
  GoVersion version_;
  std::vector<Function> functions_;
};

/// A module that reads its tables from `bytes`, with its code at `text`.
std::unique_ptr<GoModule> module_from_bytes(std::shared_ptr<const PclntabBuilder::Bytes> bytes,
                                            GoVersion version, Address text,
                                            std::uint32_t text_bytes);

}  // namespace cgo
