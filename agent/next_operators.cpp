#include "agent/next_operators.h"

#include <dlfcn.h>

#include <cstdint>

#include "agent/loaded_code.h"
#include "agent/next_functions.h"

namespace cgo::agent {

New next_new[kNewForms];
Delete next_delete[kDeleteForms];
bool own_operators = false;

namespace {

constexpr const char* kNewNames[kNewForms] = {"_Znwm",
                                              "_Znam",
                                              "_ZnwmRKSt9nothrow_t",
                                              "_ZnamRKSt9nothrow_t",
                                              "_ZnwmSt11align_val_t",
                                              "_ZnamSt11align_val_t",
                                              "_ZnwmSt11align_val_tRKSt9nothrow_t",
                                              "_ZnamSt11align_val_tRKSt9nothrow_t"};
constexpr const char* kDeleteNames[kDeleteForms] = {"_ZdlPv",
                                                    "_ZdaPv",
                                                    "_ZdlPvm",
                                                    "_ZdaPvm",
                                                    "_ZdlPvRKSt9nothrow_t",
                                                    "_ZdaPvRKSt9nothrow_t",
                                                    "_ZdlPvSt11align_val_t",
                                                    "_ZdaPvSt11align_val_t",
                                                    "_ZdlPvmSt11align_val_t",
                                                    "_ZdaPvmSt11align_val_t",
                                                    "_ZdlPvSt11align_val_tRKSt9nothrow_t",
                                                    "_ZdaPvSt11align_val_tRKSt9nothrow_t"};

bool in_same_file(void* one, void* other) {
  LoadedFile first, second;
  return file_at(reinterpret_cast<std::uint64_t>(one), first) &&
         file_at(reinterpret_cast<std::uint64_t>(other), second) && first.begin == second.begin;
}

}  // namespace

void find_next_operators() {
  for (int i = 0; i < kNewForms; ++i)
    next_new[i] = reinterpret_cast<New>(dlsym(RTLD_NEXT, kNewNames[i]));
  for (int i = 0; i < kDeleteForms; ++i)
    next_delete[i] = reinterpret_cast<Delete>(dlsym(RTLD_NEXT, kDeleteNames[i]));
  own_operators = next_new[kNew] != nullptr && in_same_file(reinterpret_cast<void*>(next_new[kNew]),
                                                            reinterpret_cast<void*>(next.malloc));
}

}  // namespace cgo::agent
