// Rows out of bytes, and what holds of every row: reading one ends well whatever its values are,
// and a record that was bound to a statement is read back as it was, or refused when it is none
// that can be.
#pragma once

#include <deque>
#include <string>
#include <utility>

#include "base/byte_feed.h"
#include "base/check.h"
#include "ledger/rows.h"
#include "ledger/sqlite/connection.h"
#include "ledger/sqlite/row_codec.h"
#include "ledger/sqlite/row_types.h"

namespace standings::ledger::sqlite {

// Rows of bound values, as SQLite gives them. Owner and thread: the test.
class RowHarness {
  public:
    RowHarness() : connection_(Connection::open(":memory:", Access::kWrite).value()) {}

    // Values of any type in every column.
    void read_any_row(base::ByteFeed& feed) {
        Statement row = row_of(29);
        std::deque<std::string> texts;  // live as long as they are bound
        for (int at = 1; at <= 29; ++at) bind_any(row, at, feed, texts);
        CHECK(row.step().value());
        EventRow event;
        EntryRecord entry;
        PlayerRecord player;
        StreamRecord stream;
        BoardRecord board;
        std::uint32_t crc = 0;
        if (read_event(row, event)) CHECK(event.crc == checksum(event.event));
        if (read_entry(row, entry)) CHECK(entry.columns <= ranking::kMaxColumns);
        static_cast<void>(read_player(row, player));
        static_cast<void>(read_stream(row, stream));
        static_cast<void>(read_board(row, board, crc));
        if (read_column(row, board)) CHECK(board.config.rules.columns.size() == 1);
    }

    void event_comes_back(base::ByteFeed& feed) {
        constexpr EventKind kKinds[] = {
            EventKind::kSubmit,        EventKind::kSet,          EventKind::kRemove,
            EventKind::kDetails,       EventKind::kTakenBack,    EventKind::kBoardCreated,
            EventKind::kBoardChanged,  EventKind::kBoardReset,   EventKind::kBoardClosed,
            EventKind::kBoardReopened, EventKind::kBoardDeleted,
        };
        Event event;
        event.kind = kKinds[feed.pick(std::size(kKinds))];
        event.columns = static_cast<std::uint8_t>(1 + feed.pick(ranking::kMaxColumns));
        event.had_entry = feed.pick(2) == 1;
        event.outcome = static_cast<ranking::Outcome>(feed.pick(6));
        event.seq = sequence(feed);
        event.board = {feed.number<std::uint32_t>()};
        event.ranking = {feed.number<std::uint32_t>()};
        event.slot = slot(feed);
        event.rules_version = feed.number<std::uint32_t>();
        for (ranking::Scores* scores : {&event.input, &event.previous, &event.result}) {
            for (std::int64_t& units : scores->units) units = number(feed);
        }
        event.prev_seq = sequence(feed);
        event.at = {feed.number<std::int64_t>()};
        event.occurred_at = {feed.number<std::int64_t>()};
        event.key = {feed.number<std::uint64_t>(), feed.number<std::uint64_t>()};
        event.fingerprint = feed.number<std::uint64_t>();
        event = canonical(event);

        Statement row = row_of(29);
        const KeyBytes key = key_bytes(event.key);
        const std::uint64_t chain = feed.number<std::uint64_t>();
        bind_event(row, event, key, checksum(event), chain, std::nullopt);
        CHECK(row.step().value());
        CHECK(types_fit(row, kEventTypes));
        EventRow read;
        CHECK(read_event(row, read) == is_possible(event));
        if (!is_possible(event)) return;
        CHECK(canonical(read.event) == event && read.chain == chain);
        CHECK(scores_fit(row, read.event));
    }

    void entry_comes_back(base::ByteFeed& feed) {
        EntryRecord record;
        record.key = {{feed.number<std::uint32_t>()}, slot(feed)};
        record.removed = feed.pick(2) == 1;
        record.columns = static_cast<std::uint8_t>(1 + feed.pick(ranking::kMaxColumns));
        for (std::int64_t& units : record.entry.scores.units) units = number(feed);
        record.entry.reached_seq = sequence(feed);
        record.entry.last_seq = sequence(feed);
        record.entry.reached_at = {feed.number<std::int64_t>()};
        record.entry.occurred_at = {feed.number<std::int64_t>()};
        record.entry.submissions = feed.number<std::uint32_t>();
        record.entry.has_details = feed.pick(2) == 1;
        record = canonical(record);

        Statement row = row_of(14);
        bind_entry(row, record);
        CHECK(row.step().value());
        CHECK(types_fit(row, kEntryTypes));
        EntryRecord read;
        CHECK(read_entry(row, read) == is_possible(record));
        CHECK(!is_possible(record) || (read == record && scores_fit(row, read)));
    }

    void player_comes_back(base::ByteFeed& feed) {
        PlayerRecord record;
        record.key = {{feed.number<std::uint32_t>()}, slot(feed)};
        record.player = feed.text(feed.pick(129));
        if (feed.pick(2) == 1) record.details.name = feed.text(feed.pick(256));
        if (feed.pick(2) == 1) record.details.meta = feed.rest();

        Statement row = row_of(6);
        bind_player(row, record);
        CHECK(row.step().value());
        CHECK(types_fit(row, kPlayerTypes));
        PlayerRecord read;
        CHECK(read_player(row, read) == is_possible(record));
        CHECK(read == record);
    }

  private:
    // Most are possible; some are any that the column can hold. SQLite's numbers have a sign.
    static base::Sequence sequence(base::ByteFeed& feed) {
        const unsigned shift = feed.pick(8) == 0 ? 1 : 16;
        return {feed.number<std::uint64_t>() >> shift};
    }
    static std::int64_t number(base::ByteFeed& feed) {
        const unsigned shift = feed.pick(8) == 0 ? 0 : 10;
        return feed.number<std::int64_t>() >> shift;
    }
    static base::PlayerSlot slot(base::ByteFeed& feed) {
        const unsigned shift = feed.pick(8) == 0 ? 0 : 6;
        return {feed.number<std::uint32_t>() >> shift};
    }

    Statement row_of(int columns) {
        std::string sql = "SELECT ?1";
        for (int at = 2; at <= columns; ++at) sql += ", ?" + std::to_string(at);
        return connection_.prepare(sql).value();
    }

    static void bind_any(Statement& row, int at, base::ByteFeed& feed,
                         std::deque<std::string>& texts) {
        switch (feed.pick(6)) {
            case 0:
                return row.bind_null(at);
            case 1:
                return row.bind(at, feed.number<std::int8_t>());
            case 2:
                return row.bind(at, feed.number<std::int32_t>());
            case 3:
                return row.bind(at, feed.number<std::int64_t>());
            case 4:
                return row.bind_text(at, texts.emplace_back(feed.text(feed.pick(40))));
            default:
                return row.bind_blob(
                    at, std::as_bytes(std::span(texts.emplace_back(feed.text(feed.pick(40))))));
        }
    }

    Connection connection_;
};

}  // namespace standings::ledger::sqlite
