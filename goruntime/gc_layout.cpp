#include "goruntime/gc_layout.h"

#include "goruntime/structure_members.h"

namespace cgo {
namespace {

OptionalField field(const StructureMembers& structure, std::string_view name) {
  const DwarfMember* member = structure.find(name);
  if (member == nullptr) return std::nullopt;
  return FieldOffset{static_cast<std::uint32_t>(member->offset)};
}

void read_heap(StructureMembers& mheap, StructureMembers& arena, GcLayout& out) {
  out.sweepgen = {mheap.offset("sweepgen")};
  out.allspans = {mheap.offset("allspans")};
  out.arenas = {mheap.offset("arenas")};
  out.arena_spans = {arena.offset("spans")};
  out.arena_bitmap = field(arena, "bitmap");
  out.arena_no_more_pointers = field(arena, "noMorePtrs");
  out.heap_bits = !out.arena_bitmap            ? GcLayout::HeapBits::headers
                  : out.arena_no_more_pointers ? GcLayout::HeapBits::one_bit
                                               : GcLayout::HeapBits::two_bits;
}

void read_span(StructureMembers& span, GcLayout& out) {
  out.span_bytes = span.size();
  out.index_bytes = span.bytes("nelems");
  out.start = {span.offset("startAddr")};
  out.pages = {span.offset("npages")};
  out.elements = {span.offset("nelems")};
  out.free_index = {span.offset("freeindex")};
  out.alloc_bits = {span.offset("allocBits")};
  out.mark_bits = {span.offset("gcmarkBits")};
  out.span_sweepgen = {span.offset("sweepgen")};
  out.span_class = {span.offset("spanclass")};
  out.state = {span.offset("state")};
  out.element_bytes = {span.offset("elemsize")};
  out.specials = {span.offset("specials")};
  out.pinner_bits = field(span, "pinnerBits");
  out.user_arena = field(span, "isUserArenaChunk");
  out.large_type = field(span, "largeType");
}

void read_specials(StructureMembers& special, const DwarfInfo& dwarf, GcLayout& out) {
  out.special_next = {special.offset("next")};
  out.special_offset = {special.offset("offset")};
  out.special_offset_bytes = special.bytes("offset");
  out.special_kind = {special.offset("kind")};
  out.weak_handle = field(StructureMembers(dwarf, "runtime.specialWeakHandle"), "handle");
  const StructureMembers cleanup(dwarf, "runtime.specialCleanup");
  for (const char* name : {"fn", "cleanup"})
    if (const DwarfMember* member = cleanup.find(name)) {
      out.cleanup = FieldOffset{static_cast<std::uint32_t>(member->offset)};
      out.cleanup_bytes = static_cast<std::uint32_t>(member->bytes);
    }
}

void read_goroutine(StructureMembers& g, StructureMembers& gobuf, const DwarfInfo& dwarf,
                    GcLayout& out) {
  out.g_context = {g.offset("sched") + gobuf.offset("ctxt")};
  out.g_defer = {g.offset("_defer")};
  out.g_panic = {g.offset("_panic")};
  out.g_async_safe_point = {g.offset("asyncSafePoint")};
  const StructureMembers registers(dwarf, "runtime.xRegState");
  if (registers.size() == 0) return;
  out.g_vector_registers = field(g, "xRegs");
  out.vector_register_bytes = registers.size();
}

}  // namespace

Result<GcLayout> gc_layout_from_dwarf(const DwarfInfo& dwarf) {
  StructureMembers mheap(dwarf, "runtime.mheap"), arena(dwarf, "runtime.heapArena"),
      span(dwarf, "runtime.mspan"), special(dwarf, "runtime.special"),
      finalizer(dwarf, "runtime.specialfinalizer"), module(dwarf, "runtime.moduledata"),
      g(dwarf, "runtime.g"), gobuf(dwarf, "runtime.gobuf"), p(dwarf, "runtime.p"),
      mcache(dwarf, "runtime.mcache"), call(dwarf, "runtime._defer");
  GcLayout out;
  read_heap(mheap, arena, out);
  read_span(span, out);
  read_specials(special, dwarf, out);
  out.finalizer_function = {finalizer.offset("fn")};
  out.inline_marks = StructureMembers(dwarf, "runtime.spanInlineMarkBits").size() != 0;
  out.data = {module.offset("data")};
  out.edata = {module.offset("edata")};
  out.bss = {module.offset("bss")};
  out.ebss = {module.offset("ebss")};
  out.rodata = {module.offset("rodata")};
  out.data_mask = {module.offset("gcdatamask")};
  out.bss_mask = {module.offset("gcbssmask")};
  read_goroutine(g, gobuf, dwarf, out);
  out.p_mcache = {p.offset("mcache")};
  out.mcache_tiny = {mcache.offset("tiny")};
  out.defer_heap = {call.offset("heap")};
  out.defer_function = {call.offset("fn")};
  out.defer_link = {call.offset("link")};
  for (const StructureMembers* one :
       {&mheap, &arena, &span, &special, &finalizer, &module, &g, &gobuf, &p, &mcache, &call})
    if (one->error()) return *one->error();
  return out;
}

}  // namespace cgo
