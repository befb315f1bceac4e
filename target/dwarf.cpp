#include "target/dwarf.h"

#include <algorithm>
#include <mutex>

#include "target/dwarf_cache.h"
#include "target/dwarf_call_site.h"
#include "target/dwarf_code.h"
#include "target/dwarf_lookup.h"
#include "target/dwarf_tail_calls.h"
#include "target/dwarf_types.h"
#include "target/dwarf_variables.h"
#include "target/frame_types.h"

namespace cgo {
namespace {

constexpr std::string_view kStructsKind = "structs";

class DwarfReader final : public DwarfInfo {
 public:
  DwarfReader(std::shared_ptr<const ElfFile> file, std::filesystem::path cache_directory)
      : elf_(file),
        cache_(std::move(cache_directory), *file),
        file_(file, false, &cache_),
        code_(file_),
        lookup_(code_, cache_),
        types_(code_, [this](std::string_view name) { return lookup_.types(name); }) {}

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
    auto place = lookup_.structure(name);
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
    auto all = lookup_.index();
    if (!all) return std::move(all).error();
    std::vector<Address> entries;
    for (const DwarfIndex::Place& place : (*all)->functions(name)) entries.push_back({place.value});
    std::sort(entries.begin(), entries.end());
    entries.erase(std::unique(entries.begin(), entries.end()), entries.end());
    if (entries.empty() && (*all)->incomplete())
      return Error(*(*all)->incomplete()).in("functions named " + std::string(name));
    return entries;
  }

  Result<std::vector<Scope>> scopes_at(Address pc) const override {
    return find_scopes(code_, types_, pc);
  }

  Result<const Type*> type_in_frame(const Type* type, Address pc,
                                    const ExpressionContext& context) const override {
    return frame_types_.resolve(type, pc, context);
  }

  Result<CallSite> call_site(Address return_pc) const override {
    return find_call_site(code_, linker(), return_pc);
  }

  Result<const Type*> type_named(std::string_view name, Address near) const override {
    auto found = type_of(name, near);
    if (found || found.error().code != ErrorCode::not_found) return found;
    // C's way to name them, which DWARF does not have in the name.
    for (const std::string_view keyword : {"struct ", "union ", "enum ", "class "})
      if (name.starts_with(keyword)) return type_of(name.substr(keyword.size()), near);
    return found;
  }

  Result<TypeMatches> types_matching(std::string_view text, std::size_t limit) const override {
    auto all = lookup_.index();
    if (!all) return std::move(all).error();
    TypeMatches out;
    out.incomplete = (*all)->incomplete();
    auto places = lookup_.places((*all)->types_matching(text, limit, out.more));
    if (!places) return std::move(places).error();
    for (const DwarfPlace& place : *places)
      if (auto type = types_.at(place)) out.types.push_back(*type);
    return out;
  }

  Result<const Type*> type_with_descriptor(std::uint64_t descriptor) const override {
    auto place = lookup_.type_with_descriptor(descriptor);
    if (!place) return std::move(place).error();
    return types_.at(*place);
  }

  Result<std::vector<GlobalVariable>> variables_named(std::string_view name) const override {
    auto places = lookup_.variables(name);
    if (!places) return std::move(places).error();
    std::vector<GlobalVariable> out;
    for (const DwarfPlace& place : *places) out.push_back(global(std::string(name), place));
    return out;
  }

  Result<GlobalVariable> constant_named(std::string_view name) const override {
    auto place = lookup_.go_constant(name);
    if (!place) return std::move(place).error();
    return global(std::string(name), *place);
  }

  Result<std::vector<std::string>> go_packages(std::string_view name) const override {
    return lookup_.go_packages(name);
  }

  Result<GlobalVariable> variable_at(Address address) const override {
    auto place = lookup_.variable_at_or_below(address);
    if (!place) return std::move(place).error();
    auto name = lookup_.variable_name(*place);
    if (!name) return std::move(name).error();
    GlobalVariable found = global(*std::move(name), *place);
    auto begin = evaluate_number(found.variable.location, {});
    if (!begin) return std::move(begin).error().in(found.name);
    const std::uint64_t bytes = found.variable.type ? found.variable.type->bytes() : 0;
    if (address.value - *begin >= std::max<std::uint64_t>(bytes, 1))
      return Error{ErrorCode::not_found, "no variable holds " + hex(address)};
    return found;
  }

  const ElfFile* file() const override { return elf_.get(); }

  Result<Language> language_at(Address pc) const override {
    auto unit = code_.unit_at(pc);
    if (!unit) return std::move(unit).error();
    if (*unit) unit = file_.full_unit(**unit);
    if (!unit) return std::move(unit).error();
    return *unit ? language_of(**unit) : Language::unknown;
  }

  Result<std::string> producer_at(Address pc) const override {
    auto unit = code_.unit_at(pc);
    if (unit && *unit) unit = file_.full_unit(**unit);
    if (!unit) return std::move(unit).error();
    if (*unit) return std::string((*unit)->producer);
    return DwarfInfo::producer_at(pc);
  }

 private:
  static constexpr std::size_t kMostKeptStructs = 1024;

  /// The caller holds structs_mutex_.
  void load_structs() const {
    if (std::exchange(structs_loaded_, true)) return;
    if (const auto bytes = cache_.load(kStructsKind))
      if (auto known = decode_structs(*bytes)) structs_ = *std::move(known);
  }

  Result<const Type*> type_of(std::string_view name, Address near) const {
    auto places = lookup_.types(name, near);
    if (!places) return std::move(places).error();
    const Type* found = nullptr;
    std::optional<Error> error;
    for (const DwarfPlace& place : *places) {
      auto type = types_.at(place);
      if (type && (*type)->complete()) return type;
      if (type && !found) found = *type;
      if (!type) error = std::move(type).error();
    }
    if (found) return found;
    if (error) return *std::move(error);
    return Error{ErrorCode::not_found,
                 elf_->path() + ": no type " + std::string(name) + " in its DWARF"};
  }

  GlobalVariable global(std::string name, DwarfPlace place) const {
    return {std::move(name), place.unit->name, language_of(*place.unit),
            read_variable(types_, place, {})};
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
  DwarfLookup lookup_;
  DwarfTypes types_;
  FrameTypes frame_types_{types_};

  mutable std::mutex structs_mutex_;
  mutable bool structs_loaded_ = false;
  mutable DwarfStructs structs_;
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
Result<std::string> DwarfInfo::producer_at(Address pc) const {
  return Error{ErrorCode::not_found, "no unit of debug information covers " + hex(pc), pc};
}

// An implementation that has no variables and types, as those of tests, says so.
namespace {
Error no_types() { return {ErrorCode::unsupported, "types and variables are not read here"}; }
}  // namespace

Result<std::vector<Scope>> DwarfInfo::scopes_at(Address) const { return no_types(); }
Result<const Type*> DwarfInfo::type_in_frame(const Type* type, Address,
                                             const ExpressionContext&) const {
  return type;
}
Result<CallSite> DwarfInfo::call_site(Address) const { return no_types(); }
Result<const Type*> DwarfInfo::type_named(std::string_view, Address) const { return no_types(); }
Result<TypeMatches> DwarfInfo::types_matching(std::string_view, std::size_t) const {
  return no_types();
}
Result<const Type*> DwarfInfo::type_with_descriptor(std::uint64_t) const { return no_types(); }
Result<std::vector<GlobalVariable>> DwarfInfo::variables_named(std::string_view) const {
  return no_types();
}
Result<std::vector<std::string>> DwarfInfo::go_packages(std::string_view) const {
  return no_types();
}
Result<GlobalVariable> DwarfInfo::constant_named(std::string_view) const { return no_types(); }
Result<GlobalVariable> DwarfInfo::variable_at(Address) const { return no_types(); }

}  // namespace cgo
