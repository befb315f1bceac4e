#include "values/describe_address.h"

#include <fmt/format.h>

#include <algorithm>

#include "goruntime/type_descriptor.h"

namespace cgo {
namespace {

using Kind = AddressDescription::Kind;

std::string plus(std::uint64_t offset) { return offset == 0 ? "" : fmt::format("+{}", offset); }

/// The heap of a runtime; nothing without debug information of it.
std::optional<HeapSpans> heap_of(const GoRuntime& runtime, const ImageMap& images,
                                 const DwarfSource& dwarf_of) {
  const Image* image = images.with_path(runtime.parts().image_path);
  if (image == nullptr) return std::nullopt;
  const auto dwarf = dwarf_of(*image);
  if (!dwarf) return std::nullopt;
  const auto layout = gc_layout_from_dwarf(**dwarf);
  const ElfFile* file = (*dwarf)->file();
  const ElfSymbol* symbol = file == nullptr ? nullptr : file->find_symbol("runtime.mheap_");
  if (!layout || symbol == nullptr) return std::nullopt;
  return HeapSpans(*layout, image->to_load(symbol->file_address));
}

}  // namespace

const StopAddresses::Heaps& StopAddresses::heaps() const {
  std::call_once(heaps_once_, [this] {
    for (const auto& runtime : runtimes_.all) {
      const auto heap = heap_of(*runtime, debuggee_.images(), dwarf_);
      heaps_.all = heaps_.all && heap;
      if (heap) heaps_.known.push_back(*heap);
    }
  });
  return heaps_;
}

const GoStacks& StopAddresses::stacks() const {
  std::call_once(stacks_once_, [this] { stacks_.emplace(debuggee_.memory(), runtimes_); });
  return *stacks_;
}

std::optional<AddressDescription> StopAddresses::in_image(Address address) const {
  const Image* image = debuggee_.images().find(address);
  if (image == nullptr) return std::nullopt;
  AddressDescription what;
  what.kind = Kind::mapping;
  what.text = "memory of " + std::string(image->name());
  if (!image->file || image->mismatch) return what;
  const Address file_address = image->to_file(address);
  if (debuggee_.images().executable(address)) {
    what.kind = Kind::code;
    what.text = "code of " + std::string(image->name());
    if (const GoRuntime* runtime = runtimes_.at(address))
      if (const auto function = runtime->function_at(address)) {
        what.base = function->entry;
        what.text = std::string(function->name) + plus(address.value - function->entry.value);
        return what;
      }
    if (const ElfSymbol* symbol = image->file->symbol_at(file_address)) {
      what.base = image->to_load(symbol->file_address);
      what.bytes = symbol->bytes;
      what.text = std::string(symbol->name) + plus(address.value - what.base.value);
    }
    return what;
  }
  if (const auto dwarf = dwarf_(*image))
    if (const auto variable = (*dwarf)->variable_at(file_address)) {
      what.kind = Kind::global;
      what.text = variable->name;
      // All Go objects without a size are there, and maybe a variable without one.
      const ElfSymbol* zero = image->file->find_symbol("runtime.zerobase");
      if (zero != nullptr && zero->file_address == file_address) what.text = "runtime.zerobase";
      if (const auto begin = evaluate_number(variable->variable.location, {})) {
        what.base = image->to_load({*begin});
        what.text += plus(file_address.value - *begin);
      }
      if (variable->variable.type != nullptr) what.bytes = variable->variable.type->bytes();
      return what;
    }
  // What the compiler made for literals, and data of code without debug information.
  if (const ElfSymbol* symbol = image->file->object_at(file_address)) {
    what.kind = Kind::global;
    what.base = image->to_load(symbol->file_address);
    what.bytes = symbol->bytes;
    what.text = std::string(symbol->name) + plus(address.value - what.base.value);
  }
  return what;
}

/// Code has the upper bounds of stacks, which are no part of them.
std::optional<AddressDescription> StopAddresses::end_of_stack(Address address) const {
  auto what = stacks().goroutine_at({address.value - 1});
  if (what) what->text = "the end of the " + what->text;
  return what;
}

/// Spans that the runtime manages by itself hold stacks, and its own data.
std::optional<AddressDescription> StopAddresses::in_stack_span(const HeapSpan& span,
                                                               Address address) const {
  if (auto what = stacks().goroutine_at(address)) return what;
  if (auto what = stacks().machine_at(address)) return what;
  if (auto what = end_of_stack(address)) return what;
  AddressDescription what{Kind::go_heap, "memory of the Go runtime", span.range.begin,
                          span.range.bytes()};
  // Source: src/runtime/stack.go, stackpoolalloc and stackalloc: only spans of stacks are cut.
  const std::uint64_t bytes = span.element_bytes;
  if (bytes == 0 || bytes > span.range.bytes()) return what;
  const std::uint64_t index = (address.value - span.range.begin.value) / bytes;
  what.kind = Kind::go_freed;
  what.text = "freed stack memory of the Go runtime";
  what.base = {span.range.begin.value + index * bytes};
  what.bytes = bytes;
  return what;
}

std::optional<AddressDescription> StopAddresses::in_go_heap(const HeapSpans& heap,
                                                            Address address) const {
  const MemoryReader& memory = debuggee_.memory();
  const auto span = heap.span_at(memory, address);
  if (!span) return AddressDescription{Kind::memory, "memory, perhaps of the Go heap", {}, 0};
  if (!*span) {
    if (!heap.reserved(memory, address)) return std::nullopt;
    if (auto what = end_of_stack(address)) return what;
    return AddressDescription{Kind::go_freed, "Go heap, free pages", {}, 0};
  }
  if ((*span)->state == HeapSpan::State::manual) return in_stack_span(**span, address);
  AddressDescription what{Kind::go_heap, "Go heap, no object", (*span)->range.begin,
                          (*span)->range.bytes()};
  const auto object = heap.object_at(memory, **span, address);
  if (!object || !*object) return what;
  const AddressRange range = (*object)->range;
  what = {(*object)->allocated ? Kind::go_object : Kind::go_freed, "", range.begin, range.bytes()};
  what.text =
      fmt::format("{} of {} bytes{}", (*object)->allocated ? "Go object" : "Go heap, free slot",
                  range.bytes(), plus(address.value - range.begin.value));
  if ((*object)->allocated) what.text += type_note(**span, range);
  return what;
}

/// The type that a larger object was allocated as, or that of its elements, where the heap keeps
/// it: in a word in front of it, since Go 1.22. " (main.T)"; empty for others.
std::string StopAddresses::type_note(const HeapSpan& span, AddressRange object) const {
  if (span.header_bytes != 8) return {};
  const MemoryReader& memory = debuggee_.memory();
  const auto descriptor = read_pointer(memory, {object.begin.value - 8});
  if (!descriptor) return {};
  for (const auto& runtime : runtimes_.all)
    for (const auto& module : runtime->parts().modules) {
      const AddressRange types = module->tables().types;
      if (!types.contains(*descriptor)) continue;
      const auto head = decode_type_descriptor(memory, *descriptor);
      const auto name = head ? type_text(memory, types, *head) : Result<std::string>(head.error());
      if (!name || head->bytes == 0 || head->bytes > object.bytes()) return {};
      return fmt::format(" ({}{})", head->bytes * 2 <= object.bytes() ? "elements of " : "", *name);
    }
  return {};
}

std::optional<AddressDescription> StopAddresses::in_go(Address address) const {
  for (const HeapSpans& heap : heaps().known)
    if (auto what = in_go_heap(heap, address)) return what;
  if (heaps().all || runtimes_.all.empty()) return std::nullopt;
  // Goroutines' stacks lie in the heap; where that is not known, they still are.
  return stacks().goroutine_at(address);
}

/// The runtime estimates where the stacks of threads begin: guard pages, and what lies below them,
/// are no part of a stack.
std::optional<AddressDescription> StopAddresses::on_machine_stack(Address address) const {
  auto what = stacks().machine_at(address);
  if (!what || debuggee_.mappings() == nullptr) return what;
  const Mapping* mapping = debuggee_.mappings()->find(address);
  if (mapping == nullptr) return what;
  const Address last{what->base.value + what->bytes - 1};
  if (!mapping->writable || !mapping->range.contains(last)) return std::nullopt;
  const Address begin = std::max(what->base, mapping->range.begin);
  what->bytes -= begin.value - what->base.value;
  what->base = begin;
  return what;
}

std::optional<AddressDescription> StopAddresses::in_c(Address address) const {
  const std::lock_guard lock(c_mutex_);
  if (auto what = c_.in_heap(address)) return what;
  auto of_thread = c_.of_thread(address);
  if (of_thread && of_thread->kind != Kind::c_stack) return of_thread;
  // The runtime's bounds of a stack that C made are worth something on its own thread alone.
  auto of_machine = on_machine_stack(address);
  if (of_machine && (!of_thread || of_thread->thread == of_machine->thread)) return of_machine;
  return of_thread;
}

AddressDescription StopAddresses::in_mapping(Address address) const {
  auto mapping = c_.in_mapping(address);
  const bool readable = read_bytes(debuggee_.memory(), address, 1, 1).has_value();
  const bool anonymous = !mapping || mapping->text.starts_with("anonymous");
  if (readable && anonymous && !heaps().all)
    return {Kind::memory, "memory, perhaps of the Go heap", {}, 0};
  if (mapping && !readable && debuggee_.mappings()->find(address)->readable)
    mapping->text += "; what is there is missing here";
  if (mapping) return *std::move(mapping);
  if (readable) return {Kind::memory, "memory outside of Go", {}, 0};
  // Source: Linux, vm.mmap_min_addr: nothing is ever mapped below, but for programs of the kernel's
  // own choice.
  constexpr Address kLowestMapped{0x10000};
  return {Kind::nothing,
          address < kLowestMapped ? fmt::format("not mapped (the number {})", address.value)
                                  : "not mapped",
          {},
          0};
}

AddressDescription StopAddresses::describe(Address address) const {
  if (!address) return {Kind::nothing, "nil", {}, 0};
  if (auto what = in_image(address)) return *std::move(what);
  if (auto what = in_go(address)) return *std::move(what);
  if (!debuggee_.mappings() || debuggee_.mappings()->find(address))
    if (auto what = in_c(address)) return *std::move(what);
  return in_mapping(address);
}

std::optional<AddressDescription> StopAddresses::freed_at(Address address) const {
  if (!address || debuggee_.images().find(address) != nullptr) return std::nullopt;
  auto what = in_go(address);
  if (!what) {
    if (debuggee_.mappings() && !debuggee_.mappings()->find(address)) return std::nullopt;
    const std::lock_guard lock(c_mutex_);
    what = c_.in_heap(address);
  }
  if (!what || !what->freed()) return std::nullopt;
  return what;
}

std::string_view name_of(AddressDescription::Kind kind) {
  switch (kind) {
    case Kind::nothing:
      return "nothing";
    case Kind::go_object:
      return "go_object";
    case Kind::go_freed:
      return "go_freed";
    case Kind::go_heap:
      return "go_heap";
    case Kind::goroutine_stack:
      return "goroutine_stack";
    case Kind::system_stack:
      return "system_stack";
    case Kind::signal_stack:
      return "signal_stack";
    case Kind::c_block:
      return "c_block";
    case Kind::c_freed:
      return "c_freed";
    case Kind::c_heap:
      return "c_heap";
    case Kind::c_stack:
      return "c_stack";
    case Kind::thread_local_storage:
      return "thread_local";
    case Kind::global:
      return "global";
    case Kind::code:
      return "code";
    case Kind::mapping:
      return "mapping";
    case Kind::memory:
      return "memory";
  }
  return "memory";
}

}  // namespace cgo
