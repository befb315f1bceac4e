#pragma once
// The operators new and delete that would serve the program if the agent were not there.

#include <cstddef>

namespace cgo::agent {

/// All forms have at most three arguments, which are passed on in their registers: those that a
/// form does not have hold anything.
using New = void* (*)(std::size_t bytes, std::size_t second, std::size_t third);
using Delete = void (*)(void* block, std::size_t second, std::size_t third);

enum NewForm {
  kNew,
  kNewArray,
  kNewNothrow,
  kNewArrayNothrow,
  kNewAligned,
  kNewArrayAligned,
  kNewAlignedNothrow,
  kNewArrayAlignedNothrow,
  kNewForms
};
enum DeleteForm {
  kDelete,
  kDeleteArray,
  kDeleteSized,
  kDeleteArraySized,
  kDeleteNothrow,
  kDeleteArrayNothrow,
  kDeleteAligned,
  kDeleteArrayAligned,
  kDeleteSizedAligned,
  kDeleteArraySizedAligned,
  kDeleteAlignedNothrow,
  kDeleteArrayAlignedNothrow,
  kDeleteForms
};

extern New next_new[kNewForms];
extern Delete next_delete[kDeleteForms];
/// operator new is part of the allocator and does not go through malloc: then its blocks are
/// recorded where it is called.
extern bool own_operators;

void find_next_operators();

}  // namespace cgo::agent
