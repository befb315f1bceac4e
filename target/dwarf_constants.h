#pragma once

#include <cstdint>

namespace cgo::dw {

// Source: DWARF 5, section 7 (and DWARF 4 for GNU extensions: gcc's include/dwarf2.def). Only what
// is read here; names are the standard's without their DW_ prefix.

enum Tag : std::uint32_t {
  TAG_array_type = 0x01,
  TAG_class_type = 0x02,
  TAG_enumeration_type = 0x04,
  TAG_member = 0x0d,
  TAG_pointer_type = 0x0f,
  TAG_reference_type = 0x10,
  TAG_compile_unit = 0x11,
  TAG_structure_type = 0x13,
  TAG_subroutine_type = 0x15,
  TAG_typedef = 0x16,
  TAG_union_type = 0x17,
  TAG_inlined_subroutine = 0x1d,
  TAG_ptr_to_member_type = 0x1f,
  TAG_subrange_type = 0x21,
  TAG_const_type = 0x26,
  TAG_subprogram = 0x2e,
  TAG_volatile_type = 0x35,
  TAG_restrict_type = 0x37,
  TAG_interface_type = 0x38,
  TAG_namespace = 0x39,
  TAG_partial_unit = 0x3c,
  TAG_rvalue_reference_type = 0x42,
  TAG_atomic_type = 0x47,
  TAG_call_site = 0x48,
  TAG_skeleton_unit = 0x4a,
  TAG_GNU_call_site = 0x4109,
};

enum Attribute : std::uint16_t {
  AT_sibling = 0x01,
  AT_name = 0x03,
  AT_byte_size = 0x0b,
  AT_stmt_list = 0x10,
  AT_low_pc = 0x11,
  AT_high_pc = 0x12,
  AT_language = 0x13,
  AT_comp_dir = 0x1b,
  AT_producer = 0x25,
  AT_upper_bound = 0x2f,
  AT_abstract_origin = 0x31,
  AT_count = 0x37,
  AT_data_member_location = 0x38,
  AT_declaration = 0x3c,
  AT_external = 0x3f,
  AT_specification = 0x47,
  AT_type = 0x49,
  AT_entry_pc = 0x52,
  AT_ranges = 0x55,
  AT_call_file = 0x58,
  AT_call_line = 0x59,
  AT_signature = 0x69,
  AT_data_bit_offset = 0x6b,
  AT_linkage_name = 0x6e,
  AT_str_offsets_base = 0x72,
  AT_addr_base = 0x73,
  AT_rnglists_base = 0x74,
  AT_dwo_name = 0x76,
  AT_call_return_pc = 0x7d,
  AT_call_origin = 0x7f,
  AT_call_pc = 0x81,
  AT_call_tail_call = 0x82,
  AT_MIPS_linkage_name = 0x2007,
  AT_GNU_tail_call = 0x2115,
  AT_GNU_dwo_name = 0x2130,
  AT_GNU_dwo_id = 0x2131,
  AT_GNU_ranges_base = 0x2132,
  AT_GNU_addr_base = 0x2133,
};

enum Form : std::uint16_t {
  FORM_addr = 0x01,
  FORM_block2 = 0x03,
  FORM_block4 = 0x04,
  FORM_data2 = 0x05,
  FORM_data4 = 0x06,
  FORM_data8 = 0x07,
  FORM_string = 0x08,
  FORM_block = 0x09,
  FORM_block1 = 0x0a,
  FORM_data1 = 0x0b,
  FORM_flag = 0x0c,
  FORM_sdata = 0x0d,
  FORM_strp = 0x0e,
  FORM_udata = 0x0f,
  FORM_ref_addr = 0x10,
  FORM_ref1 = 0x11,
  FORM_ref2 = 0x12,
  FORM_ref4 = 0x13,
  FORM_ref8 = 0x14,
  FORM_ref_udata = 0x15,
  FORM_indirect = 0x16,
  FORM_sec_offset = 0x17,
  FORM_exprloc = 0x18,
  FORM_flag_present = 0x19,
  FORM_strx = 0x1a,
  FORM_addrx = 0x1b,
  FORM_ref_sup4 = 0x1c,
  FORM_strp_sup = 0x1d,
  FORM_data16 = 0x1e,
  FORM_line_strp = 0x1f,
  FORM_ref_sig8 = 0x20,
  FORM_implicit_const = 0x21,
  FORM_loclistx = 0x22,
  FORM_rnglistx = 0x23,
  FORM_ref_sup8 = 0x24,
  FORM_strx1 = 0x25,
  FORM_strx2 = 0x26,
  FORM_strx3 = 0x27,
  FORM_strx4 = 0x28,
  FORM_addrx1 = 0x29,
  FORM_addrx2 = 0x2a,
  FORM_addrx3 = 0x2b,
  FORM_addrx4 = 0x2c,
  FORM_GNU_addr_index = 0x1f01,
  FORM_GNU_str_index = 0x1f02,
  FORM_GNU_ref_alt = 0x1f20,
  FORM_GNU_strp_alt = 0x1f21,
};

enum UnitType : std::uint8_t {
  UT_compile = 0x01,
  UT_type = 0x02,
  UT_partial = 0x03,
  UT_skeleton = 0x04,
  UT_split_compile = 0x05,
  UT_split_type = 0x06,
};

enum RangeListEntry : std::uint8_t {
  RLE_end_of_list = 0x00,
  RLE_base_addressx = 0x01,
  RLE_startx_endx = 0x02,
  RLE_startx_length = 0x03,
  RLE_offset_pair = 0x04,
  RLE_base_address = 0x05,
  RLE_start_end = 0x06,
  RLE_start_length = 0x07,
};

enum LineOpcode : std::uint8_t {
  LNS_copy = 0x01,
  LNS_advance_pc = 0x02,
  LNS_advance_line = 0x03,
  LNS_set_file = 0x04,
  LNS_const_add_pc = 0x08,
  LNS_fixed_advance_pc = 0x09,
};

enum LineExtendedOpcode : std::uint8_t {
  LNE_end_sequence = 0x01,
  LNE_set_address = 0x02,
  LNE_define_file = 0x03,
};

enum LineContent : std::uint16_t {
  LNCT_path = 0x01,
  LNCT_directory_index = 0x02,
};

enum Operation : std::uint8_t { OP_plus_uconst = 0x23 };

}  // namespace cgo::dw
