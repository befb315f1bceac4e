#pragma once

#include <catch2/catch_test_macros.hpp>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "stops/python_error.h"
#include "support/elf_builder.h"
#include "support/memory_image.h"
#include "target/elf.h"

namespace cgo {

inline constexpr Address kState{0x10000}, kVersion{0x20000}, kPointers{0x21000},
    kInterpreter{0x30000}, kThread{0x40000}, kOtherThread{0x41000}, kTypes{0x50000},
    kObjects{0x60000};
inline constexpr std::uint64_t kThreadPointer = 0x7000, kOtherThreadPointer = 0x8000;
inline constexpr std::uint64_t kOwnStr = 0xf01, kBaseStr = 0xf02, kKeyStr = 0xf03, kOsStr = 0xf04,
                               kSyntaxStr = 0xf05, kImportStr = 0xf06, kInit = 0xf07, kNew = 0xf08;

/// A process with a CPython in it, as its layout says, and one exception to be made pending.
class World {
 public:
  explicit World(unsigned minor) : layout_(*python_layout_for(3, minor)) {
    memory.u64(kVersion, 0x030000f0 | std::uint64_t{minor} << 16);
    if (minor == 13) own_offsets();
    types();
    memory.pointer(wrapping_add(kState, layout_.interpreters_head), kInterpreter)
        .u64(wrapping_add(kInterpreter, layout_.interpreter_next), 0)
        .pointer(wrapping_add(kInterpreter, layout_.threads_head), kOtherThread);
    thread(kOtherThread, kThread, kOtherThreadPointer);
    thread(kThread, {}, kThreadPointer);
    if (layout_.current_thread)
      memory.pointer(wrapping_add(kState, *layout_.current_thread), kThread);
  }

  ImageMap images(bool debug = false, bool named = true) const {
    std::vector<ElfBuilder::Symbol> symbols{
        object("_PyRuntime", kState),
        object("PyExc_BaseException", kPointers),
        object("PyExc_KeyError", wrapping_add(kPointers, 8)),
        object("PyExc_OSError", wrapping_add(kPointers, 16)),
        object("PyExc_SyntaxError", wrapping_add(kPointers, 24)),
        object("PyExc_ImportError", wrapping_add(kPointers, 32))};
    if (layout_.minor >= 11) symbols.push_back(object("Py_Version", kVersion));
    if (debug) symbols.push_back(object("_Py_NegativeRefcount", kState));
    ElfBuilder elf(3);
    elf.section({.name = ".data", .flags = 3, .address = kState, .contents = {}});
    elf.segment({.address = kState, .contents = std::vector<std::byte>(16)});
    elf.symbols(symbols);
    const std::string name = "libpython3." + std::to_string(layout_.minor) + ".so.1.0";
    auto file = ElfFile::from_bytes(elf.build(), name);
    REQUIRE(file);
    return ImageMap({Image{.path = named ? "/usr/lib/" + name : "/bin/program",
                           .file = *file,
                           .range = {kState, wrapping_add(kState, 16)}}});
  }

  Address text(std::string_view ascii) {
    const Address at = object_of(str);
    memory.u64(wrapping_add(at, 16), ascii.size())
        .u32(wrapping_add(at, 32), 1U << 2 | 1U << 5 | 1U << 6)
        .text(wrapping_add(at, layout_.ascii_data), ascii);
    return at;
  }
  template <class Character>
  Address wide_text(std::basic_string_view<Character> characters) {
    const Address at = object_of(str);
    memory.u64(wrapping_add(at, 16), characters.size())
        .u32(wrapping_add(at, 32), unsigned{sizeof(Character)} << 2 | 1U << 5)
        .bytes(wrapping_add(at, layout_.compact_data), std::as_bytes(std::span(characters)));
    return at;
  }
  Address number(std::int64_t value) {
    const Address at = object_of(integer);
    const std::uint64_t magnitude =
        value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
    const std::uint64_t digits = magnitude == 0 ? 0 : magnitude >> 30 == 0 ? 1 : 2;
    if (layout_.long_has_tag)
      memory.u64(wrapping_add(at, 16), digits << 3 | (value == 0 ? 1 : value < 0 ? 2 : 0));
    else
      memory.u64(wrapping_add(at, 16), value < 0 ? 0 - digits : digits);
    memory.u32(wrapping_add(at, 24), magnitude & 0x3fff'ffff)
        .u32(wrapping_add(at, 28), static_cast<std::uint32_t>(magnitude >> 30));
    return at;
  }
  Address items(std::initializer_list<Address> items) {
    const Address at = object_of(tuple);
    memory.u64(wrapping_add(at, 16), items.size());
    std::uint64_t offset = 24;
    for (const Address item : items)
      memory.pointer(wrapping_add(at, std::exchange(offset, offset + 8)), item);
    return at;
  }
  /// An exception with these arguments and fields of its own.
  Address exception(Address type, std::initializer_list<Address> arguments,
                    std::initializer_list<Address> fields = {}) {
    const Address at = object_of(type);
    memory.pointer(wrapping_add(at, 24), items(arguments))
        .pointer(wrapping_add(at, layout_.traceback), traceback_of_objects)
        .u64(wrapping_add(at, layout_.own_fields), 0);
    std::uint64_t offset = layout_.own_fields;
    for (const Address field : fields)
      memory.pointer(wrapping_add(at, std::exchange(offset, offset + 8)), field);
    return at;
  }
  void pend(Address value, Address type = {}) {
    if (layout_.three_words()) {
      memory.pointer(wrapping_add(kThread, layout_.exception), type)
          .pointer(wrapping_add(kThread, layout_.exception + 8), value)
          .pointer(wrapping_add(kThread, layout_.exception + 16), traceback_of_objects);
    } else {
      memory.pointer(wrapping_add(kThread, layout_.exception), value);
    }
  }
  /// A traceback of one entry, in x.py, function f.
  Address traceback(std::int32_t lasti, std::int32_t line, std::int32_t first_line,
                    std::initializer_list<std::uint8_t> table = {}) {
    const Address entry = object_of(traceback_type), frame = object_of(integer),
                  inner = object_of(integer), code = object_of(integer),
                  lines = object_of(bytes_type);
    memory.u64(wrapping_add(entry, 16), 0)
        .pointer(wrapping_add(entry, 24), frame)
        .u32(wrapping_add(entry, 32), static_cast<std::uint32_t>(lasti))
        .u32(wrapping_add(entry, 36), static_cast<std::uint32_t>(line))
        .pointer(wrapping_add(frame, layout_.frame), layout_.inner_code ? inner : code)
        .pointer(wrapping_add(inner, layout_.inner_code.value_or(16)), code)
        .pointer(wrapping_add(code, layout_.filename), text("x.py"))
        .pointer(wrapping_add(code, layout_.name), text("f"))
        .u32(wrapping_add(code, layout_.first_line), static_cast<std::uint32_t>(first_line))
        .u64(wrapping_add(lines, 16), table.size());
    if (layout_.line_table) memory.pointer(wrapping_add(code, *layout_.line_table), lines);
    std::uint64_t offset = 32;
    for (const std::uint8_t byte : table) memory.u8(wrapping_add(lines, offset++), byte);
    traceback_of_objects = entry;
    return entry;
  }
  /// A class of Python code: its own name, its module in its dict.
  Address python_class(std::string_view qualname, std::string_view module, Address parent,
                       std::uint64_t str_slot) {
    const Address at = type("Short", 1UL << 30 | 1UL << 9, str_slot, parent);
    memory.pointer(wrapping_add(at, layout_.qualname), text(qualname));
    const Address dict = object_of(tuple), keys = object_of(tuple);
    memory.pointer(wrapping_add(at, 264), dict)
        .pointer(wrapping_add(dict, 32), keys)
        .u64(wrapping_add(dict, 40), 0)
        .u64(wrapping_add(keys, layout_.keys_used), 2);
    std::uint64_t entry = layout_.keys_indices + 8;
    if (layout_.keys_have_kinds) {
      memory.u32(wrapping_add(keys, 8), 3 | 3U << 8 | 1U << 16);
    } else {
      memory.u64(wrapping_add(keys, 8), 8);
      entry += 8;  // Behind the hash.
    }
    const std::uint64_t stride = layout_.keys_have_kinds ? 16 : 24;
    memory.pointer(wrapping_add(keys, entry), text("other"))
        .pointer(wrapping_add(keys, entry + 8), text("x"))
        .pointer(wrapping_add(keys, entry + stride), text("__module__"))
        .pointer(wrapping_add(keys, entry + stride + 8), text(module));
    return at;
  }

  Result<std::optional<PythonException>> pending(const MemoryReader& from) const {
    const auto python = find_python(from, images());
    if (!python) return python.error();
    return pending_python_exception(from, *python, {kThreadPointer});
  }
  std::string said() const {
    const auto found = pending(memory);
    if (!found) return "error: " + found.error().message;
    return *found ? python_exception_text(**found) : "nothing";
  }
  const PythonLayout& layout() const { return layout_; }

  MemoryImage memory;
  Address str, integer, tuple, bytes_type, traceback_type, base, value_error, key_error, os_error,
      syntax_error, import_error;
  Address traceback_of_objects;

 private:
  static ElfBuilder::Symbol object(std::string name, Address at) {
    return {.name = std::move(name), .address = at, .bytes = 8, .type = 1};
  }
  void own_offsets() {
    memory.text(kState, "xdebugpy");
    for (std::uint64_t word = 1; word < 40; ++word) memory.u64(wrapping_add(kState, word * 8), 0);
    const auto put = [&](std::uint64_t word, std::uint64_t value) {
      memory.u64(wrapping_add(kState, word * 8), value);
    };
    put(5, layout_.interpreters_head);
    put(8, layout_.interpreter_next);
    put(9, layout_.threads_head);
    put(21, 8);
    put(22, 16);
    put(24, layout_.thread_id);
    put(27, *layout_.status);
    put(35, layout_.filename);
    put(36, layout_.name);
    put(38, *layout_.line_table);
    put(39, layout_.first_line);
  }
  void thread(Address at, Address next, std::uint64_t id) {
    memory.pointer(wrapping_add(at, 8), next)
        .pointer(wrapping_add(at, 16), kInterpreter)
        .u64(wrapping_add(at, layout_.thread_id), id)
        .u64(wrapping_add(at, layout_.exception), 0);
    if (layout_.status) memory.u32(wrapping_add(at, *layout_.status), at == kThread ? 0x1b : 3);
  }
  Address type(std::string_view name, std::uint64_t flags, std::uint64_t str_slot,
               Address base_type) {
    const Address at = next_type_;
    next_type_ = wrapping_add(at, 0x1000);
    const Address text = wrapping_add(at, 0xc00);
    // Texts of C are read 64 bytes at a time.
    memory.bytes(text, std::vector<std::byte>(64)).text(text, name);
    memory.pointer(wrapping_add(at, 24), text)
        .u64(wrapping_add(at, 136), str_slot)
        .u64(wrapping_add(at, 168), flags)
        .pointer(wrapping_add(at, 256), base_type)
        .u64(wrapping_add(at, 264), 0)
        .u64(wrapping_add(at, 296), kInit)
        .u64(wrapping_add(at, 312), kNew);
    return at;
  }
  void types() {
    str = type("str", 1UL << 28, kOwnStr, {});
    integer = type("int", 1UL << 24, kOwnStr, {});
    tuple = type("tuple", 1UL << 26, kOwnStr, {});
    bytes_type = type("bytes", 1UL << 27, kOwnStr, {});
    traceback_type = type("traceback", 0, kOwnStr, {});
    constexpr std::uint64_t kException = 1UL << 30;
    base = type("BaseException", kException, kBaseStr, {});
    value_error = type("ValueError", kException, kBaseStr, base);
    key_error = type("KeyError", kException, kKeyStr, base);
    os_error = type("OSError", kException, kOsStr, base);
    syntax_error = type("SyntaxError", kException, kSyntaxStr, base);
    import_error = type("ImportError", kException, kImportStr, base);
    std::uint64_t offset = 0;
    for (const Address one : {base, key_error, os_error, syntax_error, import_error})
      memory.pointer(wrapping_add(kPointers, std::exchange(offset, offset + 8)), one);
  }
  Address object_of(Address type) {
    const Address at = next_object_;
    next_object_ = wrapping_add(at, 0x400);
    memory.pointer(wrapping_add(at, 8), type);
    return at;
  }

  PythonLayout layout_;
  Address next_type_ = kTypes, next_object_ = wrapping_add(kObjects, 0x100000);
};

}  // namespace cgo
