// Result<T>: a value or an Error, which the caller must look at.
#pragma once

#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "base/check.h"
#include "base/error.h"

namespace standings::base {

template <class T>
class [[nodiscard]] Result {
  public:
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT
    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT

    explicit operator bool() const { return state_.index() == 0; }

    // CHECKs that there is a value.
    T& value() & { return CHECK(*this), *std::get_if<0>(&state_); }
    const T& value() const& { return CHECK(*this), *std::get_if<0>(&state_); }
    T&& value() && { return CHECK(*this), std::move(*std::get_if<0>(&state_)); }

    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T&& operator*() && { return std::move(*this).value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }

    // CHECKs that there is none.
    const Error& error() const& { return CHECK(!*this), *std::get_if<1>(&state_); }
    Error&& error() && { return CHECK(!*this), std::move(*std::get_if<1>(&state_)); }

  private:
    std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
  public:
    Result() = default;
    Result(Error error) : error_(std::move(error)) {}  // NOLINT

    explicit operator bool() const { return !error_.has_value(); }

    const Error& error() const& { return CHECK(!*this), *error_; }
    Error&& error() && { return CHECK(!*this), std::move(*error_); }

  private:
    std::optional<Error> error_;
};

}  // namespace standings::base
