#include <fmt/format.h>

#include <bit>
#include <cmath>

#include "goruntime/type_descriptor.h"
#include "target/byte_view.h"
#include "values/quote.h"
#include "values/value_reader.h"
#include "values/wide_text.h"

namespace cgo {
namespace {

__extension__ typedef unsigned __int128 Wide;
__extension__ typedef __int128 SignedWide;

std::string format_float(double value, bool single) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Inf" : "+Inf";
  return single ? fmt::format("{}", static_cast<float>(value)) : fmt::format("{}", value);
}

/// A floating number of 4, 8, 10 (x87, stored in 16) bytes.
Result<std::string> float_text(ByteView bytes, const Type& type) {
  if (bytes.size() == 4) return format_float(*load<float>(bytes, 0), true);
  if (bytes.size() == 8) return format_float(*load<double>(bytes, 0), false);
  const bool extended = bytes.size() == 16 && type.name().find("long double") == 0;
  if (!extended)
    return Error{ErrorCode::unsupported,
                 "a floating number of " + std::to_string(bytes.size()) + " bytes"};
  const auto mantissa = *load<std::uint64_t>(bytes, 0);
  const auto sign_exponent = *load<std::uint16_t>(bytes, 8);
  const int exponent = sign_exponent & 0x7fff;
  if (exponent == 0x7fff)
    return std::string(mantissa << 1 != 0 ? "NaN" : sign_exponent & 0x8000 ? "-Inf" : "+Inf");
  // The smallest have the exponent 0 for 1.
  const long double value =
      std::ldexp(static_cast<long double>(mantissa), std::max(exponent, 1) - 16383 - 63);
  return fmt::format("{:.19g}", (sign_exponent & 0x8000) != 0 ? -value : value);
}

bool is_wide_character(const Type& type) {
  const std::string_view name = type.name();
  return !type.is_go() &&
         (name == "wchar_t" || name == "char8_t" || name == "char16_t" || name == "char32_t");
}

std::string wide_text(Wide high_low, bool is_signed) {
  return is_signed ? fmt::format("{}", static_cast<SignedWide>(high_low))
                   : fmt::format("{}", high_low);
}

}  // namespace

void ValueReader::read_number(Value& value, TypeKind kind) {
  const Type* type = plain(value.datum.type);
  if (value.datum.bit_size == 0 && type->bytes() == 16) {
    auto bytes = load_all(memory(), value.datum);
    if (!bytes) {
      value.error = std::move(bytes).error();
      return;
    }
    const Wide number =
        Wide{*load<std::uint64_t>(*bytes, 8)} << 64 | *load<std::uint64_t>(*bytes, 0);
    value.text = wide_text(number, type->is_signed());
    return;
  }
  auto number = load_unsigned(memory(), value.datum);
  if (!number) {
    value.error = std::move(number).error();
    return;
  }
  const bool is_signed = type->is_signed();
  value.text = is_signed ? fmt::format("{}", *load_signed(memory(), value.datum))
                         : fmt::format("{}", *number);
  if (type->is_go() && !limits_.raw) add_constant_name(value, *type, *number);
  if (kind == TypeKind::boolean) {
    value.text = *number == 0 ? "false" : *number == 1 ? "true" : "true (" + value.text + ")";
  } else if (is_wide_character(*type)) {
    value.text += " " + quoted_wide(static_cast<std::uint32_t>(*number));
  } else if (kind == TypeKind::character && !type->is_go() && *number < 256) {
    const std::uint64_t character =
        is_signed ? static_cast<std::uint64_t>(load_signed(memory(), value.datum).value_or(0))
                  : *number;
    value.text += " " + quoted_character(static_cast<std::uint32_t>(character & 0xff));
  } else if (type->go_kind() == std::uint8_t(GoKind::uintptr) && !limits_.raw) {
    value.text = hex(*number);
    if (type->name() == "uintptr") describe_address(value, {*number});
  }
}

/// "Warn (1)", where exactly one constant of the type has the value.
void ValueReader::add_constant_name(Value& value, const Type& type, std::uint64_t number) {
  // Its constants are units, and its summary says more.
  if (type.name() == "time.Duration") return;
  const std::uint64_t bits = type.bytes() * 8;
  const std::uint64_t mask = bits >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1;
  const Enumerator* found = nullptr;
  for (const Enumerator& one : type.enumerators()) {
    if ((static_cast<std::uint64_t>(one.value) & mask) != (number & mask)) continue;
    if (found != nullptr) return;
    found = &one;
  }
  if (found != nullptr) value.text = fmt::format("{} ({})", found->name, value.text);
}

void ValueReader::read_enumeration(Value& value) {
  const Type* type = plain(value.datum.type);
  auto number =
      type->is_signed() ? load_signed(memory(), value.datum) : [&]() -> Result<std::int64_t> {
    auto bits = load_unsigned(memory(), value.datum);
    if (!bits) return std::move(bits).error();
    return static_cast<std::int64_t>(*bits);
  }();
  if (!number) {
    value.error = std::move(number).error();
    return;
  }
  const std::string digits = type->is_signed()
                                 ? fmt::format("{}", *number)
                                 : fmt::format("{}", static_cast<std::uint64_t>(*number));
  std::string flags;
  std::uint64_t rest = static_cast<std::uint64_t>(*number);
  for (const Enumerator& one : type->enumerators()) {
    if (one.value == *number) {
      value.text = fmt::format("{} ({})", one.name, digits);
      return;
    }
    const auto bits = static_cast<std::uint64_t>(one.value);
    if (!std::has_single_bit(bits) || (rest & bits) == 0) continue;
    flags += (flags.empty() ? "" : " | ") + std::string(one.name);
    rest &= ~bits;
  }
  // Only where bits have names, and all that are set do, is it a set of flags.
  value.text = rest == 0 && !flags.empty() ? fmt::format("{} ({})", flags, digits) : digits;
}

void ValueReader::read_floating(Value& value) {
  auto bytes = load_all(memory(), value.datum);
  auto text = bytes ? float_text(*bytes, *plain(value.datum.type)) : std::move(bytes).error();
  if (text)
    value.text = *std::move(text);
  else
    value.error = std::move(text).error();
}

void ValueReader::read_complex(Value& value) {
  auto bytes = load_all(memory(), value.datum);
  if (!bytes) {
    value.error = std::move(bytes).error();
    return;
  }
  const std::size_t half = bytes->size() / 2;
  auto real = float_text(ByteView(*bytes).first(half), *plain(value.datum.type));
  auto imaginary = float_text(ByteView(*bytes).last(half), *plain(value.datum.type));
  if (!real || !imaginary) {
    value.error = std::move(real ? imaginary : real).error();
    return;
  }
  const bool sign = imaginary->starts_with('-') || imaginary->starts_with('+');
  value.text = "(" + *real + (sign ? "" : "+") + *imaginary + "i)";
}

}  // namespace cgo
