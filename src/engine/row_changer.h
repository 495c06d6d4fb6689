// Damage that no checksum tells of: rows that say something else, with the checksums and the chain
// made anew. No disk does this; a mistake of the server's own could.
#pragma once

#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/byte_feed.h"
#include "base/check.h"
#include "base/hash.h"
#include "ledger/rows.h"
#include "ledger/sqlite/board_table.h"
#include "ledger/sqlite/connection.h"
#include "ledger/sqlite/row_codec.h"

namespace standings::engine {

// Owner and thread: the test.
class RowChanger {
  public:
    // The database that nobody else has open.
    explicit RowChanger(const std::string& path)
        : connection_(
              ledger::sqlite::Connection::open(path, ledger::sqlite::Access::kWrite).value()) {}

    // One row of the four tables that a start reads.
    void change_one(base::ByteFeed& choices) {
        switch (choices.pick(4)) {
            case 0:
                return change_player(choices);
            case 1:
                return change_entry(choices);
            case 2:
                return change_event(choices);
            default:
                return change_board(choices);
        }
    }

    // Each event follows the one before it again.
    void make_chain() {
        auto rows = connection_.prepare("SELECT seq, crc, chain FROM event ORDER BY seq").value();
        auto put = connection_.prepare("UPDATE event SET chain = ?2 WHERE seq = ?1").value();
        std::vector<std::pair<std::int64_t, std::uint64_t>> chain;
        std::uint64_t last = 0;
        while (rows.step().value()) {
            last = base::chain_after(last, static_cast<std::uint32_t>(rows.number(1)));
            chain.emplace_back(rows.number(0), last);
        }
        for (const auto& [seq, value] : chain) {
            put.bind(1, seq);
            put.bind(2, static_cast<std::int64_t>(value));
            CHECK(put.run());
        }
    }

  private:
    using Statement = ledger::sqlite::Statement;

    // --- values: most of them near to what is there, some at the edge of what can be, or beyond --

    static std::int64_t number(base::ByteFeed& choices) {
        constexpr std::int64_t kEdges[] = {0,         1,
                                           -1,        ranking::kMaxUnits,
                                           INT64_MAX, ranking::kMaxUnits + 1,
                                           INT64_MIN, -ranking::kMaxUnits};
        const std::size_t kind = choices.pick(32);
        if (kind < std::size(kEdges)) return kEdges[kind];
        return choices.number<std::int8_t>();
    }
    static base::Sequence sequence(base::ByteFeed& choices) {
        constexpr std::uint64_t kEdges[] = {0, base::kMaxSequence, base::kMaxSequence + 1,
                                            INT64_MAX};
        const std::size_t kind = choices.pick(16);
        if (kind < std::size(kEdges)) return {kEdges[kind]};
        return {choices.pick(128)};
    }
    // Not close below the limit: that is possible, and takes gigabytes.
    static base::PlayerSlot slot(base::ByteFeed& choices) {
        constexpr std::uint32_t kEdges[] = {ranking::kMaxPlayers, UINT32_MAX - 1, 2000};
        const std::size_t kind = choices.pick(16);
        if (kind < std::size(kEdges)) return {kEdges[kind]};
        return {static_cast<std::uint32_t>(choices.pick(32))};
    }
    static std::uint32_t small(base::ByteFeed& choices) {
        return static_cast<std::uint32_t>(choices.pick(6));
    }
    static void one_of(ranking::Scores& scores, base::ByteFeed& choices) {
        scores.units[choices.pick(ranking::kMaxColumns)] = number(choices);
    }

    // --- tables -------------------------------------------------------------------------------

    // Some row of `table` as a statement that stands on it; none in an empty table.
    Statement some_row(std::string_view columns, std::string_view table, base::ByteFeed& choices) {
        const std::string from = " FROM " + std::string(table);
        const auto count = connection_.query_number("SELECT count(*)" + from).value();
        auto row =
            connection_
                .prepare("SELECT " + std::string(columns) + from + " LIMIT 1 OFFSET " +
                         std::to_string(count == 0 ? 0 : choices.number<std::uint16_t>() % count))
                .value();
        static_cast<void>(row.step().value());
        return row;
    }

    void erase(std::string_view table, ledger::EntryKey key) {
        auto statement =
            connection_
                .prepare("DELETE FROM " + std::string(table) + " WHERE ranking = ?1 AND slot = ?2")
                .value();
        statement.bind(1, key.ranking.value);
        statement.bind(2, key.slot.value);
        CHECK(statement.run());
    }

    void change_player(base::ByteFeed& choices) {
        ledger::PlayerRecord record;
        {
            const Statement row = some_row(ledger::sqlite::kPlayerColumns, "player", choices);
            if (!ledger::sqlite::read_player(row, record)) return;
        }
        if (choices.pick(2) == 0) erase("player", record.key);
        switch (choices.pick(4)) {
            case 0:
                record.key.slot = slot(choices);
                break;
            case 1:
                record.key.ranking = {small(choices)};
                break;
            case 2:
                record.player = "p" + std::to_string(choices.pick(30));
                break;
            default:
                record.player = choices.text(choices.pick(4));
        }
        auto put = connection_.prepare(ledger::sqlite::kPutPlayer).value();
        bind_player(put, record);
        CHECK(put.run());
    }

    void change_entry(base::ByteFeed& choices) {
        ledger::EntryRecord record;
        {
            const Statement row = some_row(ledger::sqlite::kEntryColumns, "entry", choices);
            if (!ledger::sqlite::read_entry(row, record)) return;
        }
        if (choices.pick(2) == 0) erase("entry", record.key);
        switch (choices.pick(10)) {
            case 0:
                record.key.slot = slot(choices);
                break;
            case 1:
                record.key.ranking = {small(choices)};
                break;
            case 2:
                record.removed = !record.removed;
                break;
            case 3:
                record.columns = static_cast<std::uint8_t>(choices.pick(5));
                break;
            case 4:
                record.entry.reached_seq = sequence(choices);
                break;
            case 5:
                record.entry.last_seq = sequence(choices);
                break;
            case 6:
                record.entry.reached_at = {number(choices)};
                break;
            case 7:
                record.entry.submissions = choices.number<std::uint32_t>();
                break;
            default:
                one_of(record.entry.scores, choices);
        }
        record = canonical(record);
        auto put = connection_.prepare(ledger::sqlite::kPutEntry).value();
        bind_entry(put, record);
        CHECK(put.run());
    }

    void change_event(base::ByteFeed& choices) {
        ledger::sqlite::EventRow event_row;
        {
            const Statement row = some_row(ledger::sqlite::kEventColumns, "event", choices);
            if (!ledger::sqlite::read_event(row, event_row)) return;
        }
        ledger::Event& event = event_row.event;
        auto erase_event = connection_.prepare("DELETE FROM event WHERE seq = ?1").value();
        erase_event.bind(1, static_cast<std::int64_t>(event.seq.value));
        CHECK(erase_event.run());
        switch (choices.pick(12)) {
            case 0:
                event.kind = static_cast<ledger::EventKind>(choices.pick(24));
                break;
            case 1:
                event.outcome = static_cast<ranking::Outcome>(choices.pick(8));
                break;
            case 2:
                event.columns = static_cast<std::uint8_t>(choices.pick(5));
                break;
            case 3:
                event.had_entry = !event.had_entry;
                break;
            case 4:
                event.slot = slot(choices);
                break;
            case 5:
                event.board = {small(choices)};
                break;
            case 6:
                event.ranking = {small(choices)};
                break;
            case 7:
                event.prev_seq = sequence(choices);
                break;
            case 8:
                one_of(event.previous, choices);
                break;
            case 9:
                one_of(event.result, choices);
                break;
            case 10:
                event.at = {number(choices)};
                break;
            default:
                one_of(event.input, choices);
        }
        event = canonical(event);
        auto put = connection_.prepare(ledger::sqlite::kInsertEvent).value();
        const auto key = ledger::sqlite::key_bytes(event.key);
        bind_event(put, event, key, checksum(event), 0, std::nullopt);
        CHECK(put.run());
    }

    void change_board(base::ByteFeed& choices) {
        ledger::BoardRecord record;
        {
            auto boards = ledger::sqlite::read_boards(connection_);
            if (!boards || boards->empty()) return;
            record = (*boards)[choices.pick(boards->size())];
        }
        auto& columns = record.config.rules.columns;
        switch (choices.pick(7)) {
            case 0:
                record.id = {small(choices)};
                break;
            case 1:
                record.ranking = {small(choices)};
                break;
            case 2:
                record.config.rules.rule = static_cast<ranking::Rule>(choices.pick(4));
                break;
            case 3:
                if (columns.size() < ranking::kMaxColumns) columns.push_back({.name = "more"});
                break;
            case 4:
                columns.pop_back();
                break;
            case 5:
                record.rule_since = sequence(choices);
                break;
            default:
                record.seq = sequence(choices);
        }
        auto table = ledger::sqlite::BoardTable::prepare(connection_).value();
        // A slug or a ranking that another board has: the table refuses.
        static_cast<void>(table.put(record));
    }

    ledger::sqlite::Connection connection_;
};

}  // namespace standings::engine
