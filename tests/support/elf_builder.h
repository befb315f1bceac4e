#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "target/address.h"
#include "target/byte_view.h"

namespace cgo {

/// Bytes appended one after another, little-endian.
class ByteWriter {
 public:
  template <class Integer>
  ByteWriter& integer(Integer value) {
    return bytes(std::as_bytes(std::span(&value, 1)));
  }
  ByteWriter& u8(std::uint8_t value) { return integer(value); }
  ByteWriter& u16(std::uint16_t value) { return integer(value); }
  ByteWriter& u32(std::uint32_t value) { return integer(value); }
  ByteWriter& u64(std::uint64_t value) { return integer(value); }
  ByteWriter& text(std::string_view value) { return bytes(std::as_bytes(std::span(value))); }
  ByteWriter& bytes(ByteView value) {
    out_.insert(out_.end(), value.begin(), value.end());
    return *this;
  }
  ByteWriter& align(std::size_t to) { return zeros((to - out_.size() % to) % to); }
  ByteWriter& zeros(std::size_t count) {
    out_.resize(out_.size() + count);
    return *this;
  }
  std::size_t size() const { return out_.size(); }
  std::vector<std::byte> take() const { return out_; }

 private:
  std::vector<std::byte> out_;
};

/// A note as it lies in a PT_NOTE segment.
std::vector<std::byte> elf_note(std::string_view owner, std::uint32_t type, ByteView description);

/// A small 64-bit ELF file from the parts a test names. Section 0 and .shstrtab come by themselves.
class ElfBuilder {
 public:
  struct Section {
    std::string name;
    std::uint32_t type = 1;
    std::uint64_t flags = 0;
    Address address;
    std::vector<std::byte> contents;
    std::uint32_t link = 0;
    std::uint64_t claimed_bytes = 0;  ///< sh_size, when it is to differ from the contents.
  };
  struct Segment {
    std::uint32_t type = 1;
    std::uint32_t flags = 4;
    Address address;
    std::vector<std::byte> contents;
    std::uint64_t memory_bytes = 0;  ///< p_memsz, when it is to differ from the contents.
  };
  struct Symbol {
    std::string name;
    Address address;
    std::uint64_t bytes = 0;
    std::uint8_t type = 2;     ///< STT_FUNC.
    std::uint8_t binding = 1;  ///< STB_GLOBAL.
    std::uint16_t section = 1;
  };

  explicit ElfBuilder(std::uint16_t type = 2, std::uint16_t machine = 62)
      : type_(type), machine_(machine) {}

  /// The number of the section, for Symbol::section and Section::link.
  std::uint16_t section(Section section);
  ElfBuilder& segment(Segment segment);
  /// .symtab and .strtab.
  ElfBuilder& symbols(const std::vector<Symbol>& symbols);

  std::vector<std::byte> build() const;

 private:
  std::uint16_t type_;
  std::uint16_t machine_;
  std::vector<Section> sections_;
  std::vector<Segment> segments_;
};

}  // namespace cgo
