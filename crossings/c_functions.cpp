#include "crossings/c_functions.h"

#include <algorithm>
#include <vector>

#include "crossings/code_bytes.h"
#include "crossings/machine_code.h"

namespace cgo {
namespace {

constexpr std::uint64_t kMostStubBytes = 512;
constexpr std::uint8_t kFunctionSymbol = 2,
                       kIndirectFunctionSymbol = 10;  // STT_FUNC, STT_GNU_IFUNC

using Place = CFunction::Place;

bool is_function(const ElfSymbol& symbol) {
  return symbol.type == kFunctionSymbol || symbol.type == kIndirectFunctionSymbol;
}

/// "f" for gcc's "f.constprop.0", "f.part.1".
std::string_view base_name(std::string_view name) { return name.substr(0, name.find('.')); }

CFunction found_at(const ImageMap& images, Address entry, Place place) {
  const Image* image = images.find(entry);
  return {place, entry, image == nullptr ? std::string() : std::string(image->name()), {}, 0};
}

/// What a stub calls or jumps to outside of itself.
struct StubTargets {
  std::vector<Address> direct;
  std::vector<Address> words;  ///< Of indirect calls and jumps: where their targets are kept.
  bool readable = false;
};

/// Decodes the stub to its end: where code does not go on, and no jump of the stub leads further.
StubTargets targets_of(const MemoryReader& memory, Address stub) {
  StubTargets out;
  const auto code = read_short_code(memory, stub, kMostStubBytes);
  if (!code) return out;
  Address furthest = stub;
  const AddressRange possible{stub, wrapping_add(stub, code->size())};
  out.readable = true;
  decode_amd64(*code, stub, [&](const Instruction& one) {
    if (one.kind == Instruction::Kind::slot) {
      out.words.push_back(one.target);
    } else if (one.kind == Instruction::Kind::call) {
      out.direct.push_back(one.target);
    } else if (one.kind == Instruction::Kind::jump) {
      // A jump that nothing is behind may be a tail call, however near its target is.
      if (!one.falls_through && one.at >= furthest)
        out.direct.push_back(one.target);
      else if (possible.contains(one.target))
        furthest = std::max(furthest, one.target);
      else
        out.direct.push_back(one.target);
    }
    return one.falls_through || one.at < furthest;
  });
  return out;
}

}  // namespace

CFunction CFunctions::named(const Image* first, std::string_view name) const {
  const auto in = [&](const Image& image) -> CFunction {
    if (!image.file || image.mismatch) return {};
    const ElfSymbol* symbol = image.file->find_symbol(name);
    if (symbol == nullptr || !is_function(*symbol)) return {};
    return found_at(images_, image.to_load(symbol->file_address), Place::by_name);
  };
  if (first != nullptr)
    if (CFunction here = in(*first); here.entry) return here;
  for (const Image& image : images_.all())
    if (&image != first)
      if (CFunction there = in(image); there.entry) return there;
  return {};
}

/// The function of another file that the stub's image calls through this word, if it is `name`.
std::optional<CFunction> CFunctions::imported(const Image& image, Address word,
                                              std::string_view name) {
  if (!word || !image.file) return std::nullopt;
  const ElfImports& imports = imports_.try_emplace(image.file.get(), image.file).first->second;
  if (imports.at(image.to_file(word)) != name) return std::nullopt;
  const auto target = read_pointer(memory_, word);
  // Before its first call the word leads back into the table.
  if (target && *target && images_.find(*target) != &image && images_.executable(*target))
    return found_at(images_, *target, Place::found);
  CFunction by_name = named(nullptr, name);
  if (!by_name.entry) by_name.place = Place::library;
  return by_name;
}

CFunction CFunctions::behind(Address stub, std::string_view name) {
  const StubTargets targets = targets_of(memory_, stub);
  const Image* image = images_.find(stub);
  if (!targets.readable || image == nullptr) return {};
  for (const Address target : targets.direct)
    if (const ElfSymbol* symbol = images_.symbol_beginning_at(target);
        symbol != nullptr && base_name(symbol->name) == name)
      return found_at(images_, target, Place::found);
  for (const Address target : targets.direct)
    if (const auto found = imported(*image, word_of_plt(memory_, target), name)) return *found;
  for (const Address word : targets.words)
    if (const auto found = imported(*image, word, name)) return *found;
  // Where functions have names and none of the called ones is this one, its body is in the stub.
  const bool names = images_.symbol_beginning_at(stub) != nullptr;
  const bool calls_nothing = targets.direct.empty() && targets.words.empty();
  if (names || calls_nothing) return {Place::inlined, {}, {}, {}, 0};
  return {};
}

}  // namespace cgo
