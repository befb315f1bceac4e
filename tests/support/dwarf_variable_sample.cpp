#include "support/dwarf_samples.h"

namespace cgo {
namespace {

using B = DwarfBuilder;
using Die = DwarfBuilder::Die;

constexpr std::uint64_t kC11 = 0x1d;

std::vector<std::byte> code(std::initializer_list<unsigned> bytes) {
  std::vector<std::byte> out;
  for (const unsigned byte : bytes) out.push_back(std::byte(byte));
  return out;
}
B::Attribute expression(std::uint16_t name, std::initializer_list<unsigned> bytes) {
  return {name, dw::FORM_exprloc, code(bytes)};
}
std::vector<std::byte> address_of(std::uint64_t address) {
  return ByteWriter().u8(dw::OP_addr).u64(address).take();
}

Die base(std::string name, std::uint64_t bytes, std::uint64_t encoding) {
  return {dw::TAG_base_type,
          {B::text(dw::AT_name, name), B::number(dw::AT_byte_size, bytes),
           B::number(dw::AT_encoding, encoding)},
          {},
          name};
}
Die made_from(std::uint32_t tag, std::string label, std::string target, std::string name = {}) {
  Die die{tag, {}, {}, std::move(label)};
  if (!target.empty()) die.attributes.push_back(B::ref(dw::AT_type, std::move(target)));
  if (!name.empty()) die.attributes.push_back(B::text(dw::AT_name, std::move(name)));
  return die;
}
Die variable(std::uint32_t tag, std::string name, std::string type,
             std::vector<B::Attribute> more) {
  Die die{tag, {B::text(dw::AT_name, name), B::ref(dw::AT_type, std::move(type))}, {}, name};
  for (B::Attribute& one : more) die.attributes.push_back(std::move(one));
  return die;
}
Die instance(std::uint32_t tag, std::string origin, std::initializer_list<unsigned> location) {
  return {
      tag,
      {B::ref(dw::AT_abstract_origin, std::move(origin)), expression(dw::AT_location, location)}};
}
Die covering(std::uint32_t tag, std::uint64_t begin, std::uint64_t end, std::vector<Die> children) {
  return {tag,
          {B::address(dw::AT_low_pc, begin), B::number(dw::AT_high_pc, end - begin)},
          std::move(children)};
}

/// `from_low`: how DWARF 5 counts; DWARF 4 counts from the high end of `storage` bytes.
Die bit_field(std::uint16_t version, std::string name, std::string type, std::uint64_t from_low,
              std::uint64_t bits, std::uint64_t storage) {
  Die die{dw::TAG_member,
          {B::text(dw::AT_name, name), B::ref(dw::AT_type, std::move(type)),
           B::number(dw::AT_bit_size, bits)}};
  if (version >= 5) {
    die.attributes.push_back(B::number(dw::AT_data_bit_offset, from_low));
  } else {
    const std::uint64_t at = from_low / (storage * 8) * storage;
    die.attributes.push_back(B::number(dw::AT_data_member_location, at));
    die.attributes.push_back(B::number(dw::AT_byte_size, storage));
    die.attributes.push_back(
        B::number(dw::AT_bit_offset, storage * 8 - bits - (from_low - at * 8)));
  }
  return die;
}

std::vector<Die> types(std::uint16_t version) {
  return {
      base("int", 4, dw::ATE_signed),
      base("long", 8, dw::ATE_signed),
      base("char", 1, dw::ATE_signed_char),
      base("unsigned int", 4, dw::ATE_unsigned),
      made_from(dw::TAG_const_type, "const char", "char"),
      made_from(dw::TAG_pointer_type, "text", "const char"),
      made_from(dw::TAG_subroutine_type, "function", "int"),
      made_from(dw::TAG_pointer_type, "callback", "function"),
      made_from(dw::TAG_pointer_type, "void*", ""),
      made_from(dw::TAG_typedef, "word", "unsigned int", "word"),
      {dw::TAG_enumeration_type,
       {B::text(dw::AT_name, "color"), B::number(dw::AT_byte_size, 4)},
       {{dw::TAG_enumerator, {B::text(dw::AT_name, "red"), B::number(dw::AT_const_value, 0)}},
        {dw::TAG_enumerator,
         {B::text(dw::AT_name, "blue"),
          {dw::AT_const_value, dw::FORM_sdata, std::uint64_t{0x7f}}}}},
       "color"},
      {dw::TAG_structure_type,
       {B::text(dw::AT_name, "bits"), B::number(dw::AT_byte_size, 16)},
       {bit_field(version, "a", "int", 0, 3, 4), bit_field(version, "b", "int", 3, 5, 4),
        bit_field(version, "wide", "long", 64, 40, 8)},
       "bits"},
      {dw::TAG_structure_type,
       {B::text(dw::AT_name, "hidden"), B::flag(dw::AT_declaration)},
       {},
       "hidden"},
      made_from(dw::TAG_pointer_type, "hidden*", "hidden"),
  };
}

/// The places of parameter a.
std::vector<std::byte> location_list(std::uint16_t version) {
  const auto on_entry = code({dw::OP_entry_value, 1, dw::OP_reg0 + 5, dw::OP_stack_value});
  ByteWriter out;
  if (version < 5) {
    out.u64(0).u64(0x10).u16(1).u8(dw::OP_reg0 + 5);  // From the start of the unit.
    out.u64(~std::uint64_t{0}).u64(0x1000);           // A base; offsets from here on.
    out.u64(0x10).u64(0x20).u16(4).bytes(on_entry);
    return out.u64(0).u64(0).take();
  }
  out.u8(dw::LLE_start_end).u64(0x1000).u64(0x1010).u8(1).u8(dw::OP_reg0 + 5);
  out.u8(dw::LLE_base_address).u64(0x1000);
  out.u8(dw::LLE_offset_pair).u8(0x10).u8(0x20).u8(4).bytes(on_entry);
  return out.u8(dw::LLE_end_of_list).take();
}

Die call_of_f(std::uint16_t version) {
  const bool gnu = version < 5;
  Die site{gnu ? dw::TAG_GNU_call_site : dw::TAG_call_site,
           {B::address(gnu ? dw::AT_low_pc : dw::AT_call_return_pc, 0x1035),
            B::ref(gnu ? dw::AT_abstract_origin : dw::AT_call_origin, "f")}};
  site.children.push_back(
      {gnu ? dw::TAG_GNU_call_site_parameter : dw::TAG_call_site_parameter,
       {expression(dw::AT_location, {dw::OP_reg0 + 5}),
        expression(gnu ? dw::AT_GNU_call_site_value : dw::AT_call_value, {dw::OP_breg0 + 3, 1})}});
  return site;
}

Die function_f(std::uint16_t version) {
  Die inlined = covering(dw::TAG_inlined_subroutine, 0x1020, 0x1028,
                         {instance(dw::TAG_formal_parameter, "p", {dw::OP_reg0})});
  inlined.attributes.push_back(B::ref(dw::AT_abstract_origin, "g"));
  Die inner = covering(
      dw::TAG_lexical_block, 0x1020, 0x1030,
      {variable(dw::TAG_variable, "w", "bits", {expression(dw::AT_location, {dw::OP_fbreg, 0x68})}),
       inlined});
  Die block = covering(dw::TAG_lexical_block, 0x1010, 0x1040,
                       {variable(dw::TAG_variable, "v", "int",
                                 {{dw::AT_const_value, dw::FORM_data1, std::uint64_t{7}}}),
                        inner, call_of_f(version)});
  Die f = covering(dw::TAG_subprogram, 0x1000, 0x1080,
                   {variable(dw::TAG_formal_parameter, "a", "int", {B::offset(dw::AT_location, 0)}),
                    variable(dw::TAG_formal_parameter, "b", "long",
                             {expression(dw::AT_location, {dw::OP_reg0 + 4})}),
                    variable(dw::TAG_variable, "v", "color",
                             {expression(dw::AT_location, {dw::OP_fbreg, 0x70})}),
                    variable(dw::TAG_variable, "seen", "text",
                             {{dw::AT_location, dw::FORM_exprloc, address_of(0x5008)}}),
                    block});
  f.attributes.push_back(B::text(dw::AT_name, "f"));
  f.attributes.push_back(expression(dw::AT_frame_base, {dw::OP_call_frame_cfa}));
  f.label = std::string("f");
  return f;
}

Die root(std::string name) {
  return {dw::TAG_compile_unit,
          {B::text(dw::AT_name, std::move(name)),
           {dw::AT_language, dw::FORM_data2, kC11},
           B::offset(dw::AT_stmt_list, 0)}};
}

}  // namespace

DwarfBuilder::Sections variable_sections(std::uint16_t version) {
  B builder(version);
  Die first = root("one.c");
  first.attributes.push_back(B::address(dw::AT_low_pc, 0x1000));
  first.attributes.push_back(B::number(dw::AT_high_pc, 0x100));
  first.children = types(version);
  first.children.push_back({dw::TAG_subprogram,
                            {B::text(dw::AT_name, "g")},
                            {variable(dw::TAG_formal_parameter, "p", "int", {}),
                             variable(dw::TAG_formal_parameter, "r", "int", {}),
                             variable(dw::TAG_variable, "q", "callback", {})},
                            "g"});
  first.children.push_back(function_f(version));
  first.children.push_back(variable(
      dw::TAG_variable, "counter", "word",
      {{dw::AT_location, dw::FORM_exprloc, address_of(0x5000)}, B::flag(dw::AT_external)}));
  builder.unit(first);
  Die second = root("two.c");
  second.children = {
      base("int", 4, dw::ATE_signed),
      {dw::TAG_array_type,
       {B::ref(dw::AT_type, "int")},
       {{dw::TAG_subrange_type, {B::number(dw::AT_upper_bound, 1)}},
        {dw::TAG_subrange_type, {B::number(dw::AT_count, 3)}}},
       "grid"},
      {dw::TAG_structure_type,
       {B::text(dw::AT_name, "hidden"), B::number(dw::AT_byte_size, 28)},
       {{dw::TAG_member,
         {B::text(dw::AT_name, "x"), B::ref(dw::AT_type, "int"),
          B::number(dw::AT_data_member_location, 0)}},
        {dw::TAG_member,
         {B::text(dw::AT_name, "grid"), B::ref(dw::AT_type, "grid"),
          B::number(dw::AT_data_member_location, 4)}}}},
  };
  builder.unit(second);
  return builder.sections({{version < 5 ? ".debug_loc" : ".debug_loclists", location_list(version)},
                           {".debug_line", line_section(version, {{0x1000, 1, 10}}, 0x1080)}});
}

}  // namespace cgo
