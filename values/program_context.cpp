#include "values/program_context.h"

#include <algorithm>

namespace cgo {

ProgramContext::ProgramContext(Parts parts, const GoRuntime* runtime)
    : parts_(std::move(parts)), runtime_(runtime) {
  if (runtime_ == nullptr && parts_.runtimes != nullptr && !parts_.runtimes->all.empty())
    runtime_ = parts_.runtimes->all.front().get();
  if (runtime_ != nullptr)
    types_ = std::make_unique<const RuntimeTypes>(*parts_.memory, runtime_->version(),
                                                  type_ranges(*runtime_));
}

ProgramContext::~ProgramContext() = default;

GoVersion ProgramContext::go_version() const {
  return runtime_ != nullptr ? runtime_->version() : ValueContext::go_version();
}

Result<std::shared_ptr<const DwarfInfo>> ProgramContext::dwarf_at(Address address) const {
  const Image* image = parts_.images != nullptr ? parts_.images->find(address) : nullptr;
  if (image == nullptr || !parts_.dwarf || !image->file || image->mismatch)
    return Error{ErrorCode::not_found, "no debug information there"};
  auto dwarf = parts_.dwarf(*image);
  if (dwarf && !*dwarf) return Error{ErrorCode::not_found, "no debug information there"};
  return dwarf;
}

Result<const Type*> ProgramContext::dynamic_type(Address descriptor) const {
  if (!types_) return ValueContext::dynamic_type(descriptor);
  {
    const std::lock_guard lock(mutex_);
    if (const auto known = dynamic_.find(descriptor); known != dynamic_.end()) return known->second;
  }
  auto type = types_->at(descriptor);
  if (!type) return type;
  const Type* best = *type;
  const AddressRange module = types_->module_of(descriptor);
  if (!module.empty()) {
    if (auto dwarf = dwarf_at(descriptor)) {
      auto described = (*dwarf)->type_with_descriptor(descriptor.value - module.begin.value);
      // Believed only where both sides agree on what it is.
      if (described && (*described)->bytes() == best->bytes() &&
          (*described)->go_kind() == best->go_kind())
        best = *described;
    }
  }
  const std::lock_guard lock(mutex_);
  dynamic_.emplace(descriptor, best);
  return best;
}

Result<const Type*> ProgramContext::runtime_twin(const Type& type) const {
  if (!types_) return Error{ErrorCode::not_found, "no Go types are known"};
  if (RuntimeTypes::descriptor_of(&type)) return &type;
  if (type.runtime_type() == 0)
    return Error{ErrorCode::not_found, format_type(type) + " has no descriptor in the program"};
  for (const auto& module : runtime_->parts().modules) {
    const AddressRange range = module->tables().types;
    const auto at = checked_add(range.begin, type.runtime_type());
    if (!at || !range.contains(*at)) continue;
    auto twin = types_->at(*at);
    if (twin && (*twin)->go_kind() == type.go_kind() && (*twin)->bytes() == type.bytes())
      return twin;
  }
  return Error{ErrorCode::not_found, "the descriptor of " + format_type(type) + " is not there"};
}

Result<MapShape> ProgramContext::map_shape_of(const Type& map) const {
  {
    const std::lock_guard lock(mutex_);
    if (const auto known = shapes_.find(&map); known != shapes_.end()) return known->second;
  }
  const auto find = [&]() -> Result<MapShape> {
    auto twin = runtime_twin(map);
    if (!twin) return std::move(twin).error();
    auto details = types_->details_at(RuntimeTypes::descriptor_of(*twin)->address);
    if (!details) return std::move(details).error();
    auto unit = types_->at(details->unit);
    if (!unit) return std::move(unit).error().in("map type");
    auto key = types_->at(details->key), element = types_->at(details->element);
    if (!key) return std::move(key).error().in("map type");
    if (!element) return std::move(element).error().in("map type");
    return map_shape(**unit, **key, **element);
  };
  auto shape = find();
  const std::lock_guard lock(mutex_);
  return shapes_.emplace(&map, std::move(shape)).first->second;
}

Result<bool> ProgramContext::is_empty_interface(const Type& interface) const {
  if (auto twin = runtime_twin(interface)) {
    auto details = types_->details_at(RuntimeTypes::descriptor_of(*twin)->address);
    if (details) return details->interface_methods.empty();
  }
  return ValueContext::is_empty_interface(interface);
}

Result<TypeDetails> ProgramContext::details_of(const Type& type) const {
  auto twin = runtime_twin(type);
  if (!twin) return std::move(twin).error();
  return types_->details_at(RuntimeTypes::descriptor_of(*twin)->address);
}

std::optional<CodePlace> ProgramContext::place_of(Address pc) const {
  const GoRuntime* runtime = parts_.runtimes != nullptr ? parts_.runtimes->at(pc) : nullptr;
  if (runtime == nullptr) return c_place(pc);
  const auto function = runtime->function_at(pc);
  if (!function) return std::nullopt;
  CodePlace out{.function = std::string(function->name),
                .file = {},
                .line = function->start_line,
                .offset = pc.value - function->entry.value};
  const auto frames = function->module->source_frames(*function, pc);
  if (frames && !frames->empty()) {
    out.file = frames->back().file;
    if (out.offset != 0 || out.line == 0) out.line = frames->back().line;
  }
  return out;
}

std::optional<CodePlace> ProgramContext::c_place(Address pc) const {
  const Image* image = parts_.images != nullptr ? parts_.images->find(pc) : nullptr;
  if (image == nullptr || !image->file || image->mismatch || !parts_.images->executable(pc))
    return std::nullopt;
  const Address at = image->to_file(pc);
  if (auto dwarf = dwarf_at(pc)) {
    auto frames = (*dwarf)->frames_at(at);
    if (frames && !frames->empty()) {
      const SourceFrame& outer = frames->back();
      return CodePlace{outer.function, outer.file, outer.line, at.value - outer.entry.value};
    }
  }
  const ElfSymbol* symbol = image->file->symbol_at(at);
  if (symbol == nullptr) return std::nullopt;
  return CodePlace{std::string(symbol->name), {}, 0, at.value - symbol->file_address.value};
}

bool ProgramContext::in_image(Address address) const {
  return parts_.images != nullptr && parts_.images->find(address) != nullptr;
}

std::optional<std::uint64_t> ProgramContext::goroutine_id(Address g) const {
  if (runtime_ == nullptr) return std::nullopt;
  const auto goroutine = runtime_->goroutine(*parts_.memory, g);
  if (!goroutine) return std::nullopt;
  return goroutine->id;
}

Result<Datum> ProgramContext::variable_named(std::string_view name) const {
  if (parts_.images == nullptr || !parts_.dwarf) return ValueContext::variable_named(name);
  for (const Image& image : parts_.images->all()) {
    if (!image.file || image.mismatch) continue;
    auto dwarf = parts_.dwarf(image);
    if (!dwarf || !*dwarf) continue;
    auto found = (*dwarf)->variables_named(name);
    if (!found) continue;
    for (const GlobalVariable& global : *found) {
      if (global.variable.type == nullptr) continue;
      const ExpressionContext expression{.memory = parts_.memory, .bias = image.bias};
      auto pieces = evaluate_location(global.variable.location, expression);
      if (!pieces || pieces->size() != 1) continue;
      if (pieces->front().kind == LocationPiece::Kind::memory)
        return datum_at(global.variable.type, pieces->front().address);
    }
  }
  return constant_named(name);
}

Result<Datum> ProgramContext::constant_named(std::string_view name) const {
  for (const Image& image : parts_.images->all()) {
    if (!image.file || image.mismatch) continue;
    auto dwarf = parts_.dwarf(image);
    if (!dwarf || !*dwarf) continue;
    auto found = (*dwarf)->constant_named(name);
    if (!found || found->variable.error || found->variable.type == nullptr) continue;
    const std::uint64_t bytes = found->variable.type->bytes();
    if (!found->variable.constant || bytes == 0 || bytes > found->variable.value.size()) continue;
    found->variable.value.resize(bytes);
    Datum constant;
    constant.type = found->variable.type;
    constant.bytes = std::move(found->variable.value);
    return constant;
  }
  return ValueContext::variable_named(name);
}

std::vector<std::string> ProgramContext::packages_named(std::string_view name) const {
  std::vector<std::string> out;
  if (parts_.images == nullptr || !parts_.dwarf) return out;
  for (const Image& image : parts_.images->all()) {
    if (!image.file || image.mismatch) continue;
    auto dwarf = parts_.dwarf(image);
    if (!dwarf || !*dwarf) continue;
    auto packages = (*dwarf)->go_packages(name);
    if (packages) out.insert(out.end(), packages->begin(), packages->end());
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

Result<const Type*> ProgramContext::type_named(std::string_view name) const {
  if (parts_.images != nullptr && parts_.dwarf)
    for (const Image& image : parts_.images->all()) {
      if (!image.file || image.mismatch) continue;
      auto dwarf = parts_.dwarf(image);
      if (!dwarf || !*dwarf) continue;
      if (auto type = (*dwarf)->type_named(name)) return type;
    }
  return ValueContext::type_named(name);
}

}  // namespace cgo
