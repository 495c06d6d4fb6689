// The nodes of a rank index: what one node can do without knowing the tree.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace standings::ranking {

// How many of `count` sorted items `is_before` holds for, which are the first ones. Without a
// branch: which half is taken is a coin toss.
template <class Key, class IsBefore>
std::size_t partition_point(const Key* keys, std::size_t count, IsBefore is_before) {
    const Key* low = keys;
    while (count > 1) {
        const std::size_t half = count / 2;
        low += is_before(low[half - 1]) ? half : 0;
        count -= half;
    }
    return static_cast<std::size_t>(low - keys) + (count == 1 && is_before(*low) ? 1 : 0);
}

// Moves items between two neighbouring arrays until the left one has `left_count`.
template <class T>
void spread_items(T* left, std::size_t left_size, T* right, std::size_t right_size,
                  std::size_t left_count) {
    if (left_count < left_size) {
        const std::size_t moved = left_size - left_count;
        std::copy_backward(right, right + right_size, right + right_size + moved);
        std::copy(left + left_count, left + left_size, right);
    } else {
        const std::size_t moved = left_count - left_size;
        std::copy(right, right + moved, left + left_size);
        std::copy(right + moved, right + right_size, right);
    }
}

// Sorted keys, `capacity` of them behind the header.
template <class Key>
struct RankLeaf {
    RankLeaf* next = nullptr;
    std::uint32_t count = 0;
    std::uint32_t capacity = 0;

    Key* keys() { return reinterpret_cast<Key*>(this + 1); }
    const Key* keys() const { return reinterpret_cast<const Key*>(this + 1); }

    std::uint32_t keys_under() const { return count; }
    Key floor() const { return keys()[0]; }

    // How many of the first `among` keys are smaller than `key`.
    std::size_t lower_bound(const Key& key, std::size_t among) const {
        return partition_point(keys(), among, [&](const Key& other) { return other < key; });
    }
    std::size_t lower_bound(const Key& key) const { return lower_bound(key, count); }

    void insert_at(std::size_t index, const Key& key) {
        std::copy_backward(keys() + index, keys() + count, keys() + count + 1);
        keys()[index] = key;
        ++count;
    }
    void erase_at(std::size_t index) {
        std::copy(keys() + index + 1, keys() + count, keys() + index);
        --count;
    }
    // Gives the key at `index` another value and its new place.
    void change_at(std::size_t index, const Key& to) {
        const std::size_t target = lower_bound(to);
        if (target > index) {
            std::copy(keys() + index + 1, keys() + target, keys() + index);
            keys()[target - 1] = to;
        } else {
            std::copy_backward(keys() + target, keys() + index, keys() + index + 1);
            keys()[target] = to;
        }
    }

    static void spread(RankLeaf& left, RankLeaf& right, std::size_t left_count) {
        spread_items(left.keys(), left.count, right.keys(), right.count, left_count);
        right.count = static_cast<std::uint32_t>(left.count + right.count - left_count);
        left.count = static_cast<std::uint32_t>(left_count);
    }

    // Asks for the lines that the first three steps of a binary search may touch all at once,
    // instead of one miss after the other. `size` is the leaf's count as its parent knows it: to
    // read it here would be a miss itself.
    [[gnu::always_inline]] void prefetch(std::size_t size) const {
        __builtin_prefetch(this);
        for (std::size_t i = 1; i < 8; ++i) __builtin_prefetch(keys() + size * i / 8);
    }
};

// Children with what lies under each.
template <class Key, std::size_t Fanout>
struct RankInner {
    std::uint32_t count = 0;
    // Keys under children[i].
    std::array<std::uint32_t, Fanout> counts;
    // floors[i] <= every key under children[i] and > every key under children[i - 1]; floors[0] is
    // this node's own floor in its parent.
    std::array<Key, Fanout> floors;
    // Leaves on the lowest level of inner nodes, else inner nodes.
    std::array<void*, Fanout> children;

    std::uint32_t keys_under() const { return keys_before(count); }
    Key floor() const { return floors[0]; }

    std::uint32_t keys_before(std::size_t child) const {
        std::uint32_t total = 0;
        for (std::size_t i = 0; i < child; ++i) total += counts[i];
        return total;
    }

    // The child under which the key at `position` lies; `position` becomes that within the child.
    // Eight counts are added at once while they do not reach it.
    std::size_t child_at(std::size_t& position) const {
        std::size_t i = 0;
        for (; i + 8 <= count; i += 8) {
            std::uint32_t eight = 0;
            for (std::size_t j = 0; j < 8; ++j) eight += counts[i + j];
            if (position < eight) break;
            position -= eight;
        }
        while (position >= counts[i]) position -= counts[i++];
        return i;
    }

    // The child whose range holds `key`: the last whose floor is not behind it.
    std::size_t child_for(const Key& key) const {
        return partition_point(floors.data() + 1, count - 1,
                               [&](const Key& floor) { return !(key < floor); });
    }

    void insert_child(std::size_t at, const Key& floor, void* child, std::size_t under) {
        const auto insert = [&](auto& array, const auto& value) {
            std::copy_backward(array.data() + at, array.data() + count, array.data() + count + 1);
            array[at] = value;
        };
        insert(counts, static_cast<std::uint32_t>(under));
        insert(floors, floor);
        insert(children, child);
        ++count;
    }
    void remove_child(std::size_t at) {
        const auto remove = [&](auto& array) {
            std::copy(array.data() + at + 1, array.data() + count, array.data() + at);
        };
        remove(counts);
        remove(floors);
        remove(children);
        --count;
    }

    // Floors travel with their children; the right node's own is its first child's.
    static void spread(RankInner& left, RankInner& right, std::size_t left_count) {
        const auto spread_array = [&](auto& from, auto& to) {
            spread_items(from.data(), left.count, to.data(), right.count, left_count);
        };
        spread_array(left.counts, right.counts);
        spread_array(left.floors, right.floors);
        spread_array(left.children, right.children);
        right.count = static_cast<std::uint32_t>(left.count + right.count - left_count);
        left.count = static_cast<std::uint32_t>(left_count);
    }
};

}  // namespace standings::ranking
