// Bytes that are appended at the end and taken off at the front. One owner, one thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

namespace standings::net {

// Grows by doubling and never zeroes what it will overwrite. An empty one may hold its memory, so
// that a pool can lend it on.
class Buffer {
  public:
    Buffer() = default;
    Buffer(Buffer&& other) noexcept { swap(other); }
    Buffer& operator=(Buffer&& other) noexcept {
        Buffer taken(std::move(other));
        swap(taken);
        return *this;
    }

    bool empty() const { return begin_ == end_; }
    std::size_t size() const { return end_ - begin_; }
    std::size_t capacity() const { return capacity_; }
    std::string_view view() const { return {bytes_.get() + begin_, size()}; }

    // Room for `count` bytes at the end; commit() says how many were written there.
    char* prepare(std::size_t count) {
        if (capacity_ - end_ < count) make_room(count);
        return bytes_.get() + end_;
    }
    void commit(std::size_t count) { end_ += count; }

    void append(std::string_view piece) {
        if (piece.empty()) return;
        std::memcpy(prepare(piece.size()), piece.data(), piece.size());
        commit(piece.size());
    }
    void consume(std::size_t count) {
        begin_ += count;
        if (begin_ == end_) begin_ = end_ = 0;
    }

  private:
    static constexpr std::size_t kFirstCapacity = 4096;

    void make_room(std::size_t count) {
        const std::size_t used = size();
        if (begin_ > used && capacity_ - used >= count) {
            std::memmove(bytes_.get(), bytes_.get() + begin_, used);
        } else {
            const std::size_t capacity = std::max({kFirstCapacity, capacity_ * 2, used + count});
            auto bytes = std::make_unique_for_overwrite<char[]>(capacity);
            if (used > 0) std::memcpy(bytes.get(), bytes_.get() + begin_, used);
            bytes_ = std::move(bytes);
            capacity_ = capacity;
        }
        begin_ = 0;
        end_ = used;
    }
    void swap(Buffer& other) noexcept {
        std::swap(bytes_, other.bytes_);
        std::swap(begin_, other.begin_);
        std::swap(end_, other.end_);
        std::swap(capacity_, other.capacity_);
    }

    std::unique_ptr<char[]> bytes_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    std::size_t capacity_ = 0;
};

}  // namespace standings::net
