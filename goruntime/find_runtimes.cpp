#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "goruntime/build_info.h"
#include "goruntime/go_image.h"
#include "goruntime/go_runtime.h"
#include "goruntime/layout_table.h"
#include "goruntime/runtime_globals.h"

namespace cgo {
namespace {

constexpr std::size_t kMostModules = 10'000;

int newest_known_minor() { return layout_rows_amd64().back().last.minor; }

/// A release newer than those looked at may have renumbered funcIDs or changed _func; functions
/// with well-known names tell.
Result<void> check_function_table(const GoModule& module) {
  const std::pair<std::string_view, FuncId> known[] = {
      {"runtime.asmcgocall", FuncId::asmcgocall},
      {"runtime.cgocallback", FuncId::cgocallback},
      {"runtime.mcall", FuncId::mcall},
      {"runtime.morestack", FuncId::morestack},
      {"runtime.goexit", FuncId::goexit},
      {"runtime.sigpanic", FuncId::sigpanic},
      {"runtime.systemstack", FuncId::systemstack}};
  for (const auto& [name, id] : known) {
    const auto function = module.function_named(name);
    const bool same = function && (function->id == id || function->id == FuncId::wrapper);
    if (!same || !module.frame_bytes(*function, function->entry))
      return Error{ErrorCode::unsupported,
                   "go" + format_go_version(module.version()) +
                       " is newer than the known releases, and its function table differs at " +
                       std::string(name)};
  }
  return {};
}

/// Groups Go images into runtimes: the moduledata of a program links to those of its plugins.
class RuntimeFinder {
 public:
  RuntimeFinder(const MemoryReader& memory, const ImageMap& images, const DwarfSource& dwarf,
                LonePlugins plugins)
      : memory_(memory), images_(images), dwarf_(dwarf), plugins_(plugins) {}

  GoRuntimes find() {
    for (const Image& image : images_.all()) {
      auto found = find_go_image(image, memory_, dwarf_);
      if (!found) continue;
      if (*found)
        go_images_.push_back(**std::move(found));
      else
        problem(std::move(*found).error(), image.path);
    }
    std::unordered_set<Address> linked_to;
    for (const GoImage& image : go_images_)
      for (const Chained& module : chain_from(image)) linked_to.insert(module.data.address);
    for (const GoImage& image : go_images_) {
      if (linked_to.contains(image.data.address)) continue;
      if (image.data.is_plugin && plugins_ == LonePlugins::refused)
        problem({ErrorCode::unsupported, "plugin that no Go runtime has taken in yet"},
                image.image->path);
      else
        add_runtime(image);
    }
    return std::move(out_);
  }

 private:
  struct Chained {
    ModuleData data;
    const Image* image = nullptr;
  };

  void problem(Error error, const std::string& path) {
    out_.problems.push_back(std::move(error).in(path));
  }

  /// The modules behind the first, in the order they were loaded. A damaged link ends the chain and
  /// is kept as a problem once, when the runtime is made.
  std::vector<Chained> chain_from(const GoImage& head, std::optional<Error>* damage = nullptr) {
    std::vector<Chained> chain;
    std::unordered_set<Address> seen{head.data.address};
    for (Address next = head.data.next; next;) {
      if (!seen.insert(next).second || seen.size() > kMostModules) {
        if (damage) *damage = Error{ErrorCode::malformed_data, "circular list of modules", next};
        break;
      }
      auto data = decode_module_data(memory_, head.layout.moduledata, next);
      if (!data) {
        if (damage) *damage = std::move(data).error();
        break;
      }
      next = data->next;
      const Image* image = images_.find(data->text);
      chain.push_back({*std::move(data), image});
    }
    return chain;
  }

  void add_runtime(const GoImage& head) {
    GoRuntime::Parts parts;
    parts.version = head.version;
    parts.version_text = head.version_text;
    parts.image_path = head.image->path;
    parts.layout = head.layout;
    parts.notes = head.notes;
    const ImageBytes bytes(*head.image, memory_);
    auto first = load_module(bytes, head.data, head.version);
    if (!first) return problem(std::move(first).error(), head.image->path);
    if (head.version.minor > newest_known_minor()) {
      auto checked = check_function_table(**first);
      if (!checked) return problem(std::move(checked).error(), head.image->path);
      parts.notes.push_back("newer than the known releases; its function table looks like theirs");
    }
    parts.modules.push_back(*std::move(first));
    parts.last_module = head.data.address;
    add_chained(head, parts);

    RuntimeGlobals globals = find_runtime_globals(bytes, *parts.modules.front(), head.layout);
    parts.notes.insert(parts.notes.end(), globals.notes.begin(), globals.notes.end());
    parts.allgs = globals.allgs;
    parts.allm = globals.allm;
    parts.wait_reason_strings = globals.wait_reason_strings;
    parts.g_tls_offset = globals.g_tls_offset;
    if (!confirm(parts)) return;
    out_.all.push_back(std::make_unique<const GoRuntime>(std::move(parts)));
  }

  void add_chained(const GoImage& head, GoRuntime::Parts& parts) {
    std::optional<Error> damage;
    for (const Chained& module : chain_from(head, &damage)) {
      parts.last_module = module.data.address;
      if (module.image == nullptr) {
        problem({ErrorCode::not_found,
                 "no image at the code of the module " + hex(module.data.address)},
                head.image->path);
        continue;
      }
      auto loaded = load_module(ImageBytes(*module.image, memory_), module.data, head.version);
      if (loaded)
        parts.modules.push_back(*std::move(loaded));
      else
        problem(std::move(loaded).error(), module.image->path);
    }
    if (damage) problem(*std::move(damage), head.image->path);
  }

  /// A layout measured on another patch release is used only where memory confirms it; for the
  /// others a contradiction is worth a note, because it tells that the debuggee is damaged.
  bool confirm(GoRuntime::Parts& parts) {
    auto confirmed = parts.allm ? confirm_layout(memory_, parts.layout, parts.allm)
                                : Result<void>(Error{ErrorCode::not_found, "no list of ms"});
    if (confirmed) {
      parts.notes.push_back("layout confirmed by the ms in memory");
      return true;
    }
    if (parts.layout.newer_than_measured) {
      problem(Error{ErrorCode::unsupported,
                    "go" + format_go_version(parts.version) +
                        " is newer than the measured releases, and memory does not confirm their "
                        "layout (" +
                        confirmed.error().message + "); a binary with DWARF would do"},
              parts.image_path);
      return false;
    }
    parts.notes.push_back("layout not confirmed by memory: " + confirmed.error().message);
    return true;
  }

  const MemoryReader& memory_;
  const ImageMap& images_;
  const DwarfSource& dwarf_;
  LonePlugins plugins_;
  std::vector<GoImage> go_images_;
  GoRuntimes out_;
};

}  // namespace

GoRuntimes find_go_runtimes(const MemoryReader& memory, const ImageMap& images,
                            const DwarfSource& dwarf, LonePlugins plugins) {
  return RuntimeFinder(memory, images, dwarf, plugins).find();
}

}  // namespace cgo
