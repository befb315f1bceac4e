#pragma once

#include <array>
#include <cstdint>

/// The parts of the minidump format that are read here, as they lie in the file.
namespace cgo::minidump {

// Source: Microsoft "Minidump Files" (minidumpapiset.h); the Linux streams: Breakpad
// src/google_breakpad/common/minidump_format.h; LLDB 22
// source/Plugins/ObjectFile/Minidump/MinidumpFileBuilder.cpp for what is written.
enum StreamType : std::uint32_t {
  kThreadList = 3,
  kModuleList = 4,
  kMemoryList = 5,
  kException = 6,
  kSystemInfo = 7,
  kMemory64List = 9,
  kMiscInfo = 15,
  kLinuxProcStatus = 0x47670004,  ///< /proc/PID/status: of the process and its first thread.
  kLinuxMaps = 0x47670009,
};
inline constexpr std::uint32_t kMagic = 0x504d444d;  // "MDMP"
inline constexpr std::uint16_t kVersion = 0xa793;
inline constexpr std::uint16_t kAmd64Processor = 9;
inline constexpr std::uint32_t kElfBuildIdMagic = 0x4270454c;  // Of a module's CvRecord.

struct Location {
  std::uint32_t bytes;
  std::uint32_t offset;
};
struct Header {
  std::uint32_t magic, version, streams, directory_offset, checksum, time;
  std::uint64_t flags;
};
struct DirectoryEntry {
  std::uint32_t type;
  Location location;
};
struct ThreadRecord {
  std::uint32_t tid, suspend_count, priority_class, priority;
  std::uint64_t teb;
  std::uint64_t stack_begin;
  Location stack;
  Location context;
};
#pragma pack(push, 4)
struct ModuleRecord {
  std::uint64_t base;
  std::uint32_t bytes, checksum, time, name_offset;
  std::array<std::uint32_t, 13> version_info;
  Location cv_record, misc_record;
  std::uint64_t reserved[2];
};
#pragma pack(pop)
static_assert(sizeof(ModuleRecord) == 108 && sizeof(ThreadRecord) == 48);
struct MemoryRecord {
  std::uint64_t begin;
  Location contents;
};
struct Memory64Record {
  std::uint64_t begin;
  std::uint64_t bytes;
};

/// Offsets in the CPU context of a thread, the CONTEXT structure of 64-bit Windows.
struct ContextRegister {
  std::uint16_t offset;
  std::uint8_t dwarf;
};
inline constexpr std::array<ContextRegister, 17> kContextRegisters{{{0x78, 0},
                                                                    {0x80, 2},
                                                                    {0x88, 1},
                                                                    {0x90, 3},
                                                                    {0x98, 7},
                                                                    {0xa0, 6},
                                                                    {0xa8, 4},
                                                                    {0xb0, 5},
                                                                    {0xb8, 8},
                                                                    {0xc0, 9},
                                                                    {0xc8, 10},
                                                                    {0xd0, 11},
                                                                    {0xd8, 12},
                                                                    {0xe0, 13},
                                                                    {0xe8, 14},
                                                                    {0xf0, 15},
                                                                    {0xf8, 16}}};
inline constexpr std::uint64_t kContextFlags = 0x30;
inline constexpr std::uint64_t kContextBytes = 0x100;  // Up to and with rip.
/// LLDB keeps fs_base behind the part of the context that it fills, and says so with a flag.
/// Measured in dumps by LLDB 22. Source: LLDB RegisterContextMinidump_x86_64.h.
inline constexpr std::uint32_t kLldbContext = 0x80000000;
inline constexpr std::uint64_t kLldbFsBase = 0x2d0;

}  // namespace cgo::minidump
