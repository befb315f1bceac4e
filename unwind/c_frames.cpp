#include "unwind/c_frames.h"

#include <libunwind-x86_64.h>

#include <array>
#include <cstring>
#include <map>
#include <mutex>
#include <vector>

#include "target/eh_frame.h"

// Exported by libunwind-x86_64 but declared only in its private headers.
// Source: libunwind 1.6, include/dwarf.h, dwarf_search_unwind_table.
extern "C" int _Ux86_64_dwarf_search_unwind_table(unw_addr_space_t space, unw_word_t ip,
                                                  unw_dyn_info_t* table, unw_proc_info_t* info,
                                                  int need_unwind_info, void* argument);

namespace cgo {
namespace {

constexpr std::uint32_t kPtGnuEhFrame = 0x6474e550;

/// A table that an image lacks, in the form of .eh_frame_hdr's. It has no place in the debuggee:
/// libunwind reads it at an address that no debuggee can have.
struct MadeTable {
  unw_dyn_info_t info{};
  std::vector<std::uint64_t> words;  ///< A row each: 32 bits of code address, 32 bits of FDE.
  AddressRange range;
};

/// The made tables of the images that needed one, by their files. Thread-safe; a table never moves.
class MadeTables {
 public:
  /// Null when the image has no .eh_frame either.
  const MadeTable* of(const Image& image) {
    const std::lock_guard lock(mutex_);
    const auto [found, is_new] = tables_.try_emplace({image.file, image.bias}, nullptr);
    if (is_new) found->second = make(image);
    return found->second.get();
  }
  /// The word of a made table at `at`; nothing when there is no table.
  std::optional<std::uint64_t> word(Address at) const {
    if (at < kBegin) return std::nullopt;
    const std::lock_guard lock(mutex_);
    for (const auto& [key, table] : tables_)
      if (table && table->range.contains(at))
        return table->words[(at.value - table->range.begin.value) / sizeof(std::uint64_t)];
    return std::nullopt;
  }

 private:
  static constexpr Address kBegin{0x8f00'0000'0000'0000};  // Not canonical.

  std::unique_ptr<const MadeTable> make(const Image& image) {
    const auto entries = read_eh_frame(*image.file);
    if (!entries) return nullptr;
    auto table = std::make_unique<MadeTable>();
    const Address base = image.to_load(entries->front().begin);
    const auto fits = [](std::int64_t value) { return value == static_cast<std::int32_t>(value); };
    for (const EhFrameEntry& entry : *entries) {
      const auto code = static_cast<std::int64_t>(image.to_load(entry.begin).value - base.value);
      const auto fde = static_cast<std::int64_t>(image.to_load(entry.fde).value - base.value);
      if (!fits(code) || !fits(fde)) continue;
      table->words.push_back(static_cast<std::uint32_t>(code) | static_cast<std::uint64_t>(fde)
                                                                    << 32);
    }
    table->range = {next_, {next_.value + table->words.size() * sizeof(std::uint64_t)}};
    next_ = table->range.end;
    table->info.format = UNW_INFO_FORMAT_REMOTE_TABLE;
    table->info.start_ip = image.range.begin.value;
    table->info.end_ip = image.range.end.value;
    table->info.u.rti.segbase = base.value;
    table->info.u.rti.table_data = table->range.begin.value;
    table->info.u.rti.table_len = table->words.size();
    return table;
  }

  mutable std::mutex mutex_;
  std::map<std::pair<std::shared_ptr<const ElfFile>, std::uint64_t>,
           std::unique_ptr<const MadeTable>>
      tables_;  // By file and bias.
  Address next_ = kBegin;
};

/// What libunwind's callbacks of one step need, and what they learn.
struct StepContext {
  const MemoryReader& memory;
  const ImageMap& images;
  const Registers& registers;
  Address pc;
  Address lookup_pc;  ///< Presented as the instruction pointer.
  MadeTables& made_tables;
  const Image* last_image = nullptr;
  std::optional<Error> memory_error;  ///< The first read that failed.

  Result<std::uint64_t> read(Address at);
};

/// Unwind tables are read from the mapped file where there is one: live reads are slow, and a core
/// may lack the pages.
Result<std::uint64_t> StepContext::read(Address at) {
  if (const auto word = made_tables.word(at)) return *word;
  if (last_image == nullptr || !last_image->range.contains(at)) {
    const Image* image = images.find(at);
    if (image != nullptr) last_image = image;
  }
  if (last_image != nullptr && last_image->range.contains(at) && last_image->file &&
      !last_image->mismatch) {
    const Address file_address = last_image->to_file(at);
    for (const ElfSegment& segment : last_image->file->segments()) {
      if (segment.type != 1 || segment.writable() || !segment.range().contains(file_address))
        continue;
      auto bytes = last_image->file->bytes_at(file_address, sizeof(std::uint64_t));
      if (!bytes) break;
      std::uint64_t value = 0;
      std::memcpy(&value, bytes->data(), sizeof value);
      return value;
    }
  }
  return read_unsigned<std::uint64_t>(memory, at);
}

/// The binary-search table of an image, as libunwind wants it described; nothing without one.
std::optional<unw_dyn_info_t> unwind_table(const Image& image) {
  if (!image.file || image.mismatch) return std::nullopt;
  for (const ElfSegment& segment : image.file->segments()) {
    if (segment.type != kPtGnuEhFrame) continue;
    auto header = image.file->bytes_at(segment.file_address, 12);
    if (!header) return std::nullopt;
    std::uint8_t encodings[4];
    std::memcpy(encodings, header->data(), sizeof encodings);
    // Version 1; count as udata4; table as datarel sdata4: what every linker writes.
    if (encodings[0] != 1 || encodings[2] != 0x03 || encodings[3] != 0x3b) return std::nullopt;
    std::uint32_t count = 0;
    std::memcpy(&count, header->data() + 8, sizeof count);
    constexpr std::uint64_t kRowBytes = 8;
    if (segment.file_bytes < 12 || count > (segment.file_bytes - 12) / kRowBytes)
      return std::nullopt;
    const Address table = image.to_load(segment.file_address);
    unw_dyn_info_t info{};
    info.format = UNW_INFO_FORMAT_REMOTE_TABLE;
    info.start_ip = image.range.begin.value;
    info.end_ip = image.range.end.value;
    info.u.rti.segbase = table.value;
    info.u.rti.table_data = table.value + 12;
    info.u.rti.table_len = count * kRowBytes / sizeof(unw_word_t);
    return info;
  }
  return std::nullopt;
}

StepContext& context_of(void* argument) { return *static_cast<StepContext*>(argument); }

int find_proc_info(unw_addr_space_t space, unw_word_t ip, unw_proc_info_t* info, int need_info,
                   void* argument) {
  StepContext& context = context_of(argument);
  const Image* image = context.images.find({ip});
  if (image == nullptr) return -UNW_ENOINFO;
  auto table = unwind_table(*image);
  if (!table && image->file && !image->mismatch)
    if (const MadeTable* made = context.made_tables.of(*image)) table = made->info;
  if (!table) return -UNW_ENOINFO;
  return _Ux86_64_dwarf_search_unwind_table(space, ip, &*table, info, need_info, argument);
}

void put_unwind_info(unw_addr_space_t, unw_proc_info_t*, void*) {}
int dynamic_list(unw_addr_space_t, unw_word_t*, void*) { return -UNW_ENOINFO; }

int access_memory(unw_addr_space_t, unw_word_t at, unw_word_t* value, int write, void* argument) {
  if (write) return -UNW_EINVAL;
  StepContext& context = context_of(argument);
  auto word = context.read({at});
  if (!word) {
    if (!context.memory_error) context.memory_error = std::move(word).error();
    return -UNW_EINVAL;
  }
  *value = *word;
  return 0;
}

int access_register(unw_addr_space_t, unw_regnum_t number, unw_word_t* value, int write,
                    void* argument) {
  if (write || number < 0) return -UNW_EBADREG;
  StepContext& context = context_of(argument);
  if (number == UNW_X86_64_RIP) {
    *value = context.lookup_pc.value;
    return 0;
  }
  const auto known = context.registers.get(static_cast<unsigned>(number));
  if (!known) return -UNW_EBADREG;
  *value = *known;
  return 0;
}

int access_float(unw_addr_space_t, unw_regnum_t, unw_fpreg_t*, int, void*) { return -UNW_EBADREG; }
int resume(unw_addr_space_t, unw_cursor_t*, void*) { return -UNW_EINVAL; }
int procedure_name(unw_addr_space_t, unw_word_t, char*, std::size_t, unw_word_t*, void*) {
  return -UNW_ENOINFO;
}

Error step_error(StepContext& context, int code) {
  const Address pc = context.pc;
  if (context.memory_error) return std::move(*context.memory_error).in("unwinding C at " + hex(pc));
  if (code == -UNW_ENOINFO)
    return Error{ErrorCode::not_found, "no unwind rule (.eh_frame) covers " + hex(pc), pc};
  return Error{ErrorCode::malformed_data,
               "the unwind rule at " + hex(pc) + " cannot be followed: " + unw_strerror(-code), pc};
}

}  // namespace

struct CFrames::State {
  unw_accessors_t accessors{};
  unw_addr_space_t space = nullptr;
  mutable MadeTables made_tables;

  StepContext context(const MemoryReader& memory, const ImageMap& images,
                      const Registers& registers, CodeAddress pc) const {
    return {.memory = memory,
            .images = images,
            .registers = registers,
            .pc = pc.address,
            .lookup_pc = pc.for_lookup(),
            .made_tables = made_tables};
  }
  /// What the tables say of the function that the context is in.
  Result<unw_proc_info_t> rule(StepContext& context) const {
    if (space == nullptr)
      return Error{ErrorCode::unsupported, "libunwind has no address space for this CPU",
                   context.pc};
    unw_proc_info_t info{};
    if (find_proc_info(space, context.lookup_pc.value, &info, 0, &context) < 0)
      return step_error(context, -UNW_ENOINFO);
    return info;
  }
};

CFrames::CFrames() : state_(std::make_unique<State>()) {
  state_->accessors = {.find_proc_info = find_proc_info,
                       .put_unwind_info = put_unwind_info,
                       .get_dyn_info_list_addr = dynamic_list,
                       .access_mem = access_memory,
                       .access_reg = access_register,
                       .access_fpreg = access_float,
                       .resume = resume,
                       .get_proc_name = procedure_name};
  state_->space = unw_create_addr_space(&state_->accessors, 0);
  if (state_->space != nullptr) unw_set_caching_policy(state_->space, UNW_CACHE_GLOBAL);
}

CFrames::~CFrames() {
  if (state_->space != nullptr) unw_destroy_addr_space(state_->space);
}

Result<CStep> CFrames::step(const MemoryReader& memory, const ImageMap& images,
                            const Registers& registers, CodeAddress pc) const {
  StepContext context = state_->context(memory, images, registers, pc);
  // Without a rule libunwind would fall back to guessing by the frame pointer: ask first.
  if (const auto rule = state_->rule(context); !rule) return rule.error();
  unw_cursor_t cursor;
  int code = unw_init_remote(&cursor, state_->space, &context);
  if (code == 0) code = unw_step(&cursor);
  if (code < 0) return step_error(context, code);

  CStep step{.caller = Registers(registers.arch()), .cfa = {}};
  unw_word_t value = 0;
  if (code == 0) {
    step.outermost = true;
    return step;
  }
  for (std::uint8_t number : registers.arch().callee_saved)
    if (unw_get_reg(&cursor, number, &value) == 0) step.caller.set(number, value);
  if (unw_get_reg(&cursor, UNW_REG_SP, &value) < 0) return step_error(context, -UNW_EBADREG);
  step.caller.set_sp({value});
  step.cfa = {value};
  if (unw_get_reg(&cursor, UNW_REG_IP, &value) < 0) return step_error(context, -UNW_EBADREG);
  step.caller.set_pc({value});
  return step;
}

Result<CExceptionRule> CFrames::exception_rule(const MemoryReader& memory, const ImageMap& images,
                                               const Registers& registers, CodeAddress pc) const {
  StepContext context = state_->context(memory, images, registers, pc);
  const auto rule = state_->rule(context);
  if (!rule) return rule.error();
  return CExceptionRule{.function = {{rule->start_ip}, {rule->end_ip}},
                        .personality = {rule->handler},
                        .data = {rule->lsda}};
}

Result<CStep> step_crosscall1(const MemoryReader& code, const MemoryReader& stack,
                              const Registers& registers) {
  // push rbx, rbp, r12, r13, r14, r15; what follows up to the second call does not move the stack.
  constexpr std::array<std::uint8_t, 10> kPushes{0x53, 0x55, 0x41, 0x54, 0x41,
                                                 0x55, 0x41, 0x56, 0x41, 0x57};
  constexpr std::array<std::uint8_t, 7> kPopped{15, 14, 13, 12, 6, 3, 16};
  constexpr std::size_t kFirstReturn = 18, kSecondReturn = 20;
  const Address pc = registers.pc();
  bool known = false;
  for (std::size_t back : {kFirstReturn, kSecondReturn}) {
    const auto start = checked_sub(pc, back);
    if (!start) continue;
    std::array<std::uint8_t, kPushes.size()> bytes{};
    known =
        known || (code.read(*start, std::as_writable_bytes(std::span(bytes))) && bytes == kPushes);
  }
  if (!known) return Error{ErrorCode::not_found, "not crosscall1 at " + hex(pc), pc};
  std::array<std::uint64_t, kPopped.size()> words{};
  auto done = stack.read(registers.sp(), std::as_writable_bytes(std::span(words)));
  if (!done) return std::move(done).error().in("crosscall1's saved registers");
  CStep step{.caller = Registers(registers.arch()), .cfa = {}};
  for (std::size_t i = 0; i < kPopped.size(); ++i) step.caller.set(kPopped[i], words[i]);
  step.cfa = wrapping_add(registers.sp(), sizeof words);
  step.caller.set_sp(step.cfa);
  return step;
}

}  // namespace cgo
