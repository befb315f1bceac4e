#pragma once
// The kernel without the C library: none of these changes errno, takes a lock or allocates.

#include <cstddef>
#include <cstdint>

namespace cgo::agent {

/// Address space that may not be touched yet and that cores leave out; null when there is none.
void* reserve_pages(std::size_t bytes);
/// Makes whole pages of a reservation usable, and a part of cores; false when memory is short.
bool commit_pages(std::uint64_t address, std::size_t bytes);
/// Zeroed memory that cores leave out; null when there is none.
void* private_pages(std::size_t bytes);
void release_pages(void* address, std::size_t bytes);

/// Whether the 8 bytes at `address` can be read.
bool readable(std::uint64_t address);

/// Whether the 4 bytes at `address` can be written to; they stay as they are.
bool writable(std::uint64_t address);
/// Makes whole pages of data read-only or not; false when the kernel refuses.
bool protect_pages(std::uint64_t address, std::size_t bytes, bool writable);

std::uint32_t thread_id();
std::uint32_t process_id();

}  // namespace cgo::agent
