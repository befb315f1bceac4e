#include "target/dwarf.h"

#include <algorithm>
#include <mutex>
#include <thread>

#include "target/dwarf_cache.h"
#include "target/dwarf_code.h"
#include "target/dwarf_constants.h"
#include "target/dwarf_index.h"
#include "target/dwarf_tail_calls.h"
#include "target/dwarf_types.h"

namespace cgo {
namespace {

constexpr std::string_view kStructsKind = "structs";
constexpr std::string_view kIndexKind = "index";

class DwarfReader final : public DwarfInfo {
 public:
  DwarfReader(std::shared_ptr<const ElfFile> file, std::filesystem::path cache_directory)
      : elf_(file),
        cache_(std::move(cache_directory), *file),
        file_(file, false, &cache_),
        code_(file_) {}

  Result<std::vector<SourceFrame>> frames_at(Address pc) const override {
    return code_.frames_at(pc);
  }

  Result<std::vector<SourceFrame>> tail_calls(Address return_pc,
                                              Address callee_entry) const override {
    return find_tail_calls(code_, linker(), return_pc, callee_entry);
  }

  Result<std::vector<SourceFrame>> tail_calls_from(Address called_entry,
                                                   Address callee_entry) const override {
    return find_tail_calls_from(code_, linker(), called_entry, callee_entry);
  }

  Result<DwarfStruct> struct_type(std::string_view name) const override {
    {
      const std::lock_guard lock(structs_mutex_);
      load_structs();
      if (const auto found = structs_.find(name); found != structs_.end()) return found->second;
    }
    auto place = find_struct(name);
    if (!place) return std::move(place).error();
    auto type = read_struct(*place);
    if (!type) return std::move(type).error().in(name);
    type->name = std::string(name);
    const std::lock_guard lock(structs_mutex_);
    structs_.emplace(name, *type);
    if (structs_.size() <= kMostKeptStructs) cache_.store(kStructsKind, encode_structs(structs_));
    return type;
  }

  Result<std::vector<Address>> functions_named(std::string_view name) const override {
    auto all = index();
    if (!all) return std::move(all).error();
    std::vector<Address> entries;
    for (const DwarfIndex::Place& place : (*all)->functions(name)) entries.push_back({place.value});
    std::sort(entries.begin(), entries.end());
    entries.erase(std::unique(entries.begin(), entries.end()), entries.end());
    if (entries.empty() && (*all)->incomplete())
      return Error(*(*all)->incomplete()).in("functions named " + std::string(name));
    return entries;
  }

  const ElfFile* file() const override { return elf_.get(); }

  Result<Language> language_at(Address pc) const override {
    auto unit = code_.unit_at(pc);
    if (!unit) return std::move(unit).error();
    if (*unit) unit = file_.full_unit(**unit);
    if (!unit) return std::move(unit).error();
    return *unit ? language_of(**unit) : Language::unknown;
  }

 private:
  static constexpr std::size_t kMostKeptStructs = 1024;

  /// The caller holds structs_mutex_.
  void load_structs() const {
    if (std::exchange(structs_loaded_, true)) return;
    if (const auto bytes = cache_.load(kStructsKind))
      if (auto known = decode_structs(*bytes)) structs_ = *std::move(known);
  }

  /// Go's linker puts the types of a whole program into the unit of package runtime, so that a Go
  /// type is found without a pass over the file.
  /// Source: cmd/link/internal/ld/dwarf.go, runtimeCU, Go 1.19 to 1.27.
  const std::unordered_map<std::string, DwarfPlace>& go_types() const {
    std::call_once(go_types_once_, [this] {
      auto headers = file_.headers();
      if (!headers) return;  // The index reports what is wrong.
      for (std::size_t i = 0; i < headers->size(); ++i) {
        auto unit = file_.unit(i);
        if (!unit || (*unit)->name != "runtime" || language_of(**unit) != Language::go) continue;
        auto contents = DwarfUnitContents::read(**unit, true);
        if (!contents) continue;
        for (DwarfNamedType& type : contents->types)
          go_types_.try_emplace(std::move(type.name), DwarfPlace{*unit, type.offset});
      }
    });
    return go_types_;
  }

  Result<DwarfPlace> find_struct(std::string_view name) const {
    if (name.find('.') != std::string_view::npos) {
      const auto& types = go_types();
      if (const auto found = types.find(std::string(name)); found != types.end())
        return found->second;
    }
    auto all = index();
    if (!all) return std::move(all).error().in(name);
    const auto places = (*all)->structures(name);
    if (places.empty()) {
      Error error{ErrorCode::not_found,
                  elf_->path() + ": no structure " + std::string(name) + " in its DWARF"};
      if ((*all)->incomplete())
        error.message += " (not all of it could be read: " + (*all)->incomplete()->message + ")";
      return error;
    }
    return DwarfIndex::entry_of(file_, places.front());
  }

  Result<const DwarfIndex*> index() const {
    std::call_once(index_once_, [this] {
      if (auto bytes = cache_.load(kIndexKind)) {
        index_ = DwarfIndex::from_bytes(*std::move(bytes));
        if (index_) return;
      }
      constexpr unsigned kMostThreads = 16;
      index_ =
          DwarfIndex::build(code_, std::min(std::thread::hardware_concurrency(), kMostThreads));
      if (index_ && !index_->incomplete()) cache_.store(kIndexKind, index_->bytes());
    });
    if (!index_) return index_.error();
    return &*index_;
  }

  DwarfFunctionsNamed linker() const {
    return [this](std::string_view name) { return linked_functions(name); };
  }

  /// The functions that a call to the external function `name` may reach. The linker has resolved
  /// the name, so the symbol table knows, and much cheaper than DWARF.
  Result<std::vector<Address>> linked_functions(std::string_view name) const {
    constexpr std::uint8_t kFunction = 2, kLocal = 0;  // STT_FUNC, STB_LOCAL.
    std::vector<Address> global, local;
    if (elf_->find_symbol(name)) {
      for (const ElfSymbol& symbol : elf_->symbols())
        if (symbol.type == kFunction && symbol.name == name)
          (symbol.binding == kLocal ? local : global).push_back(symbol.file_address);
    }
    // Hidden functions become local ones in the linked file.
    auto& found = global.empty() ? local : global;
    if (found.empty()) return functions_named(name);
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
    return found;
  }

  std::shared_ptr<const ElfFile> elf_;
  DwarfCache cache_;
  DwarfFile file_;
  DwarfCode code_;

  mutable std::mutex structs_mutex_;
  mutable bool structs_loaded_ = false;
  mutable DwarfStructs structs_;

  mutable std::once_flag go_types_once_, index_once_;
  mutable std::unordered_map<std::string, DwarfPlace> go_types_;
  mutable Result<DwarfIndex> index_ = DwarfIndex{};
};

}  // namespace

Result<std::shared_ptr<const DwarfInfo>> DwarfInfo::open(std::shared_ptr<const ElfFile> file,
                                                         std::filesystem::path cache_directory) {
  const DwarfSections sections(file, false);
  if (!sections.has(DwarfSection::info) || !sections.has(DwarfSection::abbrev))
    return Error{ErrorCode::not_found, file->path() + ": no DWARF debug information"};
  return std::shared_ptr<const DwarfInfo>(
      std::make_shared<DwarfReader>(std::move(file), std::move(cache_directory)));
}

Result<std::vector<SourceFrame>> DwarfInfo::tail_calls_from(Address, Address) const {
  return std::vector<SourceFrame>{};
}

Result<std::vector<Address>> DwarfInfo::functions_named(std::string_view) const {
  return std::vector<Address>{};
}

Result<Language> DwarfInfo::language_at(Address) const { return Language::unknown; }

// An implementation that has no variables and types, as those of tests, says so.
namespace {
Error no_types() { return {ErrorCode::unsupported, "types and variables are not read here"}; }
}  // namespace

Result<std::vector<Scope>> DwarfInfo::scopes_at(Address) const { return no_types(); }
Result<CallSite> DwarfInfo::call_site(Address) const { return no_types(); }
Result<const Type*> DwarfInfo::type_named(std::string_view, Address) const { return no_types(); }
Result<TypeMatches> DwarfInfo::types_matching(std::string_view, std::size_t) const {
  return no_types();
}
Result<const Type*> DwarfInfo::type_with_descriptor(std::uint64_t) const { return no_types(); }
Result<std::vector<GlobalVariable>> DwarfInfo::variables_named(std::string_view) const {
  return no_types();
}
Result<GlobalVariable> DwarfInfo::variable_at(Address) const { return no_types(); }

}  // namespace cgo
