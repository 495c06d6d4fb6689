// The order of a ranking: a B+tree whose inner nodes know how many keys lie under each child.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <new>
#include <span>
#include <utility>
#include <vector>

#include "base/check.h"
#include "ranking/rank_nodes.h"

namespace standings::ranking {

// Promise: `rank` and `at` are exact after every call. Keys are unique.
// Owner: one ranking. Threads: one writer; readers while it rests.
// Cost: O(log n). At 1M keys of 16 bytes a tree is 4 nodes deep, three of which stay in the cache.
//
// Leaves are linked from left to right. The counts lie beside the child pointers in the parent, so
// that a query touches one node a level. A full leaf gives to a neighbour before it is split, which
// keeps leaves about 4/5 full. A leaf or inner node that falls under 3/8 takes from a neighbour, or
// joins it if both fill 7/8 of one node at most: so neither splits again at once.
template <class Key, std::size_t LeafKeys = 128, std::size_t Fanout = 64>
class RankIndex {
    static_assert(LeafKeys >= 4 && Fanout >= 4);

    using Leaf = RankLeaf<Key>;
    using Inner = RankInner<Key, Fanout>;
    static_assert(alignof(Key) <= alignof(Leaf));

  public:
    // Where a key stands: how many keys are ahead, and how many of these have a better score.
    struct Standing {
        std::size_t position;
        std::size_t better;
    };

    // One key of the list; goes on from left to right. Valid until the next write.
    class Cursor {
      public:
        explicit operator bool() const { return leaf_ != nullptr; }
        const Key& operator*() const { return leaf_->keys()[index_]; }
        Cursor& operator++() {
            if (++index_ == leaf_->count) {
                leaf_ = leaf_->next;
                index_ = 0;
            }
            return *this;
        }

      private:
        friend class RankIndex;
        Cursor(const Leaf* leaf, std::size_t index) : leaf_(leaf), index_(index) {}
        const Leaf* leaf_;
        std::size_t index_;
    };

    RankIndex() = default;
    RankIndex(const RankIndex&) = delete;
    RankIndex& operator=(const RankIndex&) = delete;
    ~RankIndex() {
        if (root_ != nullptr) free_tree(root_, height_);
    }

    std::size_t size() const { return size_; }
    std::size_t height() const { return height_; }
    std::size_t memory_bytes() const { return bytes_; }

    // The leaf of `key` comes into the cache. Always inlined: GCC sees no effect, and drops the
    // call.
    [[gnu::always_inline]] void prefetch(const Key& key) const {
        leaf_for(key, [](std::size_t, Inner&, std::size_t) {});
    }

    // How many keys are smaller than `key`, which need not be in the index.
    std::size_t rank(const Key& key) const {
        if (root_ == nullptr) return 0;
        std::size_t ahead = 0;
        const Leaf* leaf = descend(key, ahead);
        return ahead + leaf->lower_bound(key);
    }

    // CHECKs that the key is there. The equal ones in front mostly lie in the same leaf.
    Standing locate(const Key& key) const {
        CHECK(root_ != nullptr);
        std::size_t ahead = 0;
        const Leaf* leaf = descend(key, ahead);
        const std::size_t index = leaf->lower_bound(key);
        CHECK(index < leaf->count && leaf->keys()[index] == key);
        return {ahead + index, better_than(*leaf, index, ahead + index)};
    }

    // How many keys have a better score than the one at `cursor`, whose position is known.
    std::size_t better_than(const Cursor& cursor, std::size_t position) const {
        return better_than(*cursor.leaf_, cursor.index_, position);
    }

    // The key at a 0-based position; none from size() on.
    Cursor at(std::size_t position) const {
        if (position >= size_) return {nullptr, 0};
        const void* node = root_;
        for (std::size_t level = height_; level > 0; --level) {
            const Inner* inner = static_cast<const Inner*>(node);
            node = inner->children[inner->child_at(position)];
        }
        return {static_cast<const Leaf*>(node), position};
    }

    // CHECKs that the key is new.
    void insert(const Key& key) {
        if (root_ == nullptr) root_ = new_leaf(std::min(kFirstLeaf, LeafKeys));
        Path path;
        Leaf* leaf = descend(key, path);
        while (leaf->count == leaf->capacity) {
            make_room(path);
            leaf = descend(key, path);
        }
        const std::size_t index = leaf->lower_bound(key);
        CHECK(index == leaf->count || !(leaf->keys()[index] == key));
        leaf->insert_at(index, key);
        ++size_;
        for (std::size_t level = 1; level <= height_; ++level) ++path[level].count();
    }

    // CHECKs that the key is there.
    void erase(const Key& key) {
        CHECK(root_ != nullptr);
        Path path;
        Leaf* leaf = descend(key, path);
        erase(path, leaf, find(leaf, key));
    }

    // Erases `from` and inserts `to`; within one leaf that is one descent and nothing else moves.
    void move(const Key& from, const Key& to) {
        CHECK(root_ != nullptr);
        Path path;
        Leaf* leaf = descend(from, path);
        const Key* keys = leaf->keys();
        const std::size_t index = find(leaf, from);
        if (height_ > 0 && (to < keys[0] || keys[leaf->count - 1] < to)) {
            erase(path, leaf, index);
            insert(to);
            return;
        }
        leaf->change_at(index, to);
    }

    // Fills an empty index from sorted keys. O(n), a few ns a key.
    void build(std::span<const Key> keys) {
        CHECK(root_ == nullptr);
        if (keys.empty()) return;
        size_ = keys.size();
        if (keys.size() <= LeafKeys) {
            std::size_t capacity = std::min(kFirstLeaf, LeafKeys);
            while (capacity < keys.size()) capacity = std::min(capacity * 2, LeafKeys);
            Leaf* leaf = new_leaf(capacity);
            fill_leaf(*leaf, keys);
            root_ = leaf;
            return;
        }
        root_ = build_inners(build_leaves(keys));
    }

    // CHECKs order, floors, counts, fill and links. O(n).
    void check() const {
        if (root_ == nullptr) {
            CHECK(size_ == 0 && height_ == 0 && bytes_ == 0);
            return;
        }
        Audit audit;
        CHECK(check_node(root_, height_, nullptr, nullptr, audit) == size_);
        CHECK(audit.last->next == nullptr);
        CHECK(audit.bytes == bytes_);
    }

  private:
    static constexpr std::size_t kFirstLeaf = 8;
    // A leaf takes a key from a full neighbour while it holds fewer than this.
    static constexpr std::size_t kShareLeaf = LeafKeys * 7 / 8;
    static constexpr std::size_t kMinLeaf = std::max<std::size_t>(1, LeafKeys * 3 / 8);
    static constexpr std::size_t kMinInner = std::max<std::size_t>(2, Fanout * 3 / 8);
    static constexpr std::size_t kJoinLeaf = LeafKeys * 7 / 8;
    static constexpr std::size_t kJoinInner = Fanout * 7 / 8;
    // Nodes are built and split to hold 2 children at least: 2^32 keys end far below.
    static constexpr std::size_t kMaxHeight = 32;

    // The way from the root to a leaf: path[level] is the inner node there and the child taken.
    struct Step {
        Inner* node;
        std::size_t child;
        std::uint32_t& count() { return node->counts[child]; }
    };
    using Path = std::array<Step, kMaxHeight + 1>;

    // --- search -------------------------------------------------------------------------------

    // The leaf whose range holds `key`, asked for on the way; none of an empty index. Calls
    // `visit(level, node, child)` for each inner node above it.
    template <class Visit>
    [[gnu::always_inline]] Leaf* leaf_for(const Key& key, Visit&& visit) const {
        void* node = root_;
        for (std::size_t level = height_; level > 0; --level) {
            Inner& inner = *static_cast<Inner*>(node);
            const std::size_t child = inner.child_for(key);
            node = inner.children[child];
            if (level == 1) static_cast<Leaf*>(node)->prefetch(inner.counts[child]);
            visit(level, inner, child);
        }
        return static_cast<Leaf*>(node);
    }

    const Leaf* descend(const Key& key, std::size_t& ahead) const {
        return leaf_for(key, [&](std::size_t, const Inner& inner, std::size_t child) {
            ahead += inner.keys_before(child);
        });
    }

    Leaf* descend(const Key& key, Path& path) const {
        return leaf_for(key, [&](std::size_t level, Inner& inner, std::size_t child) {
            path[level] = {&inner, child};
        });
    }

    std::size_t better_than(const Leaf& leaf, std::size_t index, std::size_t position) const {
        const Key* keys = leaf.keys();
        const Key first = keys[index].first_of_equals();
        if (position == 0) return 0;
        if (index > 0 && keys[index - 1] < first) return position;
        if (index > 0 && keys[0] < first) {
            return position - index + leaf.lower_bound(first, index);
        }
        return rank(first);
    }

    static std::size_t find(const Leaf* leaf, const Key& key) {
        const std::size_t index = leaf->lower_bound(key);
        CHECK(index < leaf->count && leaf->keys()[index] == key);
        return index;
    }

    // --- nodes --------------------------------------------------------------------------------

    static std::size_t leaf_bytes(std::size_t capacity) {
        return sizeof(Leaf) + capacity * sizeof(Key);
    }

    Leaf* new_leaf(std::size_t capacity) {
        bytes_ += leaf_bytes(capacity);
        Leaf* leaf = new (::operator new(leaf_bytes(capacity))) Leaf;
        leaf->capacity = static_cast<std::uint32_t>(capacity);
        return leaf;
    }
    void free_leaf(Leaf* leaf) {
        bytes_ -= leaf_bytes(leaf->capacity);
        ::operator delete(leaf);
    }
    Inner* new_inner() {
        bytes_ += sizeof(Inner);
        return new Inner;
    }
    void free_inner(Inner* inner) {
        bytes_ -= sizeof(Inner);
        delete inner;
    }
    void free_tree(void* node, std::size_t level) {
        if (level == 0) return free_leaf(static_cast<Leaf*>(node));
        Inner* inner = static_cast<Inner*>(node);
        for (std::size_t i = 0; i < inner->count; ++i) free_tree(inner->children[i], level - 1);
        free_inner(inner);
    }

    // --- writing ------------------------------------------------------------------------------

    template <class Node>
    static Node& child_at(Inner& parent, std::size_t child) {
        return *static_cast<Node*>(parent.children[child]);
    }

    // Shares the contents of two neighbours, children `i` and `i + 1`, so that the left one has
    // `left_count`.
    template <class Node>
    static void share(Inner& parent, std::size_t i, std::size_t left_count) {
        Node& left = child_at<Node>(parent, i);
        Node& right = child_at<Node>(parent, i + 1);
        const std::size_t under = parent.counts[i] + parent.counts[i + 1];
        Node::spread(left, right, left_count);
        parent.floors[i + 1] = right.floor();
        parent.counts[i] = left.keys_under();
        parent.counts[i + 1] = static_cast<std::uint32_t>(under - parent.counts[i]);
    }

    // One step towards room in the full leaf at the end of `path`; the way to it changes.
    void make_room(Path& path) {
        if (height_ == 0) {
            Leaf* leaf = static_cast<Leaf*>(root_);
            if (leaf->capacity < LeafKeys) return resize_root(leaf->capacity * 2);
            return push_root();
        }
        Inner& parent = *path[1].node;
        if (share_with_neighbour(parent, path[1].child)) return;
        // The lowest inner node with room takes the upper half of its child beside it.
        std::size_t level = 1;
        while (level <= height_ && path[level].node->count == Fanout) ++level;
        if (level > height_) return push_root();
        if (level == 1) {
            split(parent, path[1].child, *new_leaf(LeafKeys));
        } else {
            split(*path[level].node, path[level].child, *new_inner());
        }
    }

    bool share_with_neighbour(Inner& parent, std::size_t i) {
        const auto has_room = [&](std::size_t child) { return parent.counts[child] < kShareLeaf; };
        if (i + 1 < parent.count && has_room(i + 1)) {
            share<Leaf>(parent, i, (parent.counts[i] + parent.counts[i + 1]) / 2);
            return true;
        }
        if (i > 0 && has_room(i - 1)) {
            share<Leaf>(parent, i - 1, (parent.counts[i - 1] + parent.counts[i] + 1) / 2);
            return true;
        }
        return false;
    }

    static void link(Leaf& left, Leaf& right) {
        right.next = left.next;
        left.next = &right;
    }
    static void link(Inner&, Inner&) {}

    template <class Node>
    static void split(Inner& parent, std::size_t i, Node& right) {
        Node& left = child_at<Node>(parent, i);
        const std::size_t under = parent.counts[i];
        link(left, right);
        Node::spread(left, right, left.count / 2);
        const std::uint32_t under_right = right.keys_under();
        parent.counts[i] = static_cast<std::uint32_t>(under - under_right);
        parent.insert_child(i + 1, right.floor(), &right, under_right);
    }

    void push_root() {
        CHECK(height_ < kMaxHeight);
        Inner* root = new_inner();
        root->count = 1;
        root->children[0] = root_;
        root->floors[0] = Key{};
        root->counts[0] = static_cast<std::uint32_t>(size_);
        root_ = root;
        ++height_;
    }

    // Gives the only leaf another capacity.
    void resize_root(std::size_t capacity) {
        Leaf* old = static_cast<Leaf*>(root_);
        Leaf* leaf = new_leaf(std::min(capacity, LeafKeys));
        std::copy(old->keys(), old->keys() + old->count, leaf->keys());
        leaf->count = old->count;
        free_leaf(old);
        root_ = leaf;
    }

    void erase(Path& path, Leaf* leaf, std::size_t index) {
        leaf->erase_at(index);
        --size_;
        for (std::size_t level = 1; level <= height_; ++level) --path[level].count();
        if (height_ == 0) return shrink_root(leaf);
        if (leaf->count < kMinLeaf) fill_up(path);
    }

    void shrink_root(Leaf* leaf) {
        if (leaf->count == 0) {
            free_leaf(leaf);
            root_ = nullptr;
        } else if (leaf->capacity > kFirstLeaf && leaf->count <= leaf->capacity / 4) {
            resize_root(leaf->capacity / 2);
        }
    }

    // Brings the leaf at the end of `path` back over its minimum, and the nodes above it.
    void fill_up(Path& path) {
        if (!join_or_share<Leaf>(path[1], kJoinLeaf)) return;
        for (std::size_t level = 1; level < height_; ++level) {
            if (path[level].node->count >= kMinInner) return;
            if (!join_or_share<Inner>(path[level + 1], kJoinInner)) return;
        }
        Inner* root = static_cast<Inner*>(root_);
        if (root->count > 1) return;
        root_ = root->children[0];
        --height_;
        free_inner(root);
    }

    // True when two children became one.
    template <class Node>
    bool join_or_share(const Step& step, std::size_t join_at_most) {
        Inner& parent = *step.node;
        const std::size_t i = step.child > 0 ? step.child - 1 : step.child;
        Node& left = child_at<Node>(parent, i);
        Node& right = child_at<Node>(parent, i + 1);
        const std::size_t total = left.count + right.count;
        if (total > join_at_most) {
            share<Node>(parent, i, total / 2);
            return false;
        }
        Node::spread(left, right, total);
        unlink(left, right);
        parent.counts[i] += parent.counts[i + 1];
        parent.remove_child(i + 1);
        return true;
    }

    void unlink(Leaf& left, Leaf& right) {
        left.next = right.next;
        free_leaf(&right);
    }
    void unlink(Inner&, Inner& right) { free_inner(&right); }

    // --- bulk ---------------------------------------------------------------------------------

    // A node of a tree that is being built, with what its parent has to know.
    struct Built {
        void* node;
        Key floor;
        std::uint32_t count;
    };

    // Nodes are filled evenly to 7/8, so that the first writes after a start do not split them all.
    std::vector<Built> build_leaves(std::span<const Key> keys) {
        const std::size_t leaves = (keys.size() + kJoinLeaf - 1) / kJoinLeaf;
        std::vector<Built> level;
        level.reserve(leaves);
        Leaf* last = nullptr;
        for (std::size_t i = 0; i < leaves; ++i) {
            const std::size_t begin = keys.size() * i / leaves;
            const auto part = keys.subspan(begin, keys.size() * (i + 1) / leaves - begin);
            CHECK(begin == 0 || keys[begin - 1] < part.front());
            Leaf* leaf = new_leaf(LeafKeys);
            fill_leaf(*leaf, part);
            if (last != nullptr) last->next = leaf;
            last = leaf;
            level.push_back({leaf, i == 0 ? Key{} : part.front(), leaf->count});
        }
        return level;
    }

    static void fill_leaf(Leaf& leaf, std::span<const Key> keys) {
        CHECK(std::is_sorted(keys.begin(), keys.end()));
        CHECK(std::adjacent_find(keys.begin(), keys.end()) == keys.end());
        std::copy(keys.begin(), keys.end(), leaf.keys());
        leaf.count = static_cast<std::uint32_t>(keys.size());
    }

    // Puts levels of inner nodes above `level` until there is one node.
    void* build_inners(std::vector<Built> level) {
        while (level.size() > 1) {
            const std::size_t inners = (level.size() + kJoinInner - 1) / kJoinInner;
            std::vector<Built> above;
            above.reserve(inners);
            for (std::size_t i = 0; i < inners; ++i) {
                Inner* inner = new_inner();
                const std::size_t end = level.size() * (i + 1) / inners;
                for (std::size_t j = level.size() * i / inners; j < end; ++j) {
                    inner->insert_child(inner->count, level[j].floor, level[j].node,
                                        level[j].count);
                }
                above.push_back({inner, inner->floors[0], inner->keys_under()});
            }
            level = std::move(above);
            ++height_;
        }
        return level[0].node;
    }

    // --- self-check ---------------------------------------------------------------------------

    struct Audit {
        const Leaf* last = nullptr;
        std::size_t bytes = 0;
    };

    // `floor` <= keys < `ceiling`; a null pointer means no bound. Returns the keys under `node`.
    std::size_t check_node(const void* node, std::size_t level, const Key* floor,
                           const Key* ceiling, Audit& audit) const {
        if (level == 0) {
            return check_leaf(*static_cast<const Leaf*>(node), floor, ceiling, audit);
        }
        const Inner& inner = *static_cast<const Inner*>(node);
        const bool is_root = node == root_;
        CHECK(inner.count <= Fanout && inner.count >= (is_root ? 2 : kMinInner));
        CHECK(inner.floors[0] == (floor != nullptr ? *floor : Key{}));
        audit.bytes += sizeof(Inner);
        std::size_t total = 0;
        for (std::size_t i = 0; i < inner.count; ++i) {
            const Key* low = i == 0 ? floor : &inner.floors[i];
            const Key* high = i + 1 < inner.count ? &inner.floors[i + 1] : ceiling;
            const std::size_t under = check_node(inner.children[i], level - 1, low, high, audit);
            CHECK(under == inner.counts[i]);
            total += under;
        }
        return total;
    }

    std::size_t check_leaf(const Leaf& leaf, const Key* floor, const Key* ceiling,
                           Audit& audit) const {
        const bool is_root = &leaf == root_;
        CHECK(leaf.count <= leaf.capacity && leaf.count >= (is_root ? 1 : kMinLeaf));
        CHECK(is_root ? leaf.capacity <= LeafKeys : leaf.capacity == LeafKeys);
        CHECK(audit.last == nullptr || audit.last->next == &leaf);
        const Key* keys = leaf.keys();
        CHECK(floor == nullptr || !(keys[0] < *floor));
        CHECK(ceiling == nullptr || keys[leaf.count - 1] < *ceiling);
        for (std::size_t i = 1; i < leaf.count; ++i) CHECK(keys[i - 1] < keys[i]);
        audit.last = &leaf;
        audit.bytes += leaf_bytes(leaf.capacity);
        return leaf.count;
    }

    void* root_ = nullptr;  // a Leaf when height_ is 0
    std::size_t height_ = 0;
    std::size_t size_ = 0;
    std::size_t bytes_ = 0;
};

}  // namespace standings::ranking
