#include "lldb-plugin/newer_api.h"

#include <dlfcn.h>

#include <new>
#include <thread>

namespace cgo {
namespace {

// A member function takes `this` as its first argument and a returned class object through the
// usual hidden pointer, on amd64 and on arm64, so it can be called through a plain function
// pointer. Source: Itanium C++ ABI, sections 3.1 and 3.3.
template <class Function>
Function* find(const char* mangled) {
  return reinterpret_cast<Function*>(dlsym(RTLD_DEFAULT, mangled));
}

using RegisterProvider = std::uint32_t(lldb::SBTarget*, const char*, lldb::SBStructuredData,
                                       lldb::SBError&);
using GetTargetNumber = std::uint64_t(const lldb::SBTarget*);
using IsSynthetic = bool(const lldb::SBFrame*);
using RemoveProvider = lldb::SBError(lldb::SBTarget*, std::uint32_t);
/// Returned like an lldb::SBMutex (in memory, because it has a destructor) without naming SBMutex's
/// own functions, which LLDB 19 lacks.
struct ReturnedMutex {
  alignas(lldb::SBMutex) unsigned char bytes[sizeof(lldb::SBMutex)];
  ReturnedMutex(const ReturnedMutex&);
  ~ReturnedMutex() {}
};
using GetApiMutex = ReturnedMutex(const lldb::SBTarget*);
using OnMutex = void(const void*);
using TryMutex = bool(const void*);
using MakeProgress = void(void*, const char*, const char*, std::uint64_t, lldb::SBDebugger&);
using AdvanceProgress = void(void*, std::uint64_t, const char*);
using Destroy = void(void*);

/// Looked up once: a lookup goes through all libraries of LLDB, and locks are taken at every step.
struct MutexApi {
  GetApiMutex* of_target = find<GetApiMutex>("_ZNK4lldb8SBTarget11GetAPIMutexEv");
  OnMutex* lock = find<OnMutex>("_ZNK4lldb7SBMutex4lockEv");
  TryMutex* try_lock = find<TryMutex>("_ZNK4lldb7SBMutex8try_lockEv");
  OnMutex* unlock = find<OnMutex>("_ZNK4lldb7SBMutex6unlockEv");
  Destroy* destroy = find<Destroy>("_ZN4lldb7SBMutexD1Ev");
};

const MutexApi& mutex_api() {
  static const MutexApi api;
  return api;
}

RegisterProvider* register_provider() {
  return find<RegisterProvider>(
      "_ZN4lldb8SBTarget29RegisterScriptedFrameProviderEPKcNS_16SBStructuredDataERNS_7SBErrorE");
}

}  // namespace

bool NewerApi::asks_resolvers_at_hits() {
  // Came with it, and can be looked up.
  return dlsym(RTLD_DEFAULT, "_ZN4lldb12SBBreakpoint17AddFacadeLocationEv") != nullptr;
}

bool NewerApi::has_frame_providers() { return register_provider() != nullptr; }

std::uint32_t NewerApi::register_frame_provider(lldb::SBTarget target, const char* class_name,
                                                lldb::SBStructuredData arguments,
                                                lldb::SBError& error) {
  RegisterProvider* function = register_provider();
  if (function == nullptr) {
    error.SetErrorString("this LLDB has no frame providers (LLDB 22 and later do)");
    return 0;
  }
  return function(&target, class_name, arguments, error);
}

std::uint64_t NewerApi::target_number(lldb::SBTarget target) {
  auto* function = find<GetTargetNumber>("_ZNK4lldb8SBTarget19GetGloballyUniqueIDEv");
  return function == nullptr ? 0 : function(&target);
}

bool NewerApi::is_synthetic(const lldb::SBFrame& frame) {
  static auto* const function = find<IsSynthetic>("_ZNK4lldb7SBFrame11IsSyntheticEv");
  return function != nullptr && function(&frame);
}

void NewerApi::remove_frame_provider(lldb::SBTarget target, std::uint32_t id) {
  auto* function = find<RemoveProvider>("_ZN4lldb8SBTarget27RemoveScriptedFrameProviderEj");
  if (function != nullptr) function(&target, id);
}

bool TargetLock::find_mutex(lldb::SBTarget target) {
  auto* get = mutex_api().of_target;
  if (get == nullptr) return false;
  new (mutex_) ReturnedMutex(get(&target));
  found_ = true;
  return true;
}

TargetLock::TargetLock(lldb::SBTarget target) {
  if (!find_mutex(target)) return;
  mutex_api().lock(mutex_);
  held_ = true;
}

TargetLock::TargetLock(lldb::SBTarget target, std::chrono::milliseconds patience) {
  if (!find_mutex(target)) return;
  TryMutex* try_lock = mutex_api().try_lock;
  const auto until = std::chrono::steady_clock::now() + patience;
  while (!(held_ = try_lock(mutex_)) && std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

TargetLock::~TargetLock() {
  if (held_) mutex_api().unlock(mutex_);
  if (found_) mutex_api().destroy(mutex_);
}

LldbProgress::LldbProgress(const char* title, std::uint64_t total, lldb::SBDebugger& debugger) {
  auto* make = find<MakeProgress>("_ZN4lldb10SBProgressC1EPKcS2_mRNS_10SBDebuggerE");
  if (make == nullptr) return;
  make(progress_, title, "", total, debugger);
  made_ = true;
}

LldbProgress::~LldbProgress() {
  if (made_) find<Destroy>("_ZN4lldb10SBProgressD1Ev")(progress_);
}

void LldbProgress::advance(std::uint64_t amount) {
  if (made_)
    find<AdvanceProgress>("_ZN4lldb10SBProgress9IncrementEmPKc")(progress_, amount, nullptr);
}

}  // namespace cgo
