// What a board takes, as of the moment when submissions for it are read.
#pragma once

#include <cstdint>
#include <memory>

#include "engine/hosted_board.h"
#include "engine/operation.h"
#include "ledger/records.h"

namespace standings::api {

struct Terms {
    std::shared_ptr<const ledger::BoardConfig> config;
    std::uint32_t columns_version;
};

inline Terms terms_of(const engine::HostedBoard& board) {
    // In this order: columns that change in between are found out by the committer.
    const std::uint32_t version = board.columns_version();
    return {board.read([](const engine::HostedBoard::View& view) { return view.config; }), version};
}

// `change` was read under `terms`, for the operation's one board.
inline void add_change(engine::EntryOperation& operation, const Terms& terms,
                       engine::EntryChange change) {
    change.board = &operation.board();
    change.columns_version = terms.columns_version;
    operation.changes.push_back(change);
}

}  // namespace standings::api
