#include "crossings/catalogue.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <span>
#include <tuple>

#include "crossings/c_functions.h"
#include "crossings/call_sites.h"
#include "crossings/go_wrappers.h"
#include "target/dwarf.h"

namespace cgo {
namespace {

using Direction = CrossingPoint::Direction;
using Form = CrossingPoint::Form;
using KnownBy = CrossingPoint::KnownBy;

/// The import path of "path/to/pkg.Name", with the dots that the linker writes as "%2e".
std::string package_of(std::string_view go_name) {
  const std::size_t slash = go_name.rfind('/', go_name.find('['));
  const std::size_t dot = go_name.find('.', slash == go_name.npos ? 0 : slash);
  std::string out(go_name.substr(0, dot));
  for (std::size_t at; (at = out.find("%2e")) != out.npos;) out.replace(at, 3, ".");
  return out;
}

/// C's name of what cmd/cgo calls so in Go. Source: src/cmd/cgo/out.go, cMallocDefGo.
std::string_view c_name_of(std::string_view name) { return name == "_CMalloc" ? "malloc" : name; }

/// "CString" of "main._Cfunc_CString".
std::optional<std::string_view> helper_name(std::string_view function) {
  constexpr std::string_view kMark = "._Cfunc_";
  const std::size_t at = function.find(kMark);
  return at == function.npos ? std::nullopt : std::optional(function.substr(at + kMark.size()));
}

/// "529408909ed6" of a symbol "…_cgo_529408909ed6_Cfunc_X".
std::string build_id_in(std::string_view symbol) {
  constexpr std::string_view kBefore = "_cgo_", kBeforeExport = "_cgoexp_";
  std::size_t at = symbol.find(kBeforeExport);
  at = at != symbol.npos ? at + kBeforeExport.size() : symbol.find(kBefore);
  if (at == symbol.npos) return {};
  if (symbol.substr(at).starts_with(kBefore)) at += kBefore.size();
  const std::size_t end = symbol.find('_', at);
  return end == symbol.npos ? std::string() : std::string(symbol.substr(at, end - at));
}

/// Reads the crossings of one Go module.
class ModuleReader {
 public:
  ModuleReader(const MemoryReader& memory, const ImageMap& images, const DwarfSource& dwarf,
               const GoRuntime& runtime, const GoModule& module, Catalogue& out)
      : memory_(memory),
        images_(images),
        dwarf_(dwarf),
        runtime_(runtime),
        module_(module),
        out_(out),
        first_(out.crossings.size()),
        c_functions_(memory, images),
        code_(CodeBytes::read(memory, {module.tables().text, module.tables().etext})) {
    image_ = images.find(module.tables().text);
    name_ = image_ == nullptr ? "a Go module without a file" : std::string(image_->name());
    if (image_ != nullptr && image_->file && !image_->mismatch) file_ = image_->file.get();
  }

  void read() {
    out_.looked_in.push_back(name_);
    if (code_.missing() != 0)
      out_.problems.push_back(
          fmt::format("{}: {} bytes of its Go code cannot be read; crossings and call sites in "
                      "them are missing",
                      name_, code_.missing()));
    const GoSides sides = find_go_sides(module_, code_, memory_);
    for (const GoWrapper& one : sides.wrappers) add(one);
    for (const GoExport& one : sides.exports) add(one);
    add_call_sites(sides.helpers);
    name_packages();
  }

 private:
  void add(const GoWrapper& wrapper) {
    CrossingPoint& added = begin(
        Direction::go_to_c, wrapper.returns_errno ? Form::c2func : Form::cfunc, wrapper.function);
    added.function = c_name_of(wrapper.c_name);
    added.go_name = wrapper.function.name;
    added.package = package_of(wrapper.function.name);
    added.no_callback = wrapper.no_callback;
    added.no_escape = wrapper.no_escape;
    added.word = wrapper.word;
    if (const auto stub =
            wrapper.word ? read_pointer(memory_, wrapper.word) : Result<Address>(Address()))
      added.stub = *stub;
    else
      out_.problems.push_back(fmt::format("{}: the data word of {} at {} cannot be read", name_,
                                          added.go_name, hex(wrapper.word)));
    if (added.stub && !images_.executable(added.stub)) added.stub = {};
    name_word(added);
    if (const auto other = other_than_stub(added)) {
      out_.problems.push_back(
          fmt::format("{}: the data word of {} at {} leads to {}, not to its stub", name_,
                      added.go_name, hex(added.word), *other));
      added.c = {};
    } else if (added.stub) {
      added.c = c_functions_.behind(added.stub, added.function);
    }
    wrappers_.emplace(wrapper.function.entry, out_.crossings.size() - 1);
  }

  void add(const GoExport& exported) {
    CrossingPoint& added = begin(Direction::c_to_go, Form::exported, exported.function);
    added.function = exported.c_name;
    added.go_name = exported.go_name;
    added.package = package_of(exported.go_name);
    added.build_id = build_id_in(exported.function.name);
    added.c = c_functions_.named(image_, exported.c_name);
    added.stub = added.c.entry;
    if (added.stub) {
      added.known_by = KnownBy::symbols;
      added.c.place = CFunction::Place::found;
    }
    if (!exported.file.empty())
      added.call_sites.push_back(
          {exported.function.entry, exported.go_name, exported.file, exported.line, {}});
  }

  CrossingPoint& begin(Direction direction, Form form, const GoFunction& function) {
    CrossingPoint& added = out_.crossings.emplace_back();
    added.direction = direction;
    added.form = form;
    added.entry = function.entry;
    added.image = name_;
    return added;
  }

  /// The name of what the data word leads to, where that is not a stub of cgo's: a tracer's, or a
  /// damaged word.
  std::optional<std::string> other_than_stub(const CrossingPoint& crossing) const {
    const ElfSymbol* symbol = images_.symbol_at(crossing.stub);
    if (symbol == nullptr || symbol->name.starts_with("_cgo_")) return std::nullopt;
    return std::string(symbol->name);
  }

  /// Exports whose Go function left no code of its own are of the package whose build has their
  /// hash.
  void name_packages() {
    std::map<std::string, std::string> by_build;
    const std::span ours = std::span(out_.crossings).subspan(first_);
    for (const CrossingPoint& one : ours)
      if (!one.build_id.empty() && !one.package.empty()) by_build[one.build_id] = one.package;
    for (CrossingPoint& one : ours)
      if (const auto known = by_build.find(one.build_id);
          one.package.empty() && known != by_build.end())
        one.package = known->second;
  }

  /// By what the data word has a name, and cgo's hash in it.
  void name_word(CrossingPoint& crossing) const {
    if (!crossing.word || file_ == nullptr) return;
    const auto named = [&](Address address) -> std::string_view {
      const auto symbols = file_->symbols();
      const Address wanted = image_->to_file(address);
      auto at = std::lower_bound(
          symbols.begin(), symbols.end(), wanted,
          [](const ElfSymbol& symbol, Address other) { return symbol.file_address < other; });
      for (; at != symbols.end() && at->file_address == wanted; ++at)
        if (at->name.find("_cgo_") != at->name.npos) return at->name;
      return {};
    };
    if (const std::string_view symbol = named(crossing.word); !symbol.empty()) {
      crossing.known_by = KnownBy::symbols;
      crossing.build_id = build_id_in(symbol);
      return;
    }
    if (file_->section(".symtab") != nullptr) return;
    const auto dwarf = dwarf_(*image_);
    if (!dwarf) return;
    const auto variable = (*dwarf)->variable_at(image_->to_file(crossing.word));
    if (!variable) return;
    crossing.known_by = KnownBy::dwarf;
    crossing.build_id = build_id_in(variable->name);
  }

  void add_site(CrossingPoint& crossing, Address call, std::string_view via = {}) const {
    const auto function = module_.function_at(call);
    if (!function) return;
    const auto frames = module_.source_frames(*function, call);
    if (!frames || frames->empty()) return;
    std::size_t index = 0;
    while (index + 1 < frames->size() && helper_name((*frames)[index].function))
      via = *helper_name((*frames)[index++].function);  // Inlined into its caller.
    const GoSourceFrame& frame = (*frames)[index];
    crossing.call_sites.push_back({call, std::string(frame.function), std::string(frame.file),
                                   frame.line, std::string(c_name_of(via))});
  }

  void add_call_sites(const std::vector<GoHelper>& helpers) {
    std::vector<Address> targets;
    for (const auto& [entry, index] : wrappers_) targets.push_back(entry);
    std::map<Address, Helper> by_entry;
    for (const GoHelper& one : helpers) {
      targets.push_back(one.function.entry);
      by_entry[one.function.entry].name = one.name;
    }
    if (const auto cgocall = runtime_.function_named("runtime.cgocall"))
      targets.push_back(cgocall->entry);
    const std::vector<DirectCall> calls = direct_calls(module_, code_, std::move(targets));
    for (const DirectCall& call : calls) {
      const auto helper = by_entry.find(call.function.entry);
      const auto wrapper = wrappers_.find(call.target);
      if (helper != by_entry.end() && wrapper != wrappers_.end())
        helper->second.crossing = wrapper->second;
    }
    for (const DirectCall& call : calls) add_call(call, by_entry);
  }

  /// A helper of cgo's, and the crossing it is a way to, if it is one.
  struct Helper {
    std::string name;
    std::optional<std::size_t> crossing;
  };

  void add_call(const DirectCall& call, const std::map<Address, Helper>& helpers) {
    if (helpers.contains(call.function.entry)) return;  // Its callers are the call sites.
    if (const auto helper = helpers.find(call.target); helper != helpers.end()) {
      if (helper->second.crossing)
        add_site(out_.crossings[*helper->second.crossing], call.at, helper->second.name);
    } else if (const auto wrapper = wrappers_.find(call.target); wrapper != wrappers_.end()) {
      add_site(out_.crossings[wrapper->second], call.at);
    } else if (!wrappers_.contains(call.function.entry)) {
      add_other(call);
    }
  }

  /// A caller of runtime.cgocall that cmd/cgo did not write. The runtime's own calls are for
  /// itself.
  void add_other(const DirectCall& call) {
    if (package_of(call.function.name) == "runtime") return;
    const auto [other, added] = others_.try_emplace(call.function.entry, out_.crossings.size());
    if (added) {
      CrossingPoint& crossing = begin(Direction::go_to_c, Form::cgocall, call.function);
      crossing.go_name = call.function.name;
      crossing.package = package_of(call.function.name);
    }
    add_site(out_.crossings[other->second], call.at);
  }

  const MemoryReader& memory_;
  const ImageMap& images_;
  const DwarfSource& dwarf_;
  const GoRuntime& runtime_;
  const GoModule& module_;
  Catalogue& out_;
  const std::size_t first_;  // Of its crossings in out_.
  CFunctions c_functions_;
  const CodeBytes code_;
  const Image* image_ = nullptr;
  const ElfFile* file_ = nullptr;  // Null where it is absent or wrong.
  std::string name_;
  std::map<Address, std::size_t> wrappers_;  // Entry → index in out_.crossings.
  std::map<Address, std::size_t> others_;    // The same, of other callers of runtime.cgocall.
};

auto place_of(const CrossingPoint& one) {
  return std::tie(one.direction, one.package, one.function, one.form, one.entry.value);
}

}  // namespace

Catalogue read_catalogue(const MemoryReader& memory, const ImageMap& images,
                         const GoRuntimes& runtimes, const DwarfSource& dwarf) {
  Catalogue out;
  for (const auto& runtime : runtimes.all)
    for (const auto& module : runtime->parts().modules)
      ModuleReader(memory, images, dwarf, *runtime, *module, out).read();
  for (CrossingPoint& one : out.crossings)
    std::ranges::sort(one.call_sites, {}, [](const CrossingCallSite& site) {
      return std::tie(site.file, site.line, site.call.value);
    });
  std::ranges::sort(out.crossings, [](const CrossingPoint& a, const CrossingPoint& b) {
    return place_of(a) < place_of(b);
  });
  return out;
}

void locate_c_function(const ImageMap& images, const DwarfSource& dwarf, CrossingPoint& crossing) {
  if (!crossing.c.entry) return;
  const Image* image = images.find(crossing.c.entry);
  if (image == nullptr || !image->file || image->mismatch) return;
  const auto info = dwarf(*image);
  if (!info) return;
  const auto frames = (*info)->frames_at(image->to_file(crossing.c.entry));
  if (!frames || frames->empty()) return;
  crossing.c.file = frames->back().file;
  crossing.c.line = frames->back().line;
}

}  // namespace cgo
