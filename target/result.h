#pragma once

#include <cassert>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "target/address.h"

namespace cgo {

/// What kind of thing went wrong; the only part of an Error that code may branch on.
enum class ErrorCode : std::uint8_t {
  unreadable_memory,  ///< The debuggee (or core) does not have these bytes.
  malformed_data,     ///< The bytes are there, but cannot be what they should be.
  not_found,          ///< Looked for and absent; often a normal answer.
  unsupported,        ///< Known kind of input that this program does not handle.
  limit_reached,      ///< A bound of ours was hit; more exists.
  io_failure,         ///< A file of the host could not be opened, read or written.
  cancelled,          ///< The user asked to stop.
};

/// Why something could not be done: a kind to branch on, words for people, the address at fault.
struct Error {
  ErrorCode code = ErrorCode::malformed_data;
  std::string message;
  std::optional<Address> address = std::nullopt;  ///< First bad byte, when it is about memory.

  /// The same error with "step: " before its message; one call per layer it passes.
  [[nodiscard]] Error in(std::string_view step) && {
    message = std::string(step).append(": ").append(message);
    return std::move(*this);
  }
};

/// A value or the reason there is none. The subset of std::expected that this project uses, so that
/// it can become an alias once the compilers it supports have <expected> in their default mode.
template <class T>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  template <class U = T>
    requires std::convertible_to<U&&, T> && (!std::same_as<std::remove_cvref_t<U>, Error>) &&
             (!std::same_as<std::remove_cvref_t<U>, Result>)
  Result(U&& value) : state_(std::in_place_index<0>, std::forward<U>(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  T& value() & { return checked(); }
  const T& value() const& { return const_cast<Result*>(this)->checked(); }
  T&& value() && { return std::move(checked()); }
  T& operator*() & { return checked(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(checked()); }
  T* operator->() { return &checked(); }
  const T* operator->() const { return &value(); }

  const Error& error() const& {
    assert(!has_value());
    return *std::get_if<1>(&state_);
  }
  Error&& error() && {
    assert(!has_value());
    return std::move(*std::get_if<1>(&state_));
  }

  T value_or(T fallback) const& { return has_value() ? value() : std::move(fallback); }

 private:
  T& checked() {
    assert(has_value());
    return *std::get_if<0>(&state_);
  }

  std::variant<T, Error> state_;
};

/// Success without a value, or the reason for the failure.
template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;

  Result() = default;
  Result(Error error) : error_(std::move(error)) {}

  bool has_value() const { return !error_.has_value(); }
  explicit operator bool() const { return has_value(); }

  const Error& error() const& {
    assert(error_.has_value());
    return *error_;
  }
  Error&& error() && {
    assert(error_.has_value());
    return *std::move(error_);
  }

 private:
  std::optional<Error> error_;
};

}  // namespace cgo
