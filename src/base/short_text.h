// Text of bounded length, put together on the stack.
#pragma once

#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstring>
#include <string_view>

#include "base/check.h"

namespace standings::base {

// Promise: holds what is added, in order; more than Capacity bytes in all is a CHECK. For answers
// that are made of many small pieces: a string asks for room and moves its end for each of them.
// Allocates nothing.
template <std::size_t Capacity>
class ShortText {
  public:
    ShortText& operator<<(std::string_view text) {
        CHECK(text.size() <= Capacity - size_);
        if (!text.empty()) std::memcpy(bytes_ + size_, text.data(), text.size());
        size_ += text.size();
        return *this;
    }
    // In decimal digits.
    template <std::integral Number>
    requires(!std::same_as<Number, char> && !std::same_as<Number, bool>) ShortText& operator<<(
        Number number) {
        return add(kMaxDigits,
                   [number](char* at) { return std::to_chars(at, at + kMaxDigits, number).ptr; });
    }
    // What `write(char*)` writes, which is `most` bytes at most; it answers the end.
    template <class Write>
    ShortText& add(std::size_t most, Write&& write) {
        CHECK(most <= Capacity - size_);
        char* const at = bytes_ + size_;
        size_ += static_cast<std::size_t>(write(at) - at);
        return *this;
    }

    std::string_view view() const { return {bytes_, size_}; }
    void clear() { size_ = 0; }

  private:
    static constexpr std::size_t kMaxDigits = 20;

    std::size_t size_ = 0;
    char bytes_[Capacity];
};

}  // namespace standings::base
