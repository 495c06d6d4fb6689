// One player's events on a board, newest first: each names the one before it, so no index is
// needed.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"
#include "engine/hosted_board.h"
#include "ledger/ledger.h"

namespace standings::engine {

// Gives a reader's calls a time to end by. It is lifted with this, for whoever has the reader next.
class ReadTimeLimit {
  public:
    ReadTimeLimit(ledger::LedgerReader& reader, const base::Clock& clock)
        : reader_(reader), clock_(clock) {}
    ~ReadTimeLimit() { reader_.set_deadline({}); }
    ReadTimeLimit(const ReadTimeLimit&) = delete;
    ReadTimeLimit& operator=(const ReadTimeLimit&) = delete;

    // From now on; again for the next part of the work.
    void start(base::Monotonic time) { reader_.set_deadline({&clock_, clock_.monotonic() + time}); }

  private:
    ledger::LedgerReader& reader_;
    const base::Clock& clock_;
};

// An entry and the rules it stands under, as they were at one moment.
struct ChainHead {
    base::BoardId board;
    ledger::EntryKey key;
    base::Sequence last_seq;  // of the player, where the chain begins
    std::optional<ranking::Entry> entry;
    base::Sequence rule_since;
    std::shared_ptr<const ledger::BoardConfig> config;
    std::string player;
    base::Sequence board_seq;
};

// None: the board does not know the player (any more).
std::optional<ChainHead> read_chain_head(const HostedBoard& board, std::string_view player);
// None: nobody has the slot in the board's present life.
std::optional<ChainHead> read_chain_head(const HostedBoard& board, ledger::EntryKey key);

// Owner and thread: whoever has the reader. One point read an event, ~3 us.
class PlayerChain {
  public:
    PlayerChain(ledger::LedgerReader& reader, ledger::EntryKey key, base::Sequence newest)
        : reader_(reader), key_(key), next_(newest) {}

    // The next older event. False at the end; cut() says whether there were more.
    base::Result<bool> next(ledger::Event& event);
    // The ledger does not hold the event that would come now.
    bool cut() const { return cut_; }

  private:
    ledger::LedgerReader& reader_;
    const ledger::EntryKey key_;
    base::Sequence next_;
    bool cut_ = false;
};

}  // namespace standings::engine
