// Numbers and texts out of the bytes of a fuzzer.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace standings::base {

// Reads from the front; what is asked for beyond the end is zeros and empty texts.
class ByteFeed {
  public:
    ByteFeed(const std::uint8_t* data, std::size_t size) : bytes_(data, size) {}

    bool empty() const { return bytes_.empty(); }

    template <std::integral Number>
    Number number() {
        Number number{};
        const std::size_t size = std::min(sizeof number, bytes_.size());
        if (size > 0) std::memcpy(&number, bytes_.data(), size);
        bytes_ = bytes_.subspan(size);
        return number;
    }
    // One of 0 .. bound - 1, from one byte.
    std::size_t pick(std::size_t bound) { return number<std::uint8_t>() % bound; }
    std::string_view text(std::size_t size) {
        size = std::min(size, bytes_.size());
        const std::string_view text(reinterpret_cast<const char*>(bytes_.data()), size);
        bytes_ = bytes_.subspan(size);
        return text;
    }
    std::string_view rest() { return text(bytes_.size()); }

  private:
    std::span<const std::uint8_t> bytes_;
};

}  // namespace standings::base
