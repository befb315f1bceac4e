#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "target/debug_files.h"
#include "target/elf.h"
#include "target/language.h"
#include "target/variables.h"

namespace cgo {

/// One source-level function at a pc.
struct SourceFrame {
  std::string function;      ///< As written: demangled, "ns::f(int)", without argument values.
  std::string linkage_name;  ///< The symbol, where DWARF has one; else empty.
  std::string file;
  std::uint32_t line = 0;  ///< 0 when unknown.
  bool inlined = false;    ///< True for all but the outermost of one pc.
  Language language = Language::unknown;
  Address entry;  ///< File address of the out-of-line function; of the concrete one for inlined.
};

/// A member of a structure: bytes from its start.
struct DwarfMember {
  std::string name;
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;  ///< 0 when the type's size is not known.
};

struct DwarfStruct {
  std::string name;
  std::uint64_t bytes = 0;
  std::vector<DwarfMember> members;

  const DwarfMember* member(std::string_view name) const;
};

/// Types that were looked for by a part of their name.
struct TypeMatches {
  std::vector<const Type*> types;   ///< By name.
  std::size_t more = 0;             ///< How many names were left out because of the limit.
  std::optional<Error> incomplete;  ///< What could not be read: more may be there.
};

/// Debug information of one ELF file (or of its separate debug file), read lazily by compile unit:
/// a question about one pc reads the units that cover it and no other. All addresses are file
/// addresses. Thread-safe. Knows neither load addresses nor Go's runtime.
class DwarfInfo {
 public:
  /// `file` holds the .debug_* sections. An answer that needed a pass over the whole file is kept
  /// in `cache_directory` under the build id, if one is given. not_found when the file has no
  /// DWARF.
  static Result<std::shared_ptr<const DwarfInfo>> open(std::shared_ptr<const ElfFile> file,
                                                       std::filesystem::path cache_directory = {});
  virtual ~DwarfInfo() = default;

  /// The functions at `pc`, innermost first: zero or more inlined ones, then the one they were
  /// inlined into. Empty when no unit covers pc.
  virtual Result<std::vector<SourceFrame>> frames_at(Address pc) const = 0;

  /// The functions that made tail calls (so left no frame) between the call that returns to
  /// `return_pc` and the function that starts at `callee_entry`; innermost first, empty when the
  /// call goes straight there, when nothing is known, or when more than one chain is possible.
  /// Source: DWARF 5, section 3.4 (DW_TAG_call_site, DW_AT_call_tail_call).
  virtual Result<std::vector<SourceFrame>> tail_calls(Address return_pc,
                                                      Address callee_entry) const = 0;

  /// The same where the caller has no call sites (Go code, assembly) but it is known which function
  /// it called: those that made tail calls on the way from the function that starts at
  /// `called_entry` to the one that starts at `callee_entry`.
  virtual Result<std::vector<SourceFrame>> tail_calls_from(Address called_entry,
                                                           Address callee_entry) const;

  /// The structure type of this full name ("runtime.g"); declarations are skipped.
  virtual Result<DwarfStruct> struct_type(std::string_view name) const = 0;

  /// File addresses where functions with this name begin: a linkage name, or the name as written
  /// (qualified in C++, without arguments). Empty when there is none. Costs a pass over the whole
  /// file, once per build id when there is a cache directory.
  virtual Result<std::vector<Address>> functions_named(std::string_view name) const;

  /// The language of the unit that covers `pc`; unknown when none does.
  virtual Result<Language> language_at(Address pc) const;
  /// What the compiler of that unit says of itself (DW_AT_producer); not_found when no unit covers
  /// `pc`.
  virtual Result<std::string> producer_at(Address pc) const;

  /// The variables in scope at `pc`, one Scope for each element of frames_at(pc), in its order. A
  /// variable that cannot be understood is there with its error. Reads the units that cover pc and
  /// those its types are in, no other.
  virtual Result<std::vector<Scope>> scopes_at(Address pc) const;

  /// `type` with the lengths that the frame at `pc` gives its arrays, also those it points at; as
  /// it is where it has no such arrays. Fails with why a length is not known.
  virtual Result<const Type*> type_in_frame(const Type* type, Address pc,
                                            const ExpressionContext& context) const;

  /// The call that returns to `return_pc`; not_found when nothing is known of it.
  virtual Result<CallSite> call_site(Address return_pc) const;

  /// The type of this full name: "runtime.g", "ns::C", "struct point" or "point", "unsigned int".
  /// Of several, a complete one; of those, the one in the unit that covers `near`.
  virtual Result<const Type*> type_named(std::string_view name, Address near = {}) const;

  /// Named types whose name contains `text`, at most `limit` of them. Costs a pass over the whole
  /// file, once per build id when there is a cache directory.
  virtual Result<TypeMatches> types_matching(std::string_view text, std::size_t limit) const;

  /// The Go type whose DW_AT_go_runtime_type is this; see Type::runtime_type.
  virtual Result<const Type*> type_with_descriptor(std::uint64_t runtime_type) const;

  /// Variables outside of functions with this qualified name, and C and C++ functions' static ones
  /// under their plain name. Empty when there is none.
  virtual Result<std::vector<GlobalVariable>> variables_named(std::string_view name) const;

  /// A constant of a Go package, as far as debug information has it: integers alone.
  virtual Result<GlobalVariable> constant_named(std::string_view name) const;

  /// The import paths of the Go packages that source code calls `name`: by their `package` clause,
  /// or by the last element of the path. Reads the units' own entries, nothing below them.
  virtual Result<std::vector<std::string>> go_packages(std::string_view name) const;

  /// The variable whose file address range holds `address`; not_found when there is none.
  virtual Result<GlobalVariable> variable_at(Address address) const;

  /// The file the sections are in: where it is a separate debug file, it has the symbols that were
  /// stripped from the image. Null when unknown; lives as long as this object.
  virtual const ElfFile* file() const { return nullptr; }
};

}  // namespace cgo
