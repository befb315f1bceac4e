#include "stops/errno_verdict.h"

#include <fmt/format.h>

#include <cstring>

namespace cgo {

std::string errno_name(int number) {
  const char* name = strerrorname_np(number);
  return name == nullptr ? fmt::format("errno {}", number) : std::string(name);
}

std::optional<ErrnoVerdict> errno_verdict(const ErrnoFacts& facts, const std::string& function) {
  if (facts.form == CrossingPoint::Form::cfunc) {
    const bool set =
        facts.before && facts.after && *facts.after != 0 && facts.after != facts.before;
    if (!set || !facts.failed.value_or(false)) return std::nullopt;
    return ErrnoVerdict{
        "errno.lost",
        fmt::format("{} failed with {}, which Go cannot see: 'r, err := C.{}(…)' returns it",
                    function, errno_name(*facts.after), function)};
  }
  if (facts.form != CrossingPoint::Form::c2func || facts.returned.value_or(0) == 0)
    return std::nullopt;
  const std::string name = errno_name(*facts.returned);
  if (facts.failed && !*facts.failed)
    return ErrnoVerdict{
        "errno.on-success",
        fmt::format("Go gets {} though the result of {} does not say failure: check the result, "
                    "not err",
                    name, function)};
  return std::nullopt;
}

std::optional<bool> looks_failed(const MemoryReader& memory, const Datum& result) {
  switch (kind_of(result.type)) {
    case TypeKind::pointer: {
      const auto value = load_unsigned(memory, result);
      if (!value) return std::nullopt;
      return *value == 0 || *value == ~std::uint64_t{0};  // MAP_FAILED, SEM_FAILED.
    }
    case TypeKind::signed_integer: {
      const auto value = load_signed(memory, result);
      if (!value) return std::nullopt;
      return *value < 0;
    }
    default:
      return std::nullopt;
  }
}

}  // namespace cgo
