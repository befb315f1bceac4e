#pragma once
// What the agent keeps in the memory of the program, for whoever reads it from outside: a debugger
// at any stop, or a core. Little-endian, all widths fixed, no pointers of the compiler's. Readers
// take sizes from the tables, not from here. Described in docs/agent-format.md.

#include <cstdint>

namespace cgo::agent {

inline constexpr char kMagic[16] = "lldb-cgo agent\n";
inline constexpr std::uint32_t kFormatVersion = 1;
/// The symbol of the header; where symbols are missing its magic is at a multiple of kHeaderAlign.
inline constexpr char kHeaderSymbol[] = "lldb_cgo_agent_tables";
inline constexpr std::uint64_t kHeaderAlign = 4096;

/// A growing array. Only `committed` bytes from `address` may be read; `used` bytes hold entries.
struct Table {
  std::uint64_t address;
  std::uint64_t used;
  std::uint64_t committed;
  std::uint64_t reserved;
  std::uint32_t entry_bytes;
  std::uint32_t unused;
};

/// Both clocks at one moment.
struct Clock {
  std::uint64_t monotonic_ns;
  std::uint64_t realtime_ns;
};

/// What happened; each thread has its own, so that totals are sums over the thread table.
struct Counters {
  std::uint64_t allocations;      ///< Recorded. In sampled mode: the samples.
  std::uint64_t allocated_bytes;  ///< As asked for, of these.
  std::uint64_t frees;            ///< Of recorded blocks.
  std::uint64_t freed_bytes;
  std::uint64_t unknown_frees;  ///< Of addresses without a record: older, lost, or freed twice.
  std::uint64_t lost;           ///< Allocations that could not be recorded.
  std::uint64_t without_stack;  ///< Recorded with stack 0.
  std::uint64_t walks;          ///< Stacks walked because they were not known yet.
};

enum class State : std::uint32_t { off = 0, recording = 1, paused = 2 };

/// Header::flags.
enum Flag : std::uint32_t {
  kBypassed = 1u << 0,      ///< The program's malloc is not the agent's: it sees no calls of it.
  kOwnOperators = 1u << 1,  ///< operator new is the allocator's own and recorded by itself.
  kLateStart = 1u << 2,     ///< Loaded into a running process: older blocks have no record.
};

struct Header {
  char magic[16];
  std::uint32_t version;
  std::uint32_t header_bytes;
  State state;
  std::uint32_t flags;
  std::uint32_t pid;
  std::uint32_t forks;             ///< How many forks lie between the start and this process.
  std::uint64_t sample_bytes;      ///< Mean distance of samples; 0: every allocation.
  std::uint64_t quarantine_bytes;  ///< Freed memory that each thread holds back; 0: none.
  std::uint32_t kept_frees;        ///< Freed records that each thread keeps.
  std::uint32_t most_frames;       ///< Of a stack; longer ones are cut.
  std::uint32_t module_epoch;      ///< Counts unloads; see Module.
  std::uint32_t unused;
  Clock start;
  Table blocks;    ///< Of Block.
  Table stacks;    ///< Of Stack, each followed by its frames; entry_bytes is the unit of stack ids.
  Table modules;   ///< Of Module.
  Table threads;   ///< Of Thread.
  Table memory;    ///< Of Memory: all that the agent has beside these tables and its file's data.
  Counters loose;  ///< Of events that no thread's entry has.
  char allocator[256];  ///< The file whose malloc serves the program.
};

/// In the top byte of Block::address.
enum class BlockState : std::uint8_t {
  empty = 0,  ///< Not in use, or being written.
  live = 1,
  freed = 2,      ///< One of the recent frees.
  held_back = 3,  ///< Freed by the program, in quarantine.
};
inline constexpr unsigned kStateShift = 56;
inline constexpr std::uint64_t kAddressMask = (std::uint64_t{1} << kStateShift) - 1;

/// One allocation. The fields of the free are meaningful in the states freed and held_back.
struct alignas(64) Block {
  std::uint64_t address;    ///< With a BlockState in the top byte; written last.
  std::uint64_t size;       ///< As the program asked for it.
  std::uint64_t time;       ///< CLOCK_MONOTONIC_COARSE, in nanoseconds.
  std::uint64_t goroutine;  ///< 0: none, or not known.
  std::uint32_t stack;      ///< 0: none.
  std::uint32_t thread;     ///< The system's id.
  std::uint64_t free_time;
  std::uint64_t free_goroutine;
  std::uint32_t free_stack;
  std::uint32_t free_thread;
};

/// Why a stack has no more frames.
enum class StackEnd : std::uint8_t {
  unknown = 0,
  thread_entry = 1,     ///< The thread's first function.
  goroutine_entry = 2,  ///< The goroutine's first function.
  system_stack = 3,     ///< Go code on a system stack, which no goroutine called through C.
  no_rule = 4,          ///< Code without unwind rules.
  bad_memory = 5,       ///< The next frame would lie where nothing can be read.
  limit = 6,            ///< Header::most_frames.
  unknown_go = 7,       ///< A Go release that the agent does not know.
  contradiction = 8,    ///< What is saved at a crossing cannot be.
};

/// In the top byte of a frame: what its low 56 bits are.
enum class FrameKind : std::uint8_t {
  c_return = 0,  ///< A return address: look up the byte before it.
  go_return = 1,
  c_exact = 2,  ///< Interrupted there by a signal.
  go_exact = 3,
};

/// A stack of return addresses, innermost first: frame_count words follow. Its id is its offset in
/// the table in units of entry_bytes; offset 0 is not a stack.
struct Stack {
  std::uint32_t next;  ///< The next stack with the same hash bucket; for the agent alone.
  std::uint32_t hash;
  std::uint32_t module_epoch;  ///< Its modules are those that were loaded in this epoch, the first
                               ///< that had all of them.
  std::uint16_t frame_count;
  StackEnd end;
  std::uint8_t ready;  ///< 1 once all is written.
};

/// A loaded file that had code in some stack. It was at its place in the epochs from first_epoch to
/// last_epoch, both inclusive.
struct Module {
  std::uint64_t begin, end;
  std::uint32_t first_epoch;
  std::uint32_t last_epoch;  ///< 0xffffffff while loaded.
  std::uint32_t build_id_bytes;
  std::uint32_t ready;  ///< 1 once all is written.
  std::uint8_t build_id[32];
  char path[192];  ///< Ended by NUL; cut when longer. Empty: the main program.
};

enum class ThreadState : std::uint32_t { unused = 0, alive = 1, ended = 2 };

/// A thread's counters. An entry is used again by a later thread, which counts on.
struct alignas(64) Thread {
  std::uint32_t tid;  ///< Of the last thread that had this entry.
  ThreadState state;
  Counters counters;
  std::uint64_t private_state;  ///< For the agent alone.
};

/// Memory of the agent that is no table, and that cores leave out.
struct Memory {
  std::uint64_t address;
  std::uint64_t bytes;
};

static_assert(sizeof(Memory) == 16 && sizeof(Block) == 64 && sizeof(Stack) == 16 &&
              sizeof(Module) == 256 && sizeof(Thread) == 128 && sizeof(Table) == 40);

}  // namespace cgo::agent
