#include "target/demangle.h"

#include <cxxabi.h>

#include <cstdlib>
#include <memory>

namespace cgo {

std::optional<std::string> demangle(std::string_view symbol) {
  constexpr std::size_t kLongestSymbol = 8192;
  if (!symbol.starts_with("_Z") || symbol.size() > kLongestSymbol) return std::nullopt;
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> name(
      abi::__cxa_demangle(std::string(symbol).c_str(), nullptr, nullptr, &status), std::free);
  if (!name || status != 0) return std::nullopt;
  return std::string(name.get());
}

}  // namespace cgo
