#include "owners/hazard_words.h"

namespace cgo {

bool HazardWords::note_freed(BlockHolder holder, std::uint64_t value, std::string_view call) {
  const auto block = freed_.find({value});
  if (!block) return false;
  const std::uint64_t offset = value - freed_[*block].begin.value;
  holder.inside = offset != 0;
  holder.far = offset > kMostHeaderBytes;
  if (of_freed_.size() < kMostWords)
    of_freed_.push_back({*block, holder, call});
  else
    ++left_out_;
  return true;
}

void HazardWords::note_object(const OfObject& word) {
  if (of_objects_.size() < kMostWords)
    of_objects_.push_back(word);
  else
    ++left_out_;
}

}  // namespace cgo
