// The last submissions, with what an answer needs beside them.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "engine/details_cache.h"
#include "engine/engine.h"
#include "engine/feed.h"
#include "ledger/records.h"

namespace standings::api {

struct FeedItems {
    struct One {
        engine::SharedFeedItem item;
        std::shared_ptr<const ledger::BoardConfig> config;
        bool has_details = false;       // a name may be known
        engine::SharedDetails details;  // none: no name, or not looked up

        ledger::EntryKey key() const { return {item->event.ranking, item->event.slot}; }
    };
    base::Sequence seq;
    base::Sequence known_since;  // every submission beyond it is there
    std::vector<One> all;        // by seq
};

// Of one board, none if it is not there; with an empty `board` of all public ones. What a board
// does not show yet is not there yet either. Names come from the cache alone. Any thread.
std::optional<FeedItems> read_feed(engine::Engine& engine, std::string_view board,
                                   std::size_t most);
// Those whose names have to come from the disk.
std::vector<std::size_t> without_details(const FeedItems& items);

// {"board":"speedrun","seq":90431,"outcome":"improved","player":"u_9","score":120,"at":"..."}
void append_feed_item(std::string& out, const FeedItems::One& one);

}  // namespace standings::api
