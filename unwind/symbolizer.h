#pragma once

#include <memory>
#include <span>
#include <vector>

#include "goruntime/go_runtime.h"
#include "target/debuggee.h"
#include "unwind/frame.h"

namespace cgo {

/// Puts physical frames into source terms: inline expansion on both sides, tail calls, demangled
/// names, plumbing. Answers are cached by pc for as long as it lives (one set of images).
/// Thread-safe.
class Symbolizer {
 public:
  Symbolizer(std::shared_ptr<const ImageMap> images, DwarfSource dwarf);
  ~Symbolizer();

  std::vector<StackElement> symbolize(const Walk& walk) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace cgo
