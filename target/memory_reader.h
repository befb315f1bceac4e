#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "target/address.h"
#include "target/result.h"

namespace cgo {

/// One of many small reads.
struct MemoryPiece {
  Address from;
  std::span<std::byte> out;
  bool read = false;  ///< `out` is filled.
};

/// The memory of a debuggee, live or from a core. Implementations may be used from several threads
/// at once when they say so; decoders assume nothing but this contract.
class MemoryReader {
 public:
  virtual ~MemoryReader() = default;

  /// Fills all of `out` from `from`, or fails and leaves `out` unspecified; never a short read.
  /// On failure Error::code is unreadable_memory and Error::address is the first unreadable byte.
  virtual Result<void> read(Address from, std::span<std::byte> out) const = 0;

  /// Reads every piece that was not read and is there as a whole, and says so in it: for thousands
  /// of pieces that lie far apart.
  virtual void read_each(std::span<MemoryPiece> pieces) const;
};

/// The "cannot read N bytes at 0x…" error every reader gives, with `bad` the first unreadable byte.
Error unreadable(Address from, std::size_t bytes, Address bad);

/// An integer at `at`, in the debuggee's byte order (little-endian: the only one supported).
template <class Integer>
Result<Integer> read_unsigned(const MemoryReader& memory, Address at) {
  static_assert(std::is_integral_v<Integer> && std::endian::native == std::endian::little);
  Integer value{};
  auto done = memory.read(at, std::as_writable_bytes(std::span(&value, 1)));
  if (!done) return std::move(done).error();
  return value;
}

/// A pointer-sized word at `at`, as an address.
Result<Address> read_pointer(const MemoryReader& memory, Address at);

/// `bytes` bytes at `from`; fails with limit_reached when `bytes` is above `limit`, so that a
/// corrupt length cannot exhaust the debugger's memory.
Result<std::vector<std::byte>> read_bytes(const MemoryReader& memory, Address from,
                                          std::uint64_t bytes, std::uint64_t limit = 1u << 30);

/// Fills `out` with what is there, page by page, and zeros for what is not; returns how many bytes
/// are missing.
std::uint64_t read_present(const MemoryReader& memory, Address from, std::span<std::byte> out);

/// The bytes up to (not including) the first NUL, at most `limit`; malformed_data when none is
/// found.
Result<std::string> read_c_string(const MemoryReader& memory, Address from,
                                  std::size_t limit = 4096);

/// Asks several readers in order, per piece of the request, so that a read may begin in one and end
/// in the next. Order is trust: the process or core first, ELF files for what a core left out last.
class SplicedReader final : public MemoryReader {
 public:
  explicit SplicedReader(std::vector<std::shared_ptr<const MemoryReader>> sources)
      : sources_(std::move(sources)) {}
  Result<void> read(Address from, std::span<std::byte> out) const override;
  void read_each(std::span<MemoryPiece> pieces) const override;

 private:
  std::vector<std::shared_ptr<const MemoryReader>> sources_;
};

}  // namespace cgo
