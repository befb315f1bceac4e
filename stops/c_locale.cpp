#include "stops/c_locale.h"

#include <fmt/format.h>

#include <cstring>
#include <map>
#include <optional>
#include <utility>

#include "stops/libc_function.h"

namespace cgo {
namespace {

/// A place for LC_ALL is there, unused.
constexpr std::array<const char*, CLocale::kCategories> kCategoryNames = {
    "LC_CTYPE",     "LC_NUMERIC",     "LC_TIME",          "LC_COLLATE", "LC_MONETARY",
    "LC_MESSAGES",  "LC_ALL",         "LC_PAPER",         "LC_NAME",    "LC_ADDRESS",
    "LC_TELEPHONE", "LC_MEASUREMENT", "LC_IDENTIFICATION"};
constexpr std::size_t kAll = 6;
/// __locales, then __ctype_b, __ctype_tolower and __ctype_toupper.
constexpr std::uint64_t kNames = CLocale::kCategories * 8 + 3 * 8;
constexpr std::size_t kMostNameBytes = 256;

std::uint8_t byte_at(ByteView code, std::size_t at) {
  return at < code.size() ? std::to_integer<std::uint8_t>(code[at]) : std::uint8_t{0};
}

std::optional<std::int32_t> signed_word(ByteView code, std::size_t at) {
  const auto bytes = slice(code, at, sizeof(std::int32_t));
  if (!bytes) return std::nullopt;
  std::int32_t value = 0;
  std::memcpy(&value, bytes->data(), sizeof value);
  return value;
}

/// The first read of a thread-local word in `code`, which begins at `entry`.
Result<std::int64_t> offset_in(const MemoryReader& memory, Address entry, ByteView code) {
  const Error unknown{ErrorCode::unsupported, "uselocale at " + hex(entry) + " is not understood",
                      entry};
  std::array<std::optional<Address>, 8> words;  // By register: where its value was loaded from.
  for (std::size_t at = 0; at + 8 < code.size(); ++at) {
    const bool of_thread = byte_at(code, at) == 0x64;
    const std::size_t rex = at + (of_thread ? 1 : 0);
    if (byte_at(code, rex) != 0x48 || byte_at(code, rex + 1) != 0x8b) continue;  // mov r/m64,r64
    const std::uint8_t modrm = byte_at(code, rex + 2);
    const unsigned mod = modrm >> 6, reg = modrm >> 3 & 7, rm = modrm & 7;
    if (mod != 0) continue;
    if (!of_thread && rm == 5) {  // off(%rip)
      const auto displacement = signed_word(code, rex + 3);
      if (!displacement) return unknown;
      words[reg] = wrapping_add(
          entry, static_cast<std::uint64_t>(static_cast<std::int64_t>(rex + 7) + *displacement));
    } else if (of_thread && rm == 4 && byte_at(code, rex + 3) == 0x25) {  // %fs:off
      const auto offset = signed_word(code, rex + 4);
      return offset ? Result<std::int64_t>(*offset) : unknown;
    } else if (of_thread && rm != 4 && rm != 5 && words[rm]) {  // %fs:(%reg)
      return read_unsigned<std::int64_t>(memory, *words[rm]);
    }
  }
  return unknown;
}

}  // namespace

Result<std::int64_t> locale_offset(const MemoryReader& memory, const ImageMap& images) {
  constexpr std::uint64_t kBytes = 40;
  return learn_from_code(memory, images, "uselocale", kBytes, [&](Address entry, ByteView code) {
    return offset_in(memory, entry, code);
  });
}

Result<CLocale> read_c_locale(const MemoryReader& memory, Address pointer) {
  const auto at = read_pointer(memory, pointer);
  if (!at) return at.error();
  CLocale out{.at = *at, .names = {}};
  for (std::size_t i = 0; i < CLocale::kCategories; ++i) {
    if (i == kAll) continue;
    const auto name = read_pointer(memory, wrapping_add(*at, kNames + i * 8));
    if (!name) return name.error();
    auto text = read_c_string(memory, *name, kMostNameBytes);
    if (!text) return text.error();
    out.names[i] = *std::move(text);
  }
  return out;
}

std::vector<std::string> locale_changes(const CLocale& before, const CLocale& now) {
  std::map<std::pair<std::string, std::string>, std::vector<std::size_t>> changed;
  for (std::size_t i = 0; i < CLocale::kCategories; ++i)
    if (before.names[i] != now.names[i]) changed[{before.names[i], now.names[i]}].push_back(i);
  if (changed.empty() && before.at == now.at) return {};
  if (changed.empty()) return {"the thread's locale is another one of the same names (uselocale)"};
  const char* whose = before.at == now.at ? "the locale" : "the thread's locale";
  std::vector<std::string> out;
  for (const auto& [names, categories] : changed) {
    std::string of;
    for (const std::size_t i : categories)
      of += fmt::format("{}{}", of.empty() ? "" : ", ", kCategoryNames[i]);
    if (categories.size() == CLocale::kCategories - 1) of = kCategoryNames[kAll];
    out.push_back(
        fmt::format("{} changed: {} {} before, {} now", whose, of, names.first, names.second));
  }
  return out;
}

}  // namespace cgo
