// Reads the boards of the engine for whoever watches them.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.h"
#include "engine/queries.h"
#include "live/ports.h"

namespace standings::api {

// Owner and thread: the publisher. Names that are not in memory are read by the engine's workers:
// until then a view answers kLater, and `home` gets the finished read, which only has to be
// finished.
class BoardViews final : public live::ViewReader {
  public:
    BoardViews(engine::Engine& engine, engine::Mailbox& home) : engine_(engine), home_(home) {}

    std::optional<BoardLook> look(std::string_view board) override;
    Answer read(const live::View& view, live::Reading& reading) override;
    // Names that came from the disk count until here, even where the cache has dropped them again;
    // kept longer, they could be old ones. To be called when all views were read that waited.
    void forget_arrived() { arrived_.clear(); }

  private:
    class NamesRead;
    struct Arrived {
        ledger::EntryKey key;
        engine::SharedDetails details;
    };

    Answer read_feed_items(const live::View& view, live::Reading& reading);
    // Fills in the page's names. False: some are on their way.
    bool resolve(const live::View& view);
    engine::SharedDetails find_details(ledger::EntryKey key, std::string_view player) const;
    // Has the names read that the view waits for.
    void ask(const live::View& view, std::vector<ledger::EntryKey> keys,
             std::vector<std::string> players);
    static void read_rows(const engine::HostedBoard& board, const live::View& view,
                          engine::Page& page);

    engine::Engine& engine_;
    engine::Mailbox& home_;
    engine::Page page_;
    std::vector<ranking::Row> first_;
    std::set<live::View> asked_;     // whose names are on their way
    std::set<live::View> answered_;  // ... and have come, for the next reading of the feed
    std::vector<Arrived> arrived_;
};

}  // namespace standings::api
