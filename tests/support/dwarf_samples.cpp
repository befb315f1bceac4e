#include "support/dwarf_samples.h"

namespace cgo {
namespace {

using B = DwarfBuilder;
using Die = DwarfBuilder::Die;

constexpr std::uint64_t kCxx14 = 0x21;

std::vector<B::Attribute> code(std::uint64_t begin, std::uint64_t end) {
  return {B::address(dw::AT_low_pc, begin), B::number(dw::AT_high_pc, end - begin)};
}

Die function(std::string name, std::uint64_t begin, std::uint64_t end,
             std::vector<Die> children = {}) {
  auto attributes = code(begin, end);
  attributes.push_back(B::text(dw::AT_name, name));
  attributes.push_back(B::flag(dw::AT_external));
  return {dw::TAG_subprogram, attributes, std::move(children), name};
}

Die call(std::uint16_t version, std::string callee, std::uint64_t return_pc, bool tail) {
  const bool gnu = version < 5;
  Die die{gnu ? dw::TAG_GNU_call_site : dw::TAG_call_site,
          {B::address(gnu ? dw::AT_low_pc : dw::AT_call_return_pc, return_pc),
           B::ref(gnu ? dw::AT_abstract_origin : dw::AT_call_origin, std::move(callee))}};
  if (tail) die.attributes.push_back(B::flag(gnu ? dw::AT_GNU_tail_call : dw::AT_call_tail_call));
  return die;
}

Die inlined(std::string origin, std::uint64_t begin, std::uint64_t end, std::uint64_t file,
            std::uint64_t line, std::vector<Die> children = {}) {
  auto attributes = code(begin, end);
  attributes.push_back(B::ref(dw::AT_abstract_origin, std::move(origin)));
  attributes.push_back(B::number(dw::AT_call_file, file));
  attributes.push_back(B::number(dw::AT_call_line, line));
  return {dw::TAG_inlined_subroutine, attributes, std::move(children)};
}

Die base_type(std::string name, std::uint64_t bytes) {
  constexpr std::uint32_t kBaseType = 0x24;
  return {kBaseType, {B::text(dw::AT_name, name), B::number(dw::AT_byte_size, bytes)}, {}, name};
}

Die member(std::string name, std::string type, std::uint64_t offset) {
  Die die{dw::TAG_member, {B::ref(dw::AT_type, std::move(type))}};
  if (!name.empty()) die.attributes.push_back(B::text(dw::AT_name, std::move(name)));
  die.attributes.push_back(B::number(dw::AT_data_member_location, offset));
  return die;
}

Die name_space() {
  Die thing{dw::TAG_structure_type,
            {B::text(dw::AT_name, "Thing"), B::number(dw::AT_byte_size, 24)},
            {member("a", "int", 0), member("b", "char[3]", 4), member("", "union", 8),
             member("next", "Thing*", 16)},
            "Thing"};
  Die anonymous{dw::TAG_union_type,
                {B::number(dw::AT_byte_size, 8)},
                {member("c", "long", 0), member("d", "double", 0)},
                "union"};
  Die mid{dw::TAG_subprogram, {B::text(dw::AT_name, "mid")}, {}, "mid"};
  Die in{dw::TAG_subprogram,
         {B::text(dw::AT_name, "in"), B::text(dw::AT_linkage_name, "_ZN2ns2inEi")},
         {},
         "in"};
  return {dw::TAG_namespace, {B::text(dw::AT_name, "ns")}, {thing, anonymous, mid, in}};
}

}  // namespace

DwarfBuilder::Sections sample_sections(std::uint16_t version) {
  B builder(version);
  Die root{dw::TAG_compile_unit,
           {B::text(dw::AT_name, "src/one.c"), B::text(dw::AT_comp_dir, "/build"),
            B::number(dw::AT_language, kCxx14), B::offset(dw::AT_stmt_list, 0)}};
  for (B::Attribute& attribute : root.attributes)
    if (attribute.name == dw::AT_language) attribute.form = dw::FORM_data2;
  for (const B::Attribute& attribute : code(0x1000, 0x1100)) root.attributes.push_back(attribute);
  root.children = {
      base_type("int", 4),
      base_type("char", 1),
      base_type("long", 8),
      base_type("double", 8),
      Die{dw::TAG_array_type,
          {B::ref(dw::AT_type, "char")},
          {Die{dw::TAG_subrange_type, {B::number(dw::AT_upper_bound, 2)}}},
          "char[3]"},
      Die{dw::TAG_pointer_type, {B::ref(dw::AT_type, "Thing")}, {}, "Thing*"},
      name_space(),
      function("outer", 0x1000, 0x1040,
               {inlined("mid", 0x1010, 0x1020, 1, 12, {inlined("in", 0x1014, 0x1018, 2, 30)}),
                call(version, "first", 0x1035, false)}),
      function("first", 0x1040, 0x1060, {call(version, "second", 0x1055, true)}),
      function("second", 0x1060, 0x1080, {call(version, "last", 0x1075, true)}),
      function("last", 0x1080, 0x10a0),
      function("either", 0x10a0, 0x10c0,
               {call(version, "first", 0x10a5, true), call(version, "last", 0x10ab, true)}),
  };
  builder.unit(root);
  return builder.sections({{".debug_line", line_section(version,
                                                        {{0x1000, 1, 10},
                                                         {0x1010, 2, 29},
                                                         {0x1014, 1, 40},
                                                         {0x1018, 2, 31},
                                                         {0x1020, 1, 13},
                                                         {0x1040, 1, 50},
                                                         {0x1060, 1, 60},
                                                         {0x1080, 1, 70}},
                                                        0x10c0)}});
}

}  // namespace cgo
