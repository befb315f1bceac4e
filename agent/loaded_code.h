#pragma once
// Which file a pc belongs to, while the program loads and unloads files.

#include <cstdint>

namespace cgo::agent {

struct LoadedFile {
  std::uint64_t begin = 0, end = 0;
  std::uint64_t unwind_table = 0;  ///< Its .eh_frame_hdr; 0: none.
  const char* path = nullptr;      ///< As the loader has it; "" for the main program.
};

/// Finds the loader's own search, which takes no lock; without it the loader's list is walked.
void prepare_file_search();
/// False for a pc outside all files.
bool file_at(std::uint64_t pc, LoadedFile& file);

struct Bytes {
  const std::uint8_t* begin = nullptr;
  std::uint64_t count = 0;
};
/// The `number`th part of the file that is loaded with just these permissions (PF_…), as far as it
/// comes from the file; count 0 after the last one.
Bytes loaded_part(const LoadedFile& file, std::uint32_t permissions, unsigned number);
/// The build id among its notes; count 0 when there is none.
Bytes build_id(const LoadedFile& file);

}  // namespace cgo::agent
