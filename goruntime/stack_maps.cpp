#include "goruntime/stack_maps.h"

#include "target/byte_view.h"

namespace cgo {
namespace {

constexpr std::uint32_t kPcdataStackMap = 1;
constexpr std::uint32_t kFuncdataArguments = 0, kFuncdataLocals = 1, kFuncdataObjects = 2;
/// More words than a frame can have.
constexpr std::int64_t kMostBits = 1 << 27;
constexpr std::uint64_t kMostObjects = 1 << 20;

Error damaged(const GoFunction& function, const char* what) {
  return Error{ErrorCode::malformed_data,
               std::string(function.name) + ": " + what + " of its frame", function.entry};
}

/// Source: src/runtime/symtab.go, type stackmap: how many maps, how many bits each has, the bits of
/// each on bytes of its own.
Result<std::vector<bool>> bits_at(const GoFunction& function, std::uint32_t table,
                                  std::int32_t index) {
  const ByteView data = function.module->funcdata(function, table);
  if (data.empty()) return damaged(function, "there is no map of the words");
  const auto count = load<std::int32_t>(data, 0), bits = load<std::int32_t>(data, 4);
  if (!count || !bits || *count <= 0 || *bits < 0 || *bits > kMostBits)
    return damaged(function, "the map makes no sense");
  if (*bits == 0) return std::vector<bool>{};
  if (index < 0 || index >= *count) return damaged(function, "no map fits the place");
  const std::uint64_t bytes = (static_cast<std::uint64_t>(*bits) + 7) / 8;
  const auto map = slice(data, 8 + bytes * static_cast<std::uint64_t>(index), bytes);
  if (!map) return damaged(function, "the map is cut");
  std::vector<bool> out(static_cast<std::size_t>(*bits));
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = std::to_integer<unsigned>((*map)[i / 8]) >> i % 8 & 1;
  return out;
}

Result<std::vector<StackObject>> objects_of(const GoFunction& function) {
  const ByteView data = function.module->funcdata(function, kFuncdataObjects);
  std::vector<StackObject> out;
  if (data.empty()) return out;
  const auto count = load<std::uint64_t>(data, 0);
  if (!count || *count > kMostObjects || !slice(data, 8, *count * 16))
    return damaged(function, "the list of objects");
  for (std::uint64_t i = 0; i < *count; ++i) {
    const std::uint64_t at = 8 + i * 16;
    const auto pointers = *load<std::int32_t>(data, at + 8);
    out.push_back({.offset = *load<std::int32_t>(data, at),
                   .bytes = *load<std::uint32_t>(data, at + 4),
                   .pointer_bytes = static_cast<std::uint64_t>(
                       pointers < 0 ? -std::int64_t{pointers} : std::int64_t{pointers}),
                   .is_program = pointers < 0,
                   .mask_offset = *load<std::uint32_t>(data, at + 12)});
  }
  return out;
}

}  // namespace

Result<StackMap> stack_map_at(const GoFunction& function, Address pc, bool has_locals) {
  std::int32_t index = -1;
  if (pc != function.entry) {
    auto found = function.module->pcdata(function, kPcdataStackMap, {pc.value - 1});
    if (!found) return std::move(found).error();
    index = *found;
  }
  // At the entry the first map holds.
  if (index == -1) index = 0;
  StackMap out;
  if (has_locals) {
    auto locals = bits_at(function, kFuncdataLocals, index);
    if (!locals) return std::move(locals).error().in("locals");
    out.locals = *std::move(locals);
  }
  if (function.argument_bytes && *function.argument_bytes != 0) {
    auto arguments = bits_at(function, kFuncdataArguments, index);
    if (!arguments) return std::move(arguments).error().in("arguments");
    out.arguments = *std::move(arguments);
  }
  auto objects = objects_of(function);
  if (!objects) return std::move(objects).error();
  out.objects = *std::move(objects);
  return out;
}

}  // namespace cgo
