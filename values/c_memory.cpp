#include "values/c_memory.h"

#include <fmt/format.h>

#include <algorithm>

namespace cgo {
namespace {

using Kind = AddressDescription::Kind;

/// Code that calls nothing uses as much below the stack pointer. Source: System V ABI for amd64.
constexpr std::uint64_t kRedZone = 128;

std::string plus(Address address, Address base) {
  return address == base ? "" : fmt::format("+{}", address.value - base.value);
}

/// The main arena of the C library `image`, if that is a GNU one whose layout is known.
std::optional<std::pair<GlibcLayout, Address>> arena_of(const MemoryReader& memory,
                                                        const Image& image) {
  const std::string_view name = image.name();
  if (!image.file || image.mismatch || !name.starts_with("libc")) return std::nullopt;
  const auto version = glibc_version_of(*image.file);
  const auto layout = version ? glibc_layout_for(*version) : std::nullopt;
  if (!layout) return std::nullopt;
  for (const ElfSegment& segment : image.file->segments()) {
    if (!segment.loaded() || !segment.writable()) continue;
    const AddressRange range = segment.range();
    const auto arena =
        find_main_arena(memory, {image.to_load(range.begin), image.to_load(range.end)});
    if (arena) return std::pair(*layout, *arena);
  }
  return std::nullopt;
}

AddressDescription described(const CHeapPlace& place, Address address) {
  const AddressRange block = place.block;
  AddressDescription out{Kind::c_heap, "", block.begin, block.bytes()};
  const std::string of_block = block.empty() ? ""
                                             : fmt::format("C block of {} bytes{}", block.bytes(),
                                                           plus(address, block.begin));
  switch (place.kind) {
    case CHeapPlace::Kind::live:
      out.kind = Kind::c_block;
      out.text = of_block;
      break;
    case CHeapPlace::Kind::freed:
      out.kind = Kind::c_freed;
      out.text = "freed " + of_block;
      break;
    case CHeapPlace::Kind::unused:
      out.kind = Kind::c_freed;
      out.text = "C heap, not in any block";
      break;
    case CHeapPlace::Kind::allocator:
      out.text = "C heap, what malloc keeps for itself";
      break;
    case CHeapPlace::Kind::unknown:
      out.text = (of_block.empty() ? "C heap" : of_block) + ", " + place.reason;
      break;
  }
  return out;
}

}  // namespace

const CMemory::Threads& CMemory::threads() {
  if (threads_) return *threads_;
  threads_.emplace(Threads{});
  for (const ThreadInfo& thread : debuggee_.threads()) {
    const auto pointer = debuggee_.thread_pointer(thread.tid);
    if (pointer && *pointer)
      threads_->places.push_back({thread.tid, *pointer});
    else
      threads_->all = false;
  }
  threads_->areas =
      thread_areas(debuggee_.memory(), threads_->places, thread_local_bytes(debuggee_.images()));
  find_main_stack(*threads_);
  return *threads_;
}

/// The loader notes where the main thread's stack ends; that thread has no other.
void CMemory::find_main_stack(Threads& threads) const {
  const MappingList* mappings = debuggee_.mappings();
  if (mappings == nullptr) return;
  if (const auto stack = main_stack(debuggee_.memory(), debuggee_.images(), *mappings))
    threads.main_stack = *stack;
  for (const ThreadArea& area : threads.areas) {
    if (!area.stack.empty()) continue;
    // More than one: which is it?
    if (threads.main_thread) {
      threads.main_thread.reset();
      return;
    }
    threads.main_thread = area.tid;
  }
}

void CMemory::find_heaps() {
  searched_ = true;
  for (const Image& image : debuggee_.images().all()) {
    const auto found = arena_of(debuggee_.memory(), image);
    if (!found) continue;
    CHeap::Parts parts{.memory = &debuggee_.memory(),
                       .mappings = debuggee_.mappings(),
                       .layout = found->first,
                       .main_arena = found->second};
    for (const ThreadPlace& thread : threads().places)
      parts.thread_pointers.push_back(thread.thread_pointer);
    parts.every_thread = threads().all;
    for (const Image& one : debuggee_.images().all()) parts.neighbours.push_back(one.range.end);
    for (const ThreadArea& area : threads().areas)
      if (!area.stack.empty()) parts.neighbours.push_back(area.stack.end);
    heaps_.push_back(std::make_unique<CHeap>(std::move(parts)));
  }
}

std::span<const std::unique_ptr<CHeap>> CMemory::heaps() {
  if (!searched_) find_heaps();
  return heaps_;
}

std::optional<AddressDescription> CMemory::in_heap(Address address) {
  for (const auto& heap : heaps())
    if (const auto place = heap->find(address)) return described(*place, address);
  return std::nullopt;
}

AddressDescription CMemory::on_stack(std::optional<std::uint64_t> tid, AddressRange stack,
                                     Address address) const {
  AddressDescription out{Kind::c_stack, "C stack of the main thread", stack.begin, stack.bytes()};
  if (!tid) return out;
  out.thread = *tid;
  out.text = fmt::format("C stack of thread {}", *tid);
  const auto registers = debuggee_.registers(*tid);
  if (!registers) return out;
  const Address sp = registers->sp();
  if (stack.contains(sp) && address.value + kRedZone < sp.value)
    out.text += ", below its stack pointer";
  return out;
}

std::optional<AddressDescription> CMemory::of_thread(Address address) {
  for (const ThreadArea& area : threads().areas) {
    if (area.variables.contains(address)) {
      AddressDescription out{Kind::thread_local_storage,
                             fmt::format("thread-local storage of thread {}", area.tid),
                             area.variables.begin, area.variables.bytes()};
      out.thread = area.tid;
      return out;
    }
    if (area.stack.contains(address)) return on_stack(area.tid, area.stack, address);
  }
  if (threads().main_stack.contains(address))
    return on_stack(threads().main_thread, threads().main_stack, address);
  return std::nullopt;
}

std::optional<AddressDescription> CMemory::in_mapping(Address address) const {
  const MappingList* mappings = debuggee_.mappings();
  const Mapping* mapping = mappings == nullptr ? nullptr : mappings->find(address);
  if (mapping == nullptr) return std::nullopt;
  std::string text = mapping->path.empty() ? "anonymous mapping" : "mapping of " + mapping->path;
  if (mapping->path.starts_with('[')) text = mapping->path;
  if (mapping->deleted) text += " (deleted)";
  text += fmt::format(", {}{}{}", mapping->readable ? 'r' : '-', mapping->writable ? 'w' : '-',
                      mapping->executable ? 'x' : '-');
  return AddressDescription{Kind::mapping, std::move(text), mapping->range.begin,
                            mapping->range.bytes()};
}

}  // namespace cgo
