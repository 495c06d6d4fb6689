#include "engine/hosted_board.h"

namespace standings::engine {

std::optional<ranking::Board> HostedBoard::replace(const ledger::BoardRecord& record) {
    auto config = std::make_shared<const ledger::BoardConfig>(record.config);
    const bool new_life = record.ranking != record_.ranking;
    const bool new_columns = record.config.rules.columns != record_.config.rules.columns;
    const bool new_rules = record.config.rules != record_.config.rules;

    std::optional<ranking::Board> old;
    const std::unique_lock hold(lock_);
    record_ = record;
    config_ = std::move(config);
    if (new_columns) columns_version_.fetch_add(1, std::memory_order_release);
    if (new_life || new_columns) {
        old.emplace(std::exchange(board_, make_board(record.config.rules)));
    } else if (new_rules) {
        board_.set_rules(record.config.rules);
    }
    return old;
}

}  // namespace standings::engine
