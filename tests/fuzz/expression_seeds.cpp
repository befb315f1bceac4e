#include "seeds.h"
#include "support/elf_builder.h"
#include "target/dwarf_constants.h"

namespace cgo {

void write_seeds(const SeedWriter& out) {
  out.add("frame_base", ByteWriter().u8(dw::OP_reg0 + 6).u8(dw::OP_fbreg).u8(0x78).take());
  out.add("pieces", ByteWriter()
                        .u8(dw::OP_fbreg)
                        .u8(8)
                        .u8(dw::OP_piece)
                        .u8(8)
                        .u8(dw::OP_reg0 + 3)
                        .u8(dw::OP_bit_piece)
                        .u8(5)
                        .u8(3)
                        .take());
  out.add("loop", ByteWriter().u8(dw::OP_lit0).u8(dw::OP_skip).u16(0xfffc).take());
  out.add("entry", ByteWriter()
                       .u8(dw::OP_entry_value)
                       .u8(1)
                       .u8(dw::OP_reg0)
                       .u8(dw::OP_deref_size)
                       .u8(4)
                       .u8(dw::OP_stack_value)
                       .take());
  out.add("arithmetic", ByteWriter()
                            .u8(dw::OP_const4s)
                            .u32(0x80000000)
                            .u8(dw::OP_consts)
                            .u8(0x7f)
                            .u8(dw::OP_div)
                            .u8(dw::OP_call_frame_cfa)
                            .u8(dw::OP_shra)
                            .u8(dw::OP_implicit_value)
                            .u8(2)
                            .u16(7)
                            .take());
}

}  // namespace cgo
