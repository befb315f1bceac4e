#include "owners/go_memory.h"

namespace cgo {

Result<GcLayout> gc_layout_of(const GoRuntime& runtime, const ImageMap& images,
                              const DwarfSource& dwarf) {
  const auto& parts = runtime.parts();
  const Image* image = images.with_path(parts.image_path);
  if (dwarf && image != nullptr) {
    const auto found = dwarf(*image);
    if (found) {
      auto layout = gc_layout_from_dwarf(**found);
      if (layout) return layout;
    }
  }
  return gc_layout_from_table(parts.version, parts.version_text);
}

Result<GoMemory> read_go_memory(const Debuggee& debuggee, const GoRuntime& runtime,
                                const Unwinder& unwinder, const DwarfSource& dwarf,
                                GcHeap::Marks marks) {
  auto layout = gc_layout_of(runtime, debuggee.images(), dwarf);
  if (!layout) return std::move(layout).error();
  const MemoryReader& memory = debuggee.memory();
  GcPlaces places = find_gc_places(memory, debuggee.images(), runtime, *layout);
  auto heap = GcHeap::read(memory, *layout, places.mheap, marks);
  if (!heap) return std::move(heap).error().in("Go heap");
  GcSpecials specials = read_specials(memory, *layout, runtime.version(), *heap);
  // An unmarked object of a span that is not swept yet lives on when a finalizer will run for it.
  for (const GcSpecial& special : specials.found)
    if (special.kind == SpecialKind::finalizer) heap->revive(special.object);
  return GoMemory{.debuggee = debuggee,
                  .runtime = runtime,
                  .unwinder = unwinder,
                  .layout = *layout,
                  .places = std::move(places),
                  .heap = *std::move(heap),
                  .specials = std::move(specials)};
}

}  // namespace cgo
