#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace cgo {

/// An address in the debuggee. Never dereferenced here; read it through a MemoryReader.
/// It is a run-time (load) address unless a declaration says "file address".
struct Address {
  std::uint64_t value = 0;

  friend constexpr auto operator<=>(Address, Address) = default;
  constexpr explicit operator bool() const { return value != 0; }
};

/// Nothing when the sum wraps: a corrupt pointer must not become a small valid one.
constexpr std::optional<Address> checked_add(Address base, std::uint64_t bytes) {
  if (base.value + bytes < base.value) return std::nullopt;
  return Address{base.value + bytes};
}

/// Nothing when the difference would be negative.
constexpr std::optional<Address> checked_sub(Address base, std::uint64_t bytes) {
  if (bytes > base.value) return std::nullopt;
  return Address{base.value - bytes};
}

/// base + bytes modulo 2^64. Only for link-time arithmetic (load bias, pc-relative operands), where
/// wrapping is how the format defines the sum.
constexpr Address wrapping_add(Address base, std::uint64_t bytes) {
  return Address{base.value + bytes};
}

/// Half-open: `begin` is inside, `end` is not. Empty when end <= begin.
struct AddressRange {
  Address begin;
  Address end;

  friend constexpr bool operator==(const AddressRange&, const AddressRange&) = default;
  constexpr bool empty() const { return end <= begin; }
  constexpr bool contains(Address address) const { return begin <= address && address < end; }
  constexpr std::uint64_t bytes() const { return empty() ? 0 : end.value - begin.value; }
};

/// "0x" and lower-case digits, without leading zeros: the form of addresses in text and JSON.
std::string hex(std::uint64_t value);
inline std::string hex(Address address) { return hex(address.value); }

}  // namespace cgo

template <>
struct std::hash<cgo::Address> {
  std::size_t operator()(cgo::Address address) const noexcept {
    return std::hash<std::uint64_t>{}(address.value);
  }
};
