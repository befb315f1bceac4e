#include "values/describe_address.h"

#include <fmt/format.h>

#include <algorithm>

namespace cgo {
namespace {

using Kind = AddressDescription::Kind;

std::string plus(std::uint64_t offset) { return offset == 0 ? "" : fmt::format("+{}", offset); }

const Image* image_of(const ImageMap& images, const std::string& path) {
  for (const Image& image : images.all())
    if (image.path == path) return &image;
  return nullptr;
}

/// The heap of a runtime; nothing without debug information of it.
std::optional<HeapSpans> heap_of(const GoRuntime& runtime, const ImageMap& images,
                                 const DwarfSource& dwarf_of) {
  const Image* image = image_of(images, runtime.parts().image_path);
  if (image == nullptr) return std::nullopt;
  const auto dwarf = dwarf_of(*image);
  if (!dwarf) return std::nullopt;
  const auto layout = heap_layout_from_dwarf(**dwarf);
  const ElfFile* file = (*dwarf)->file();
  const ElfSymbol* symbol = file == nullptr ? nullptr : file->find_symbol("runtime.mheap_");
  if (!layout || symbol == nullptr) return std::nullopt;
  return HeapSpans(*layout, image->to_load(symbol->file_address));
}

}  // namespace

const StopAddresses::Known& StopAddresses::known() const {
  std::call_once(once_, [this] {
    for (const auto& runtime : runtimes_.all) {
      for (const Goroutine& g : runtime->goroutines(debuggee_.memory()).found)
        if (g.alive() && g.stack.begin) known_.stacks.push_back({g.stack, g.id});
      const auto heap = heap_of(*runtime, debuggee_.images(), dwarf_);
      known_.every_heap = known_.every_heap && heap;
      if (heap) known_.heaps.push_back(*heap);
    }
    std::sort(known_.stacks.begin(), known_.stacks.end(),
              [](const Stack& a, const Stack& b) { return a.range.begin < b.range.begin; });
  });
  return known_;
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

std::optional<AddressDescription> StopAddresses::on_stack(Address address) const {
  const auto& stacks = known().stacks;
  auto after = std::upper_bound(
      stacks.begin(), stacks.end(), address,
      [](Address wanted, const Stack& stack) { return wanted < stack.range.begin; });
  if (after == stacks.begin()) return std::nullopt;
  const Stack& stack = *--after;
  if (!stack.range.contains(address)) return std::nullopt;
  return AddressDescription{Kind::goroutine_stack,
                            fmt::format("stack of goroutine {}", stack.goroutine),
                            stack.range.begin, stack.range.bytes()};
}

std::optional<AddressDescription> StopAddresses::in_heap(Address address) const {
  for (const HeapSpans& heap : known().heaps) {
    const auto span = heap.span_at(debuggee_.memory(), address);
    if (!span) return AddressDescription{Kind::memory, "memory, perhaps of the Go heap", {}, 0};
    if (!*span) continue;
    AddressDescription what{Kind::go_heap, "Go heap, no object", (*span)->range.begin,
                            (*span)->range.bytes()};
    if ((*span)->state == HeapSpan::State::manual) what.text = "memory of the Go runtime";
    const auto object = heap.object_at(debuggee_.memory(), **span, address);
    if (!object || !*object) return what;
    const AddressRange range = (*object)->range;
    const std::string inside = plus(address.value - range.begin.value);
    if (!(*object)->allocated) {
      what.text = fmt::format("Go heap, free slot of {} bytes", range.bytes()) + inside;
      return what;
    }
    return AddressDescription{Kind::go_object,
                              fmt::format("Go object of {} bytes", range.bytes()) + inside,
                              range.begin, range.bytes()};
  }
  return std::nullopt;
}

AddressDescription StopAddresses::describe(Address address) const {
  if (!address) return {Kind::nothing, "nil", {}, 0};
  if (auto what = in_image(address)) return *what;
  if (auto what = on_stack(address)) return *what;
  if (auto what = in_heap(address)) return *what;
  if (read_bytes(debuggee_.memory(), address, 1, 1))
    return {Kind::memory,
            known().every_heap ? "memory outside of Go" : "memory, perhaps of the Go heap",
            {},
            0};
  return {Kind::nothing, "not mapped", {}, 0};
}

}  // namespace cgo
