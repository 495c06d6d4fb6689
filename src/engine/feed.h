// The last submissions of each board and of all boards, in memory.
#pragma once

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "ledger/records.h"

namespace standings::engine {

// A submission that was accepted, whether it changed the entry or not.
struct FeedItem {
    ledger::Event event;
    std::string player;
    std::string board;  // its slug
};
using SharedFeedItem = std::shared_ptr<const FeedItem>;

// What a reader of the feed gets.
struct FeedReading {
    base::Sequence seq;  // everything up to here is in it, or was
    // Every submission beyond this one is among `items`, but for those that were taken back.
    base::Sequence known_since;
    std::vector<SharedFeedItem> items;  // by seq
};

// Promise: what is durable is in the feed before it can be read from its board, in order of seq.
// What was taken back, or whose player was removed, is not in it any more. Bounded: kPerBoard items
// a board, kMostItems and kMostBoards in all (the boards that moved least lately are forgotten).
// Owner: the engine. Threads: the committer adds, any reads; one mutex, which a reader holds while
// it copies at most kPerBoard pointers. Cost: O(1) an item added, O(kPerBoard) one taken back.
class Feed {
  public:
    static constexpr std::size_t kPerBoard = 100;
    static constexpr std::size_t kMostItems = 50'000;
    static constexpr std::size_t kMostBoards = 20'000;

    // Empties it. From here on every event is added.
    void start(base::Sequence after);

    // A batch's events, in order; readers see them when it ends.
    class Adding {
      public:
        explicit Adding(Feed& feed) : feed_(feed), hold_(feed.mutex_), begun_at_(feed.seq_) {}
        // `board`: as it was before the batch, or later where the feed is new. That of a public one
        // is in the feed of all, too.
        void add(const ledger::Event& event, std::string_view player,
                 const ledger::BoardRecord& board);

      private:
        Feed& feed_;
        std::lock_guard<std::mutex> hold_;
        const base::Sequence begun_at_;
    };
    // A board was made or emptied: whatever came before is another life's.
    void begin_life(base::RankingId ranking, base::Sequence seq);
    // It was emptied or deleted, and nobody is led to that life any more.
    void end_life(base::RankingId ranking);
    // Up to here there is nothing more to add.
    void reach(base::Sequence seq);

    // The last submissions of a board's present life; of all public boards. `board_seq`: of the
    // board, as it was before this call.
    FeedReading of_board(base::RankingId ranking, base::Sequence board_seq) const;
    FeedReading of_all() const;

  private:
    struct Ring {
        std::vector<SharedFeedItem> items;
        std::size_t oldest = 0;
        base::Sequence known_since;
        std::list<base::RankingId>::iterator place{};  // in by_age_
    };

    static void read(const Ring& ring, FeedReading& reading);
    // Answers whether the ring has grown.
    static bool put(Ring& ring, SharedFeedItem item);
    // Takes out what the event takes back or removes. Answers how many.
    static std::size_t take_out(Ring& ring, const ledger::Event& event);
    // `known_since`: of one that there was none of.
    Ring& ring_of(base::RankingId ranking, base::Sequence known_since);
    // Of a board without a ring: since it moved last, nothing can have been forgotten.
    base::Sequence known_since(base::Sequence board_seq) const {
        return std::min(board_seq, lost_);
    }
    void forget_too_many();
    void forget_oldest();

    mutable std::mutex mutex_;
    boost::unordered_flat_map<base::RankingId, Ring, std::hash<base::RankingId>> rings_;
    std::list<base::RankingId> by_age_;  // the one that moved last in front
    std::size_t items_ = 0;              // in rings_
    Ring all_;
    base::Sequence seq_;
    // Of a board without a ring, something up to here may have been forgotten.
    base::Sequence lost_;
};

}  // namespace standings::engine
