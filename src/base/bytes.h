// Fixed-width little-endian numbers in byte formats.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace standings::base {

static_assert(std::endian::native == std::endian::little, "byte formats are written as they are");

template <class T>
void put(std::span<std::byte, sizeof(T)> out, T value) {
    std::memcpy(out.data(), &value, sizeof value);
}

template <class T>
T get(std::span<const std::byte, sizeof(T)> in) {
    T value;
    std::memcpy(&value, in.data(), sizeof value);
    return value;
}

}  // namespace standings::base
