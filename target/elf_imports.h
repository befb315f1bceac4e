#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "target/elf.h"

namespace cgo {

/// What a file takes from other files: the words of its global offset table, by the names whose
/// addresses they are for. Names live as long as the file.
/// Source: System V ABI, AMD64 supplement, R_X86_64_JUMP_SLOT and R_X86_64_GLOB_DAT.
class ElfImports {
 public:
  explicit ElfImports(std::shared_ptr<const ElfFile> file);
  /// The name that the word at `file_address` is for; empty for any other word.
  std::string_view at(Address file_address) const;

 private:
  struct Word {
    Address place;
    std::string_view name;
  };
  std::shared_ptr<const ElfFile> file_;
  std::vector<Word> words_;  // By place.
};

}  // namespace cgo
