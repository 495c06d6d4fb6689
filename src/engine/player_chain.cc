#include "engine/player_chain.h"

namespace standings::engine {
namespace {

ChainHead head_at(const HostedBoard::View& view, base::PlayerSlot slot) {
    return {.board = view.record.id,
            .key = {view.record.ranking, slot},
            .last_seq = view.board.last_seq(slot),
            .entry = view.board.entry(slot),
            .rule_since = view.record.rule_since,
            .config = view.config,
            .player = std::string(view.board.player_id(slot)),
            .board_seq = view.seq()};
}

}  // namespace

std::optional<ChainHead> read_chain_head(const HostedBoard& board, std::string_view player) {
    return board.read([&](const HostedBoard::View& view) -> std::optional<ChainHead> {
        const auto slot = view.board.find(player);
        if (!slot) return std::nullopt;
        return head_at(view, *slot);
    });
}

std::optional<ChainHead> read_chain_head(const HostedBoard& board, ledger::EntryKey key) {
    return board.read([&](const HostedBoard::View& view) -> std::optional<ChainHead> {
        // A slot that is free has no last event.
        const bool known = view.record.ranking == key.ranking &&
                           key.slot.value < view.board.slot_limit() &&
                           view.board.last_seq(key.slot).value != 0;
        if (!known) return std::nullopt;
        return head_at(view, key.slot);
    });
}

base::Result<bool> PlayerChain::next(ledger::Event& event) {
    if (next_.value == 0) return false;
    auto found = reader_.event(next_);
    if (!found) return found.error();
    if (!*found) {
        cut_ = true;
        next_ = {};
        return false;
    }
    event = **found;
    const bool belongs =
        event.ranking == key_.ranking && event.slot == key_.slot && event.prev_seq < event.seq;
    if (!belongs) {
        return base::Error{base::ErrorCode::kIntegrity,
                           "event " + std::to_string(event.seq.value) +
                               " is not of the player whose chain names it"};
    }
    next_ = event.prev_seq;
    return true;
}

}  // namespace standings::engine
