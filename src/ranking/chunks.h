// A growing array without the pause and the double memory of a vector that moves.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <new>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/check.h"

namespace standings::ranking {

// Promise: elements of one chunk lie side by side; growing moves at most the first chunk, which
// starts small, so that a small array is small. New elements are zero bytes.
// Owner: a table or a ranking. Cost: O(1); growing takes time for one chunk.
template <class T, std::size_t ChunkSize = 16'384>
class Chunks {
    static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);
    static_assert(ChunkSize >= 8 && (ChunkSize & (ChunkSize - 1)) == 0);

  public:
    Chunks() = default;
    Chunks(const Chunks&) = delete;
    Chunks& operator=(const Chunks&) = delete;
    ~Chunks() {
        for (T* chunk : chunks_) release(chunk);
    }

    std::size_t size() const { return size_; }

    T& operator[](std::size_t i) { return chunks_[i / ChunkSize][i % ChunkSize]; }
    const T& operator[](std::size_t i) const { return chunks_[i / ChunkSize][i % ChunkSize]; }

    // Makes `size` elements at least.
    void grow_to(std::size_t size) {
        if (size <= size_) return;
        while (capacity_ < size) add_room(size);
        size_ = size;
    }

    void push_back(const T& value) {
        grow_to(size_ + 1);
        (*this)[size_ - 1] = value;
    }

    void pop_back() {
        DCHECK(size_ > 0);
        (*this)[--size_] = T{};
    }

    std::size_t memory_bytes() const {
        return capacity_ * sizeof(T) + chunks_.capacity() * sizeof(T*);
    }

  private:
    // So that a row whose size divides this never lies across two cache lines.
    static constexpr std::align_val_t kAlignment{64};

    static T* allocate(std::size_t size) {
        void* memory = ::operator new(size * sizeof(T), kAlignment);
        return static_cast<T*>(std::memset(memory, 0, size * sizeof(T)));
    }
    static void release(T* chunk) { ::operator delete(chunk, kAlignment); }

    void add_room(std::size_t wanted) {
        if (capacity_ >= ChunkSize) {
            chunks_.push_back(allocate(ChunkSize));
            capacity_ += ChunkSize;
            return;
        }
        std::size_t larger = std::max<std::size_t>(8, capacity_ * 2);
        while (larger < wanted && larger < ChunkSize) larger *= 2;
        T* chunk = allocate(larger);
        if (chunks_.empty()) {
            chunks_.push_back(chunk);
        } else {
            std::memcpy(static_cast<void*>(chunk), chunks_[0], size_ * sizeof(T));
            release(std::exchange(chunks_[0], chunk));
        }
        capacity_ = larger;
    }

    std::vector<T*> chunks_;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
};

}  // namespace standings::ranking
