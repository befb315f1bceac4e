#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "goruntime/go_runtime.h"
#include "goruntime/layout.h"
#include "support/memory_image.h"
#include "support/pclntab_builder.h"
#include "target/debuggee.h"
#include "unwind/unwinder.h"

namespace cgo {

/// A process built by hand: one thread, one goroutine, Go code only (every return address in it
/// follows a call), a goroutine stack and a system stack to be filled by the test.
class World final : public Debuggee {
 public:
  static constexpr Address kText{0x400000};
  static constexpr AddressRange kUserStack{{0xc000010000}, {0xc000012000}};
  static constexpr AddressRange kSystemStack{{0x7ffe0000}, {0x7fff0000}};
  static constexpr Address kG{0xc000001000}, kG0{0x600000}, kM{0x610000};
  static constexpr std::uint64_t kTid = 4711;
  static constexpr Address kThreadPointer{0x700000};

  World();

  /// A return address in the function of this name.
  Address in(std::string_view function) const;
  /// Writes one Go frame of `function` whose return address is `ret`: `sp` is its SP, every
  /// function of this world has 0x18 bytes of frame (saved frame pointer on top). Returns its CFA.
  Address frame(Address sp, Address ret, Address saved_fp = {});
  void thread_at(Address pc, Address sp) { registers_.set_pc(pc), registers_.set_sp(sp); }
  void thread_fp(Address fp) { registers_.set_fp(fp); }
  MemoryImage& image() { return memory_; }
  void write_g(Address g, AddressRange stack, SavedRegisters sched, SavedRegisters syscall = {});

  const GoRuntimes& runtimes() const { return runtimes_; }
  Unwinder::ThreadWalk walk() const { return Unwinder(*this, runtimes_).thread(kTid); }

  const ArchInfo& arch() const override { return kAmd64; }
  bool is_core() const override { return true; }
  const MemoryReader& memory() const override { return memory_; }
  const ImageMap& images() const override { return images_; }
  std::vector<ThreadInfo> threads() const override { return {{.tid = kTid, .index = 1}}; }
  Result<Registers> registers(std::uint64_t) const override { return registers_; }
  Result<Address> thread_pointer(std::uint64_t) const override { return kThreadPointer; }
  bool executable(Address address) const override { return code_.contains(address); }

 private:
  MemoryImage memory_;
  ImageMap images_;
  GoRuntimes runtimes_;
  Registers registers_{kAmd64};
  AddressRange code_;
  std::map<std::string, Address, std::less<>> entries_;
};

/// Function names of a walk, innermost first; a gap as "~".
std::vector<std::string> names(const Walk& walk);

}  // namespace cgo
