#include "stops/library_event.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "unwind/format.h"

namespace cgo {
namespace {

constexpr std::uint64_t kMostTextBytes = 4096;

std::string text_or_null(const std::string& text) {
  return text.empty() ? "null" : json_string(text);
}

std::string address_or_null(const std::optional<std::uint64_t>& address) {
  return address && *address != 0 ? fmt::format(R"("{}")", hex(*address)) : "null";
}

/// `,"key":…`, and why it is not known where that is to say.
std::string known_text(const char* key, const KnownText& known) {
  std::string out = fmt::format(R"(,"{}":{})", key, known.text ? json_string(*known.text) : "null");
  if (!known.why.empty()) out += fmt::format(R"(,"{}_error":{})", key, json_string(known.why));
  return out;
}

}  // namespace

KnownText text_at(const MemoryReader& memory, Address pointer) {
  if (!pointer) return {};
  auto text = read_c_string(memory, pointer, kMostTextBytes);
  if (!text) return {std::nullopt, text.error().message};
  return {*std::move(text), {}};
}

KnownText text_at(const MemoryReader& memory, Address pointer, std::uint64_t bytes) {
  if (bytes == 0) return {std::string(), {}};
  if (bytes > kMostTextBytes)
    return {std::nullopt, fmt::format("its length is {}, which cannot be right", bytes)};
  const auto read = read_bytes(memory, pointer, bytes);
  if (!read) return {std::nullopt, read.error().message};
  return {std::string(reinterpret_cast<const char*>(read->data()), read->size()), {}};
}

std::string dlopen_flags(std::uint64_t flags) {
  constexpr std::pair<std::uint64_t, const char*> kFlags[] = {
      {1, "RTLD_LAZY"},     {2, "RTLD_NOW"},        {4, "RTLD_NOLOAD"},
      {8, "RTLD_DEEPBIND"}, {0x100, "RTLD_GLOBAL"}, {0x1000, "RTLD_NODELETE"}};
  std::string out;
  for (const auto& [bit, name] : kFlags) {
    if ((flags & bit) == 0) continue;
    out += (out.empty() ? "" : "|") + std::string(name);
    flags &= ~bit;
  }
  if (flags != 0 || out.empty()) out += (out.empty() ? "" : "|") + hex(flags);
  return out;
}

std::string dlsym_handle(std::uint64_t handle) {
  if (handle == 0) return "RTLD_DEFAULT";
  return handle == UINT64_MAX ? "RTLD_NEXT" : hex(handle);
}

std::string event_keys(const LibraryEvent& event) {
  std::string out = fmt::format(
      R"("event":"{}","function":"{}","goroutine":{},"thread":{},"caller":{},"go_caller":{})",
      event.event, event.function,
      event.goroutine ? std::to_string(*event.goroutine) : std::string("null"), event.tid,
      text_or_null(event.caller), text_or_null(event.go_caller));
  out += known_text(event.is_path ? "path" : "name", event.name);
  if (event.flags) out += fmt::format(R"(,"flags":"{}")", dlopen_flags(*event.flags));
  if (event.name_space) out += fmt::format(R"(,"namespace":{})", *event.name_space);
  if (event.handle)
    out += fmt::format(R"(,"handle":"{}","searched_module":{})", dlsym_handle(*event.handle),
                       text_or_null(event.searched_module));
  if (event.function == "dlvsym") out += known_text("version", event.version);
  out += R"(,"result":)" + address_or_null(event.result);
  if (!event.is_path) out += R"(,"symbol":)" + text_or_null(event.symbol);
  return out + fmt::format(R"(,"module":{},"error":{},"duration_ns":{})",
                           text_or_null(event.module), text_or_null(event.error),
                           event.duration_ns ? std::to_string(*event.duration_ns) : "null");
}

}  // namespace cgo
