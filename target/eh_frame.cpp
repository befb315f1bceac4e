#include "target/eh_frame.h"

#include <algorithm>
#include <map>
#include <optional>

#include "target/dwarf_cursor.h"

namespace cgo {
namespace {

// DW_EH_PE_*: the low four bits are the format, the next three what the value counts from.
constexpr std::uint8_t kAbsolute = 0x00, kUdata2 = 0x02, kUdata4 = 0x03, kUdata8 = 0x04,
                       kSdata2 = 0x0a, kSdata4 = 0x0b, kSdata8 = 0x0c;
constexpr std::uint8_t kFormat = 0x0f, kBase = 0x70, kFromHere = 0x10, kIndirect = 0x80;

/// A pointer as `encoding` says, at a position of the section loaded at `section`; nothing for an
/// encoding that says nothing here.
std::optional<Address> encoded_pointer(DwarfCursor& cursor, std::uint8_t encoding,
                                       Address section) {
  const Address here = wrapping_add(section, cursor.position());
  std::int64_t value = 0;
  switch (encoding & kFormat) {
    case kAbsolute:
    case kUdata8:
    case kSdata8:
      value = static_cast<std::int64_t>(cursor.u64());
      break;
    case kUdata2:
      value = cursor.u16();
      break;
    case kUdata4:
      value = cursor.u32();
      break;
    case kSdata2:
      value = static_cast<std::int16_t>(cursor.u16());
      break;
    case kSdata4:
      value = static_cast<std::int32_t>(cursor.u32());
      break;
    default:
      return std::nullopt;
  }
  if (encoding & kIndirect || !cursor.ok()) return std::nullopt;
  switch (encoding & kBase) {
    case 0:
      return Address{static_cast<std::uint64_t>(value)};
    case kFromHere:
      return wrapping_add(here, static_cast<std::uint64_t>(value));
    default:
      return std::nullopt;
  }
}

/// How the FDEs of a CIE encode their addresses; nothing when its augmentation is not known.
std::optional<std::uint8_t> pointer_encoding(DwarfCursor cursor, Address section) {
  const std::uint8_t version = cursor.u8();
  const std::string_view augmentation = cursor.text();
  if (!cursor.ok() || (version != 1 && version != 3)) return std::nullopt;
  cursor.uleb();
  cursor.sleb();
  if (version == 1)
    cursor.u8();
  else
    cursor.uleb();
  if (augmentation.empty()) return kAbsolute;
  if (augmentation.front() != 'z') return std::nullopt;
  cursor.uleb();
  std::uint8_t encoding = kAbsolute;
  for (const char letter : augmentation.substr(1)) {
    if (letter == 'R') {
      encoding = cursor.u8();
    } else if (letter == 'L') {
      cursor.u8();
    } else if (letter == 'P') {
      const std::uint8_t personality = cursor.u8();
      (void)encoded_pointer(cursor, personality & kFormat, section);
    } else if (letter != 'S' && letter != 'B') {
      return std::nullopt;
    }
  }
  return cursor.ok() ? std::optional(encoding) : std::nullopt;
}

}  // namespace

Result<std::vector<EhFrameEntry>> read_eh_frame(const ElfFile& file) {
  const ElfSection* section = file.section(".eh_frame");
  if (section == nullptr) return Error{ErrorCode::not_found, file.path() + " has no .eh_frame"};
  auto bytes = file.section_bytes(*section);
  if (!bytes) return std::move(bytes).error().in(".eh_frame of " + file.path());
  std::vector<EhFrameEntry> entries;
  std::map<std::uint64_t, std::optional<std::uint8_t>> encodings;  // By offset of the CIE.
  DwarfCursor cursor(*bytes);
  while (!cursor.at_end()) {
    const std::uint64_t start = cursor.position();
    std::uint64_t length = cursor.u32();
    if (length == 0) continue;  // Ends the part of one object file.
    if (length == 0xffffffff) length = cursor.u64();
    const std::uint64_t id_at = cursor.position();
    const ByteView record = cursor.block(length);
    if (!cursor.ok() || record.size() < sizeof(std::uint32_t)) break;
    DwarfCursor inside(*bytes, id_at);
    const std::uint32_t back = inside.u32();
    if (back == 0 || back > id_at) continue;  // A CIE is read when an FDE refers to it.
    const auto [known, is_new] = encodings.try_emplace(id_at - back, std::nullopt);
    if (is_new) {
      DwarfCursor cie(*bytes, known->first);
      if (cie.u32() == 0xffffffff) cie.u64();
      if (cie.u32() == 0) known->second = pointer_encoding(cie, section->file_address);
    }
    if (!known->second) continue;
    const auto begin = encoded_pointer(inside, *known->second, section->file_address);
    if (!begin || !*begin) continue;  // Zero: code that the linker dropped.
    entries.push_back({*begin, wrapping_add(section->file_address, start)});
  }
  if (entries.empty())
    return Error{ErrorCode::not_found, ".eh_frame of " + file.path() + " has no entry"};
  std::sort(entries.begin(), entries.end(),
            [](const EhFrameEntry& a, const EhFrameEntry& b) { return a.begin < b.begin; });
  return entries;
}

}  // namespace cgo
