#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "target/address.h"
#include "target/arch.h"

namespace cgo {

/// The registers of one frame as a value, by DWARF number. A register that a step could not recover
/// is absent, never zero.
class Registers {
 public:
  static constexpr unsigned kCapacity = 34;

  explicit constexpr Registers(const ArchInfo& arch) : arch_(&arch) {}

  const ArchInfo& arch() const { return *arch_; }

  std::optional<std::uint64_t> get(unsigned dwarf) const {
    if (dwarf >= kCapacity || !(known_ >> dwarf & 1)) return std::nullopt;
    return values_[dwarf];
  }
  void set(unsigned dwarf, std::uint64_t value) {
    if (dwarf >= kCapacity) return;
    values_[dwarf] = value;
    known_ |= std::uint64_t{1} << dwarf;
  }
  void forget(unsigned dwarf) {
    if (dwarf < kCapacity) known_ &= ~(std::uint64_t{1} << dwarf);
  }

  /// Zero when unknown: no code and no stack is at address zero.
  Address pc() const { return {get(arch_->dwarf_pc).value_or(0)}; }
  Address sp() const { return {get(arch_->dwarf_sp).value_or(0)}; }
  std::optional<Address> fp() const {
    const auto value = get(arch_->dwarf_fp);
    if (!value) return std::nullopt;
    return Address{*value};
  }
  void set_pc(Address pc) { set(arch_->dwarf_pc, pc.value); }
  void set_sp(Address sp) { set(arch_->dwarf_sp, sp.value); }
  void set_fp(Address fp) { set(arch_->dwarf_fp, fp.value); }

 private:
  const ArchInfo* arch_;
  std::array<std::uint64_t, kCapacity> values_{};
  std::uint64_t known_ = 0;
};

}  // namespace cgo
