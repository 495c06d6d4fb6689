// Text of bounded length, put together where its owner has room for it.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstring>
#include <string_view>

#include "base/check.h"
#include "base/digits.h"

namespace standings::base {

// Promise: holds what is added, in order; more than `room` has in all is a CHECK. For answers
// that are made of many small pieces: a string asks for room and moves its end for each of them.
// Allocates nothing. The room is the owner's, beside this one and not in it, so that the compiler
// keeps the end in a register.
class ShortText {
  public:
    template <std::size_t Capacity>
    explicit ShortText(char (&room)[Capacity])
        : begin_(room), end_(room), limit_(room + Capacity) {}

    ShortText& operator<<(std::string_view text) {
        CHECK(text.size() <= left());
        if (!text.empty()) std::memcpy(end_, text.data(), text.size());
        end_ += text.size();
        return *this;
    }
    // In decimal digits; asks for kMaxDigits.
    template <std::unsigned_integral Number>
    requires(!std::same_as<Number, char> && !std::same_as<Number, bool>) ShortText& operator<<(
        Number number) {
        return add(kMaxDigits, [number](char* at) { return write_digits(at, number); });
    }
    // What `write(char*)` writes, which is `most` bytes at most; it answers the end.
    template <class Write>
    ShortText& add(std::size_t most, Write&& write) {
        CHECK(most <= left());
        end_ = write(end_);
        return *this;
    }

    std::string_view view() const { return {begin_, end_}; }
    void clear() { end_ = begin_; }

  private:
    std::size_t left() const { return static_cast<std::size_t>(limit_ - end_); }

    char* const begin_;
    char* end_;
    char* const limit_;
};

}  // namespace standings::base
