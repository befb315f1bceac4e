#include "unwind/symbolizer.h"

#include <cxxabi.h>

#include <cstdlib>
#include <deque>
#include <mutex>
#include <unordered_map>

#include "unwind/plumbing.h"

namespace cgo {
namespace {

constexpr std::size_t kCgoHashDigits = 12;

using Frames = std::vector<Frame>;

/// One pc of C code in source terms, with what tail-call look-ups need.
struct CSymbols {
  Frames frames;
  Address entry;  ///< File address of the out-of-line function; 0 when unknown.
};

std::string demangled(std::string_view symbol) {
  const std::string name(symbol);
  int status = 0;
  char* text = abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status);
  std::string out = status == 0 && text != nullptr ? text : name;
  std::free(text);
  return out;
}

/// The C stub behind the Go function "PACKAGE._Cfunc_NAME" (or _C2func_): cgo names it
/// _cgo_HASH_Cfunc_NAME, and names the Go variable that holds its address
/// PACKAGE._cgo_HASH_Cfunc_NAME. Its file address; nothing when the symbols are gone or do not
/// agree. Source: cmd/cgo/out.go, writeDefsFunc and cPrefix; Go 1.19-1.27.
std::optional<Address> stub_of(const ElfFile& file, std::string_view go_wrapper) {
  auto at = go_wrapper.find("._Cfunc_");
  if (at == std::string_view::npos) at = go_wrapper.find("._C2func_");
  if (at == std::string_view::npos) return std::nullopt;
  const std::string prefix = std::string(go_wrapper.substr(0, at)) + "._cgo_";
  const std::string_view suffix = go_wrapper.substr(at + 1);  // _Cfunc_NAME
  std::optional<Address> found;
  for (const ElfSymbol& symbol : file.symbols()) {
    if (!symbol.name.starts_with(prefix) || !symbol.name.ends_with(suffix)) continue;
    const ElfSymbol* stub = file.find_symbol(symbol.name.substr(at + 1));
    if (stub == nullptr || symbol.name.size() != prefix.size() + kCgoHashDigits + suffix.size())
      continue;
    if (found && *found != stub->file_address) return std::nullopt;
    found = stub->file_address;
  }
  return found;
}

/// The Go function that called C, a few frames outside of `index`, where asmcgocall is; or empty.
std::string_view go_wrapper_outside(const Walk& walk, std::size_t index) {
  constexpr std::size_t kAsmcgocallAndCgocall = 2;
  const std::size_t at = index + 1 + kAsmcgocallAndCgocall;
  if (at >= walk.elements.size()) return {};
  const auto* frame = std::get_if<PhysicalFrame>(&walk.elements[at]);
  return frame != nullptr && frame->go ? frame->go->name : std::string_view{};
}

struct TailKey {
  Address return_pc, entry;
  friend bool operator==(const TailKey&, const TailKey&) = default;
};
struct TailKeyHash {
  std::size_t operator()(const TailKey& key) const {
    return std::hash<Address>{}(key.return_pc) * 31 + std::hash<Address>{}(key.entry);
  }
};

}  // namespace

struct Symbolizer::State {
  std::shared_ptr<const ImageMap> images;
  DwarfSource dwarf;

  std::mutex mutex;
  std::deque<std::string> texts;  // Never shrinks: frames hold views.
  std::unordered_map<std::string_view, std::string_view> interned;
  std::unordered_map<Address, std::shared_ptr<const Frames>> go;
  std::unordered_map<Address, std::shared_ptr<const CSymbols>> c;
  std::unordered_map<TailKey, std::shared_ptr<const Frames>, TailKeyHash> tails;
  std::unordered_map<TailKey, std::shared_ptr<const Frames>, TailKeyHash> stubs;

  std::string_view keep(std::string_view text);
  std::shared_ptr<const Frames> go_frames(const PhysicalFrame& physical);
  std::shared_ptr<const CSymbols> c_frames(Address lookup);
  std::shared_ptr<const Frames> tail_frames(Address return_pc, Address callee_entry);
  std::shared_ptr<const Frames> frames_since_stub(std::string_view go_wrapper, Address pc,
                                                  Address callee_entry);
  Frame from_source(const SourceFrame& source, const Image& image);
  Frame from_symbol(Address lookup, const Image& image, Address& entry);
};

std::string_view Symbolizer::State::keep(std::string_view text) {
  if (text.empty()) return {};
  const std::lock_guard lock(mutex);
  const auto found = interned.find(text);
  if (found != interned.end()) return found->second;
  const std::string_view kept = texts.emplace_back(text);
  interned.emplace(kept, kept);
  return kept;
}

std::shared_ptr<const Frames> Symbolizer::State::go_frames(const PhysicalFrame& physical) {
  const Address lookup = physical.pc.for_lookup();
  {
    const std::lock_guard lock(mutex);
    if (const auto found = go.find(lookup); found != go.end()) return found->second;
  }
  const GoFunction& function = *physical.go;
  const Image* image = images->find(lookup);
  const std::string_view module = keep(image != nullptr ? image->name() : std::string_view{});
  auto frames = std::make_shared<Frames>();
  if (auto sources = function.module->source_frames(function, lookup)) {
    for (const GoSourceFrame& source : *sources) {
      Frame frame;
      frame.language = source.file.ends_with(".s") ? Language::assembly : Language::go;
      frame.function = keep(source.function);
      frame.module = module;
      frame.file = keep(source.file);
      frame.line = source.line;
      frame.inlined = source.inlined;
      frame.plumbing =
          source.id == FuncId::wrapper || is_plumbing(frame.language, frame.function, frame.file);
      frames->push_back(frame);
    }
  }
  if (frames->empty()) {
    Frame frame;
    frame.language = Language::go;
    frame.function = keep(function.name);
    frame.module = module;
    frame.plumbing = is_plumbing(frame.language, frame.function, {});
    frames->push_back(frame);
  }
  const std::lock_guard lock(mutex);
  return go.emplace(lookup, std::move(frames)).first->second;
}

Frame Symbolizer::State::from_source(const SourceFrame& source, const Image& image) {
  Frame frame;
  frame.language = source.language;
  frame.function = keep(source.function);
  frame.module = keep(image.name());
  frame.file = keep(source.file);
  frame.line = source.line;
  frame.inlined = source.inlined;
  frame.plumbing = is_plumbing(frame.language, frame.function, frame.file);
  return frame;
}

Frame Symbolizer::State::from_symbol(Address lookup, const Image& image, Address& entry) {
  Frame frame;
  frame.module = keep(image.name());
  if (!image.file || image.mismatch) return frame;
  // A separate debug file has the symbols that were stripped from the image.
  const auto info = dwarf(image);
  const ElfFile* separate = info ? (*info)->file() : nullptr;
  const ElfSymbol* symbol =
      separate != nullptr ? separate->symbol_at(image.to_file(lookup)) : nullptr;
  if (symbol == nullptr) symbol = image.file->symbol_at(image.to_file(lookup));
  if (symbol == nullptr) return frame;
  entry = symbol->file_address;
  frame.language = symbol->name.starts_with("_Z") ? Language::cxx : Language::c;
  frame.function = keep(demangled(symbol->name));
  frame.plumbing = is_plumbing(frame.language, frame.function, {});
  return frame;
}

std::shared_ptr<const CSymbols> Symbolizer::State::c_frames(Address lookup) {
  {
    const std::lock_guard lock(mutex);
    if (const auto found = c.find(lookup); found != c.end()) return found->second;
  }
  auto out = std::make_shared<CSymbols>();
  if (const Image* image = images->find(lookup)) {
    if (auto info = dwarf(*image); info && !image->mismatch) {
      if (auto sources = (*info)->frames_at(image->to_file(lookup)); sources && !sources->empty()) {
        for (const SourceFrame& source : *sources)
          out->frames.push_back(from_source(source, *image));
        out->entry = sources->back().entry;
      }
    }
    if (out->frames.empty()) out->frames.push_back(from_symbol(lookup, *image, out->entry));
  } else {
    out->frames.emplace_back();
  }
  const std::lock_guard lock(mutex);
  return c.emplace(lookup, std::move(out)).first->second;
}

std::shared_ptr<const Frames> Symbolizer::State::tail_frames(Address return_pc,
                                                             Address callee_entry) {
  const TailKey key{return_pc, callee_entry};
  {
    const std::lock_guard lock(mutex);
    if (const auto found = tails.find(key); found != tails.end()) return found->second;
  }
  auto out = std::make_shared<Frames>();
  const Image* image = images->find(return_pc);
  if (image != nullptr && !image->mismatch) {
    if (auto info = dwarf(*image)) {
      if (auto chain = (*info)->tail_calls(image->to_file(return_pc), callee_entry)) {
        for (const SourceFrame& source : *chain) {
          Frame frame = from_source(source, *image);
          frame.tail_call = true;
          frame.pc = {image->to_load(source.entry), CodeAddress::Origin::program_counter};
          out->push_back(frame);
        }
      }
    }
  }
  const std::lock_guard lock(mutex);
  return tails.emplace(key, std::move(out)).first->second;
}

std::shared_ptr<const Frames> Symbolizer::State::frames_since_stub(std::string_view go_wrapper,
                                                                   Address pc,
                                                                   Address callee_entry) {
  // Keyed by the wrapper: every call through it goes to the same stub.
  const TailKey key{{std::hash<std::string_view>{}(go_wrapper)}, callee_entry};
  {
    const std::lock_guard lock(mutex);
    if (const auto found = stubs.find(key); found != stubs.end()) return found->second;
  }
  auto out = std::make_shared<Frames>();
  const Image* image = images->find(pc);
  if (image != nullptr && image->file && !image->mismatch) {
    const auto stub = stub_of(*image->file, go_wrapper);
    auto info = dwarf(*image);
    if (stub && *stub != callee_entry && info) {
      if (auto chain = (*info)->tail_calls_from(*stub, callee_entry)) {
        for (const SourceFrame& source : *chain) {
          Frame frame = from_source(source, *image);
          frame.tail_call = true;
          frame.pc = {image->to_load(source.entry), CodeAddress::Origin::program_counter};
          out->push_back(frame);
        }
      }
    }
  }
  const std::lock_guard lock(mutex);
  return stubs.emplace(key, std::move(out)).first->second;
}

namespace {

/// The function of the element that was put out last; empty at the start and after a gap.
std::string_view last_function(const std::vector<StackElement>& elements) {
  const auto* frame = elements.empty() ? nullptr : std::get_if<Frame>(&elements.back());
  return frame == nullptr ? std::string_view() : frame->function;
}

}  // namespace

Symbolizer::Symbolizer(std::shared_ptr<const ImageMap> images, DwarfSource dwarf)
    : state_(std::make_unique<State>()) {
  state_->images = std::move(images);
  state_->dwarf = std::move(dwarf);
}

Symbolizer::~Symbolizer() = default;

std::vector<StackElement> Symbolizer::symbolize(const Walk& walk) const {
  std::vector<StackElement> out;
  out.reserve(walk.elements.size() + 8);
  const PhysicalFrame* inner = nullptr;  // The frame just inside, when it is C code of its own.
  Address inner_entry;
  std::size_t handler_begin = 0;  // First frame that may be inside a signal handler.

  const auto append = [&](const Frames& frames, const PhysicalFrame& physical, std::size_t index) {
    for (Frame frame : frames) {
      if (!frame.tail_call) frame.pc = physical.pc;
      frame.sp = physical.registers.sp();
      frame.cfa = physical.cfa;
      frame.certainty = physical.certainty;
      frame.rule = physical.rule;
      frame.physical = index;
      out.emplace_back(frame);
    }
  };

  for (std::size_t i = 0; i < walk.elements.size(); ++i) {
    if (const auto* gap = std::get_if<Gap>(&walk.elements[i])) {
      out.emplace_back(*gap);
      inner = nullptr;
      continue;
    }
    const auto& physical = std::get<PhysicalFrame>(walk.elements[i]);
    if (physical.go) {
      append(*state_->go_frames(physical), physical, i);
      inner = nullptr;
    } else {
      const Address lookup = physical.pc.for_lookup();
      const auto symbols = state_->c_frames(lookup);
      const Image* image = state_->images->find(lookup);
      const bool is_call = physical.pc.origin == CodeAddress::Origin::return_address;
      if (inner != nullptr && inner_entry && is_call && image != nullptr &&
          image == state_->images->find(inner->pc.for_lookup()))
        append(*state_->tail_frames(physical.pc.address, inner_entry), physical, i);
      const bool is_export_stub = last_function(out) == "crosscall2";
      append(symbols->frames, physical, i);
      // Also where a stripped file does not say that it comes from _cgo_export.c: nothing else
      // calls crosscall2.
      if (is_export_stub) std::get<Frame>(out.back()).plumbing = true;
      inner = &physical;
      inner_entry = symbols->entry;
      if (physical.crossing == Crossing::go_to_c && symbols->entry)
        if (const auto wrapper = go_wrapper_outside(walk, i); !wrapper.empty())
          if (const auto* caller = std::get_if<PhysicalFrame>(&walk.elements[i + 1]))
            append(*state_->frames_since_stub(wrapper, lookup, symbols->entry), *caller, i + 1);
    }
    auto& outermost = std::get<Frame>(out.back());
    outermost.crossing = physical.crossing;
    if (physical.crossing == Crossing::signal) {
      outermost.plumbing = true;
      for (std::size_t k = handler_begin; k < out.size(); ++k)
        if (auto* frame = std::get_if<Frame>(&out[k]);
            frame && is_runtime_function(frame->function))
          frame->plumbing = true;
      handler_begin = out.size();
      inner = nullptr;
    }
  }
  return out;
}

}  // namespace cgo
