#include "crossings/c_functions.h"

#include <algorithm>
#include <vector>

#include "crossings/machine_code.h"

namespace cgo {
namespace {

constexpr std::uint64_t kMostStubBytes = 1024;
constexpr std::uint8_t kFunctionSymbol = 2,
                       kIndirectFunctionSymbol = 10;  // STT_FUNC, STT_GNU_IFUNC

using Place = CFunction::Place;

bool is_function(const ElfSymbol& symbol) {
  return symbol.type == kFunctionSymbol || symbol.type == kIndirectFunctionSymbol;
}

/// "f" for gcc's "f.constprop.0", "f.part.1".
std::string_view base_name(std::string_view name) { return name.substr(0, name.find('.')); }

const ElfSymbol* function_at(const ImageMap& images, Address address) {
  const Image* image = images.find(address);
  if (image == nullptr || !image->file || image->mismatch) return nullptr;
  const ElfSymbol* symbol = image->file->symbol_at(image->to_file(address));
  return symbol != nullptr && image->to_load(symbol->file_address) == address ? symbol : nullptr;
}

CFunction found_at(const ImageMap& images, Address entry, Place place) {
  const Image* image = images.find(entry);
  return {place, entry, image == nullptr ? std::string() : std::string(image->name()), {}, 0};
}

/// Where the code at `target` goes on: through the word it jumps by, for an entry of a procedure
/// linkage table: 0 while that word leads nowhere. Nothing for other code.
std::optional<Address> through_plt(const MemoryReader& memory, Address target) {
  constexpr std::uint64_t kEntryBytes = 16;
  const auto code = read_bytes(memory, target, kEntryBytes);
  Address word;
  if (code)
    decode_amd64(*code, target, [&](const Instruction& one) {
      if (one.kind == Instruction::Kind::slot) word = one.target;
      return one.at == target && !word;  // One instruction may stand before: endbr64.
    });
  if (!word) return std::nullopt;
  const auto slot = read_pointer(memory, word);
  return slot ? *slot : Address();
}

/// The direct calls and jumps of a stub that leave it, and what its indirect ones lead to.
struct StubTargets {
  std::vector<Address> direct, by_word;
  bool readable = false;
};

StubTargets targets_of(const MemoryReader& memory, const ImageMap& images, Address stub) {
  StubTargets out;
  const Image* image = images.find(stub);
  std::uint64_t bytes = 128;
  if (const ElfSymbol* symbol = function_at(images, stub); symbol != nullptr && symbol->bytes != 0)
    bytes = std::min(symbol->bytes, kMostStubBytes);
  const auto code = read_bytes(memory, stub, bytes);
  if (!code || image == nullptr) return out;
  out.readable = true;
  const AddressRange inside{stub, wrapping_add(stub, bytes)};
  decode_amd64(*code, stub, [&](const Instruction& one) {
    if (one.kind == Instruction::Kind::slot) {
      if (const auto slot = read_pointer(memory, one.target)) out.by_word.push_back(*slot);
    } else if ((one.kind == Instruction::Kind::call || one.kind == Instruction::Kind::jump) &&
               !inside.contains(one.target)) {
      out.direct.push_back(one.target);
    }
    return true;
  });
  return out;
}

}  // namespace

CFunction c_function_named(const ImageMap& images, const Image* first, std::string_view name) {
  const auto in = [&](const Image& image) -> CFunction {
    if (!image.file || image.mismatch) return {};
    const ElfSymbol* symbol = image.file->find_symbol(name);
    if (symbol == nullptr || !is_function(*symbol)) return {};
    return found_at(images, image.to_load(symbol->file_address), Place::by_name);
  };
  if (first != nullptr)
    if (CFunction here = in(*first); here.entry) return here;
  for (const Image& image : images.all())
    if (&image != first)
      if (CFunction there = in(image); there.entry) return there;
  return {};
}

CFunction c_function_behind(const MemoryReader& memory, const ImageMap& images, Address stub,
                            std::string_view name) {
  const StubTargets targets = targets_of(memory, images, stub);
  if (!targets.readable) return {};
  const auto named_so = [&](Address target) {
    const ElfSymbol* symbol = function_at(images, target);
    return symbol != nullptr && base_name(symbol->name) == name;
  };
  for (const Address target : targets.direct)
    if (named_so(target)) return found_at(images, target, Place::found);
  // Through a table: other names of the same code (memcpy's variants) are right too, if it is the
  // only one.
  std::vector<Address> through = targets.by_word;
  for (const Address target : targets.direct)
    if (const auto behind = through_plt(memory, target)) through.push_back(*behind);
  for (const Address target : through)
    if (named_so(target)) return found_at(images, target, Place::found);
  const Image* image = images.find(stub);
  if (through.size() == 1 && images.find(through[0]) != image && function_at(images, through[0]))
    return found_at(images, through[0], Place::found);
  if (!through.empty()) {
    CFunction named = c_function_named(images, nullptr, name);
    if (!named.entry) named.place = Place::library;
    return named;
  }
  // Where functions have names and none of the called ones is this one, its body is in the stub.
  const bool names = function_at(images, stub) != nullptr;
  const bool calls_nothing = targets.direct.empty() && targets.by_word.empty();
  if (names || calls_nothing) return {Place::inlined, {}, {}, {}, 0};
  return {};
}

}  // namespace cgo
