#include "goruntime/go_image.h"

#include <algorithm>

#include "goruntime/build_info.h"

namespace cgo {
namespace {

constexpr std::uint64_t kLongestBuildInfo = 4096;
/// Places that look like a pcHeader, or like a pointer to one, that are followed up.
constexpr std::size_t kMostCandidates = 16;

class GoImageFinder {
 public:
  GoImageFinder(const Image& image, const MemoryReader& memory, const DwarfSource& dwarf)
      : bytes_(image, memory), dwarf_(dwarf) {
    out_.image = &image;
  }

  std::optional<Result<GoImage>> find() {
    if (!may_be_go()) return std::nullopt;
    auto version = find_version();
    if (!version) {
      if (version.error().code == ErrorCode::not_found && !has_go_section()) return std::nullopt;
      return Result<GoImage>(std::move(version).error());
    }
    auto layout = find_layout();
    if (!layout) return Result<GoImage>(std::move(layout).error());
    auto module = find_module();
    if (!module) return Result<GoImage>(std::move(module).error());
    return Result<GoImage>(std::move(out_));
  }

 private:
  void note(std::string text) { out_.notes.push_back(std::move(text)); }

  AddressRange pclntab_section() const {
    for (std::string_view name : {".gopclntab", ".data.rel.ro.gopclntab"})
      if (const auto range = bytes_.section(name); !range.empty()) return range;
    return {};
  }
  bool has_go_section() const {
    return !pclntab_section().empty() || !bytes_.section(".go.buildinfo").empty();
  }
  /// A file with section headers names Go's; one without, or no file at all, has to be searched.
  bool may_be_go() const {
    if (!bytes_.file()) return !out_.image->range.empty();
    // Plugins of older releases have only the note.
    return has_go_section() || !bytes_.section(".note.go.buildid").empty() ||
           bytes_.file()->sections().empty();
  }

  // --- version ---------------------------------------------------------------------------------

  Result<void> find_version() {
    auto text = version_text();
    if (!text) return std::move(text).error();
    const auto version = parse_go_version(*text);
    if (!version)
      return Error{ErrorCode::unsupported, "Go version \"" + *text + "\" is not a known form"};
    out_.version = *version;
    out_.version_text = *std::move(text);
    return {};
  }

  Result<std::string> version_text() {
    if (const auto range = bytes_.section(".go.buildinfo"); !range.empty())
      return version_at(range.begin, "section .go.buildinfo");
    for (const AddressRange& data : bytes_.data_ranges())
      if (const Address at = find_build_info_in(data))
        return version_at(at, "build information found in data");
    if (const Address at = bytes_.symbol("runtime.buildVersion")) return version_variable(at);
    if (auto text = version_by_compiler()) return text;
    return Error{ErrorCode::not_found,
                 "Go, but which release is not known (no .go.buildinfo, no runtime.buildVersion)"};
  }

  /// What debug information says of the compiler: "Go cmd/compile go1.19.13; -shared regabi".
  Result<std::string> version_by_compiler() {
    const Error unknown{ErrorCode::not_found, "the compiler is not known"};
    if (!dwarf_ || !bytes_.file()) return unknown;
    const auto dwarf = dwarf_(*out_.image);
    if (!dwarf || !*dwarf) return unknown;
    const auto code = (*dwarf)->functions_named("runtime.throw");
    if (!code || code->empty()) return unknown;
    const auto producer = (*dwarf)->producer_at(code->front());
    constexpr std::string_view kCompiler = "Go cmd/compile ";
    if (!producer || !producer->starts_with(kCompiler)) return unknown;
    note("version by debug information of the runtime");
    return producer->substr(kCompiler.size(), producer->find(';') - kCompiler.size());
  }

  Result<std::string> version_at(Address at, const char* how) {
    const auto end = checked_add(at, kLongestBuildInfo);
    if (!end) return Error{ErrorCode::malformed_data, "build information wraps", at};
    AddressRange range{at, std::min(*end, bytes_.rest_of_segment(at).end)};
    const HeldBytes blob = bytes_.readable_constants(range);
    auto text = decode_build_info(blob.bytes);
    if (text) note(*text + " by " + how);
    return text;
  }

  Address find_build_info_in(const AddressRange& data) const {
    constexpr std::uint64_t kMagicWord = 0x69756220'6f4720ff;  // "\xff Go bui"
    Address found;
    const Address first{(data.begin.value + 15) & ~15ull};
    bytes_.each_word({first, data.end}, true, [&](Address at, std::uint64_t word) {
      if (word != kMagicWord || at.value % 16 != 0) return true;
      const HeldBytes blob = bytes_.readable_constants({at, wrapping_add(at, 32)});
      if (!find_build_info(blob.bytes)) return true;
      found = at;
      return false;
    });
    return found;
  }

  /// runtime.buildVersion is a string variable.
  Result<std::string> version_variable(Address at) {
    const auto& memory = bytes_.memory();
    auto data = read_pointer(memory, at);
    if (!data) return std::move(data).error().in("runtime.buildVersion");
    auto length = read_unsigned<std::uint64_t>(memory, wrapping_add(at, 8));
    if (!length) return std::move(length).error().in("runtime.buildVersion");
    auto text = read_bytes(memory, *data, *length, 1024);
    if (!text) return std::move(text).error().in("runtime.buildVersion");
    note("version by the symbol runtime.buildVersion");
    return std::string(reinterpret_cast<const char*>(text->data()), text->size());
  }

  // --- layout ----------------------------------------------------------------------------------

  Result<void> find_layout() {
    std::string why = "no debug information was asked for";
    if (dwarf_ && bytes_.file()) {
      auto layout = layout_from_debug_information();
      if (layout) {
        out_.layout = *layout;
        note("layout of the runtime from DWARF");
        note_differences();
        return {};
      }
      why = layout.error().message;
    }
    const ArchInfo* arch = bytes_.file() ? bytes_.file()->arch() : &kAmd64;
    if (arch == nullptr) return Error{ErrorCode::unsupported, "Go code for an unsupported CPU"};
    auto layout = layout_from_table(out_.version, *arch);
    if (!layout) {
      Error error = std::move(layout).error();
      error.message += "; DWARF: " + why;
      return error;
    }
    out_.layout = *layout;
    note("layout of the runtime from the table of measured releases (DWARF: " + why + ")");
    return {};
  }

  /// A binary may know better (an experiment, a patched runtime): worth knowing, not a problem.
  void note_differences() {
    const ArchInfo* arch = bytes_.file()->arch();
    if (arch == nullptr) return;
    const auto table = layout_from_table(out_.version, *arch);
    if (!table) return;
    for (std::string& line : layout_differences(out_.layout, *table))
      note("unlike the measured " + format_go_version(out_.version) + ": " + std::move(line));
  }

  Result<RuntimeLayout> layout_from_debug_information() {
    auto dwarf = dwarf_(*out_.image);
    if (!dwarf) return std::move(dwarf).error();
    if (!*dwarf) return Error{ErrorCode::not_found, "no debug information"};
    return layout_from_dwarf(**dwarf);
  }

  // --- moduledata ------------------------------------------------------------------------------

  Result<void> find_module() {
    const auto headers = find_pc_headers();
    if (headers.empty())
      return Error{ErrorCode::not_found,
                   out_.version_text + ", but no pclntab was found (" +
                       (bytes_.file() ? "no section, and no pcHeader in its constants)"
                                      : "its file is not here, and memory lacks its constants): "
                                        "put the file where the debugger finds it")};
    std::optional<Error> why;
    for (const auto& [at, header] : headers) {
      for (const Address candidate : find_module_data(at, header)) {
        auto data = decode_module_data(bytes_.memory(), out_.layout.moduledata, candidate);
        if (data) {
          note("pclntab at " + hex(at) + ", moduledata at " + hex(candidate));
          out_.data = *std::move(data);
          return {};
        }
        why = std::move(data).error();
      }
    }
    if (why) return *std::move(why);
    return Error{ErrorCode::not_found,
                 out_.version_text + " with a pclntab at " + hex(headers.front().first) +
                     ", but no moduledata in memory points at it (does the core have the data "
                     "segment? has the program started?)"};
  }

  using PcHeaderAt = std::pair<Address, PcHeader>;

  std::optional<PcHeaderAt> pc_header_at(Address at) const {
    const HeldBytes bytes = bytes_.readable_constants({at, wrapping_add(at, PcHeader::kBytes)});
    auto header = decode_pc_header(bytes.bytes);
    if (!header || header->magic != pc_header_magic(out_.version)) return std::nullopt;
    return PcHeaderAt{at, *header};
  }

  std::vector<PcHeaderAt> find_pc_headers() const {
    if (const auto range = pclntab_section(); !range.empty())
      if (const auto header = pc_header_at(range.begin)) return {*header};
    std::vector<PcHeaderAt> found;
    const std::uint64_t magic = pc_header_magic(out_.version);
    for (const AddressRange& range : bytes_.constant_ranges()) {
      bytes_.each_word(range, true, [&](Address at, std::uint64_t word) {
        // The instruction unit is the byte that differs between CPUs.
        if ((word & 0xff00ffffffffffff) == (magic | 0x0800000000000000))
          if (const auto header = pc_header_at(at)) found.push_back(*header);
        return found.size() < kMostCandidates;
      });
    }
    return found;
  }

  /// Addresses of words that hold the header's address, followed by one with that of the names.
  std::vector<Address> find_module_data(Address header_at, const PcHeader& header) const {
    const auto names = checked_add(header_at, header.funcname_offset);
    std::vector<Address> found;
    if (!names) return found;
    const auto points_here = [&](Address at) {
      const auto first = read_pointer(bytes_.memory(), at);
      const auto second = read_pointer(bytes_.memory(), wrapping_add(at, 8));
      return first && second && *first == header_at && *second == *names;
    };
    const Address likely[] = {bytes_.section(".go.module").begin,
                              bytes_.symbol("runtime.firstmoduledata"),
                              bytes_.symbol("local.moduledata")};
    for (const Address at : likely)
      if (at && points_here(at)) return {at};
    for (const AddressRange& range : bytes_.data_ranges()) {
      bytes_.each_word(range, false, [&](Address at, std::uint64_t word) {
        if (word == header_at.value && points_here(at)) found.push_back(at);
        return found.size() < kMostCandidates;
      });
    }
    return found;
  }

  ImageBytes bytes_;
  const DwarfSource& dwarf_;
  GoImage out_;
};

}  // namespace

std::optional<Result<GoImage>> find_go_image(const Image& image, const MemoryReader& memory,
                                             const DwarfSource& dwarf) {
  return GoImageFinder(image, memory, dwarf).find();
}

}  // namespace cgo
