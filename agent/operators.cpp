// operator new and delete. Those of the C++ libraries go through malloc and free, which record.
// Some allocators bring their own, which do not.
#include <cstddef>

#include "agent/hooks.h"
#include "agent/injection.h"
#include "agent/next_operators.h"
#include "agent/recorder.h"

extern "C" void* malloc(std::size_t);
extern "C" void* aligned_alloc(std::size_t, std::size_t);
extern "C" void free(void*);

namespace cgo::agent {
namespace {

/// Where no C++ library is in sight of the agent (it was loaded for one library alone), the blocks
/// are malloc's, as they would be there.
template <NewForm form>
void* plain_new(std::size_t bytes, std::size_t alignment) {
  constexpr bool kAligned = form >= kNewAligned;
  constexpr bool kNothrow = form == kNewNothrow || form == kNewArrayNothrow ||
                            form == kNewAlignedNothrow || form == kNewArrayAlignedNothrow;
  if (bytes == 0) bytes = 1;
  void* block = kAligned ? aligned_alloc(alignment, bytes) : malloc(bytes);
  if (block == nullptr && !kNothrow) __builtin_trap();  // bad_alloc cannot be thrown from here.
  return block;
}

template <NewForm form>
CGO_RECORDED void* recorded_new(std::size_t bytes, std::size_t second, std::size_t third) {
  void* block = next_new[form](bytes, second, third);
  if (block != nullptr && !pass_over(bytes)) record_allocation(block, bytes, CGO_CALLER());
  return block;
}

template <NewForm form>
inline void* any_new(std::size_t bytes, std::size_t second, std::size_t third) {
  if (own_operators) return recorded_new<form>(bytes, second, third);
  if (next_new[form] != nullptr) return next_new[form](bytes, second, third);
  return plain_new<form>(bytes, second);
}

template <DeleteForm form>
CGO_RECORDED void recorded_delete(void* block, std::size_t second, std::size_t third) {
  record_free(block, CGO_CALLER());
  ThreadMemory* thread = this_thread;
  if (usable(thread)) thread->in_delete = 1;
  next_delete[form](block, second, third);
  if (usable(thread)) thread->in_delete = 0;
}

template <DeleteForm form>
inline void any_delete(void* block, std::size_t second, std::size_t third) {
  if (block == nullptr) return;
  if (next_delete[form] == nullptr) return free(block);
  if (own_operators) return recorded_delete<form>(block, second, third);
  next_delete[form](block, second, third);
}

}  // namespace

}  // namespace cgo::agent

using namespace cgo::agent;

#define CGO_NEW(form, symbol)                                                       \
  CGO_HOOK void* symbol(std::size_t bytes, std::size_t second, std::size_t third) { \
    return any_new<form>(bytes, second, third);                                     \
  }
#define CGO_DELETE(form, symbol)                                             \
  CGO_HOOK void symbol(void* block, std::size_t second, std::size_t third) { \
    any_delete<form>(block, second, third);                                  \
  }

CGO_NEW(kNew, _Znwm)
CGO_NEW(kNewArray, _Znam)
CGO_NEW(kNewNothrow, _ZnwmRKSt9nothrow_t)
CGO_NEW(kNewArrayNothrow, _ZnamRKSt9nothrow_t)
CGO_NEW(kNewAligned, _ZnwmSt11align_val_t)
CGO_NEW(kNewArrayAligned, _ZnamSt11align_val_t)
CGO_NEW(kNewAlignedNothrow, _ZnwmSt11align_val_tRKSt9nothrow_t)
CGO_NEW(kNewArrayAlignedNothrow, _ZnamSt11align_val_tRKSt9nothrow_t)
CGO_DELETE(kDelete, _ZdlPv)
CGO_DELETE(kDeleteArray, _ZdaPv)
CGO_DELETE(kDeleteSized, _ZdlPvm)
CGO_DELETE(kDeleteArraySized, _ZdaPvm)
CGO_DELETE(kDeleteNothrow, _ZdlPvRKSt9nothrow_t)
CGO_DELETE(kDeleteArrayNothrow, _ZdaPvRKSt9nothrow_t)
CGO_DELETE(kDeleteAligned, _ZdlPvSt11align_val_t)
CGO_DELETE(kDeleteArrayAligned, _ZdaPvSt11align_val_t)
CGO_DELETE(kDeleteSizedAligned, _ZdlPvmSt11align_val_t)
CGO_DELETE(kDeleteArraySizedAligned, _ZdaPvmSt11align_val_t)
CGO_DELETE(kDeleteAlignedNothrow, _ZdlPvSt11align_val_tRKSt9nothrow_t)
CGO_DELETE(kDeleteArrayAlignedNothrow, _ZdaPvSt11align_val_tRKSt9nothrow_t)

CGO_OURS(_Znwm)
CGO_OURS(_Znam)
CGO_OURS(_ZnwmRKSt9nothrow_t)
CGO_OURS(_ZnamRKSt9nothrow_t)
CGO_OURS(_ZnwmSt11align_val_t)
CGO_OURS(_ZnamSt11align_val_t)
CGO_OURS(_ZnwmSt11align_val_tRKSt9nothrow_t)
CGO_OURS(_ZnamSt11align_val_tRKSt9nothrow_t)
CGO_OURS(_ZdlPv)
CGO_OURS(_ZdaPv)
CGO_OURS(_ZdlPvm)
CGO_OURS(_ZdaPvm)
CGO_OURS(_ZdlPvRKSt9nothrow_t)
CGO_OURS(_ZdaPvRKSt9nothrow_t)
CGO_OURS(_ZdlPvSt11align_val_t)
CGO_OURS(_ZdaPvSt11align_val_t)
CGO_OURS(_ZdlPvmSt11align_val_t)
CGO_OURS(_ZdaPvmSt11align_val_t)
CGO_OURS(_ZdlPvSt11align_val_tRKSt9nothrow_t)
CGO_OURS(_ZdaPvSt11align_val_tRKSt9nothrow_t)

constinit Replacement cgo::agent::operators[kOperators] = {
    CGO_REPLACEMENT(_Znwm),
    CGO_REPLACEMENT(_Znam),
    CGO_REPLACEMENT(_ZnwmRKSt9nothrow_t),
    CGO_REPLACEMENT(_ZnamRKSt9nothrow_t),
    CGO_REPLACEMENT(_ZnwmSt11align_val_t),
    CGO_REPLACEMENT(_ZnamSt11align_val_t),
    CGO_REPLACEMENT(_ZnwmSt11align_val_tRKSt9nothrow_t),
    CGO_REPLACEMENT(_ZnamSt11align_val_tRKSt9nothrow_t),
    CGO_REPLACEMENT(_ZdlPv),
    CGO_REPLACEMENT(_ZdaPv),
    CGO_REPLACEMENT(_ZdlPvm),
    CGO_REPLACEMENT(_ZdaPvm),
    CGO_REPLACEMENT(_ZdlPvRKSt9nothrow_t),
    CGO_REPLACEMENT(_ZdaPvRKSt9nothrow_t),
    CGO_REPLACEMENT(_ZdlPvSt11align_val_t),
    CGO_REPLACEMENT(_ZdaPvSt11align_val_t),
    CGO_REPLACEMENT(_ZdlPvmSt11align_val_t),
    CGO_REPLACEMENT(_ZdaPvmSt11align_val_t),
    CGO_REPLACEMENT(_ZdlPvSt11align_val_tRKSt9nothrow_t),
    CGO_REPLACEMENT(_ZdaPvSt11align_val_tRKSt9nothrow_t)};
