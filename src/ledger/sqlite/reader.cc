#include "ledger/sqlite/reader.h"

#include <algorithm>
#include <string>
#include <utility>

#include "ledger/sqlite/board_table.h"
#include "ledger/sqlite/row_codec.h"
#include "ledger/sqlite/schema.h"

namespace standings::ledger::sqlite {
namespace {

using base::Result;

// Rows of one prepared query on the reader's own connection.
template <class Row, bool (*read)(const Statement&, Row&)>
class QueryCursor final : public Cursor<Row> {
  public:
    QueryCursor(Statement statement, std::string_view table, int key_column)
        : statement_(std::move(statement)), table_(table), key_column_(key_column) {}

    Result<bool> next(Row& row) override {
        auto found = statement_.step();
        if (!found || !*found) return found;
        if (!read(statement_, row)) {
            return damaged(table_, std::to_string(statement_.number(key_column_)));
        }
        return true;
    }

  private:
    Statement statement_;
    std::string_view table_;
    int key_column_;  // names a damaged row
};

bool read_plain_event(const Statement& statement, Event& event) {
    EventRow row;
    if (!read_event(statement, row)) return false;
    event = row.event;
    return true;
}

// Looked at between two looks at the clock.
constexpr std::uint64_t kSeqsAtOnce = 8192;

class SqliteReader final : public LedgerReader {
  public:
    SqliteReader(Connection connection, PointReads reads, RangeReads ranges, BoardTable boards)
        : connection_(std::move(connection)),
          reads_(std::move(reads)),
          ranges_(std::move(ranges)),
          boards_(std::move(boards)) {}

    Result<std::vector<PlayerRecord>> details(std::span<const EntryKey> keys) override {
        std::vector<PlayerRecord> all(keys.size());
        for (std::size_t i = 0; i < keys.size(); ++i) {
            if (deadline_.passed()) return too_late();
            auto player = reads_.player(keys[i]);
            if (!player) return player.error();
            if (*player) all[i] = **std::move(player);
        }
        return all;
    }

    Result<std::optional<Event>> event(base::Sequence seq) override {
        if (deadline_.passed()) return too_late();
        return reads_.event(seq);
    }

    void set_deadline(Deadline deadline) override { deadline_ = deadline; }

    Result<RankingEvents> ranking_events(base::RankingId ranking, base::Sequence after,
                                         std::size_t most) override {
        const auto ends = ranges_.ends();
        if (!ends) return ends.error();
        const auto [first, last] = *ends;
        RankingEvents found;
        found.looked_to = after;
        if (first.value > after.value + 1) found.looked_to = {first.value - 1};
        while (found.looked_to < last && found.events.size() < most) {
            const base::Sequence to{std::min(found.looked_to.value + kSeqsAtOnce, last.value)};
            if (auto done = ranges_.ranking_events(ranking, to, most, found); !done) {
                return done.error();
            }
            if (deadline_.passed()) break;
        }
        found.at_end = found.looked_to >= last;
        return found;
    }

    Result<std::vector<Event>> undoings(std::span<const EntryKey> keys,
                                        base::Sequence after) override {
        std::vector<Event> all;
        for (const EntryKey& key : keys) {
            if (deadline_.passed()) return too_late();
            if (auto done = ranges_.undoings(key, after, all); !done) return done.error();
        }
        return all;
    }

    Result<SnapshotState> begin_snapshot() override {
        if (auto begun = connection_.exec("BEGIN"); !begun) return begun.error();
        // The first read is what fixes the moment.
        auto state = read_state(connection_);
        if (!state) return failed_to_begin(state.error());
        const auto last = connection_.query_number("SELECT coalesce(max(seq), 0) FROM event");
        if (!last) return failed_to_begin(last.error());
        return SnapshotState{{static_cast<std::uint64_t>(*last)}, state->fold_mark};
    }

    void end_snapshot() override {
        if (connection_.autocommit()) return;
        // It has written nothing: there is nothing that could fail.
        static_cast<void>(connection_.exec("ROLLBACK"));
    }

    Result<std::optional<BoardRecord>> board(base::BoardId id) override { return boards_.find(id); }

    Result<std::unique_ptr<Cursor<PlayerRecord>>> players(base::RankingId ranking) override {
        return query<PlayerRecord, read_player>(kPlayerColumns, "player", ranking, "ORDER BY slot",
                                                1);
    }
    Result<std::unique_ptr<Cursor<EntryRecord>>> entries(base::RankingId ranking) override {
        return query<EntryRecord, read_entry>(kEntryColumns, "entry", ranking, "ORDER BY slot", 1);
    }
    Result<std::unique_ptr<Cursor<Event>>> events(base::RankingId ranking,
                                                  base::Sequence after) override {
        return query<Event, read_plain_event>(
            kEventColumns, "event", ranking,
            "AND seq > " + std::to_string(after.value) + " ORDER BY seq", 0);
    }

  private:
    base::Error failed_to_begin(base::Error error) {
        end_snapshot();
        return error;
    }

    template <class Row, bool (*read)(const Statement&, Row&)>
    Result<std::unique_ptr<Cursor<Row>>> query(std::string_view columns, std::string_view table,
                                               base::RankingId ranking, const std::string& rest,
                                               int key_column) {
        auto statement = connection_.prepare("SELECT " + std::string(columns) + " FROM " +
                                             std::string(table) + " WHERE ranking = ?1 " + rest);
        if (!statement) return statement.error();
        statement->bind(1, ranking.value);
        return std::unique_ptr<Cursor<Row>>(
            std::make_unique<QueryCursor<Row, read>>(*std::move(statement), table, key_column));
    }

    Connection connection_;
    PointReads reads_;
    RangeReads ranges_;
    BoardTable boards_;
    Deadline deadline_;
};

}  // namespace

Result<RangeReads> RangeReads::prepare(Connection& connection) {
    RangeReads reads;
    const std::string select = "SELECT " + std::string(kEventColumns) + " FROM event ";
    const std::pair<Statement*, std::string> statements[] = {
        {&reads.ends_, "SELECT (SELECT min(seq) FROM event), (SELECT max(seq) FROM event)"},
        {&reads.ranking_events_, select + "WHERE seq > ?1 AND seq <= ?2 AND ranking = ?3"
                                          " AND kind < 16 ORDER BY seq LIMIT ?4"},
        {&reads.undoings_, select + "INDEXED BY event_undoing WHERE kind IN (3, 5)"
                                    " AND ranking = ?1 AND slot = ?2 AND seq > ?3"},
    };
    for (const auto& [out, sql] : statements) {
        auto statement = connection.prepare(sql);
        if (!statement) return statement.error();
        *out = *std::move(statement);
    }
    return reads;
}

Result<std::pair<base::Sequence, base::Sequence>> RangeReads::ends() {
    const ResetLater reset(ends_);
    const auto found = ends_.step();
    if (!found) return found.error();
    return std::pair(base::Sequence{static_cast<std::uint64_t>(ends_.number(0))},
                     base::Sequence{static_cast<std::uint64_t>(ends_.number(1))});
}

Result<void> RangeReads::take(Statement& statement, std::vector<Event>& out) {
    while (true) {
        const auto found = statement.step();
        if (!found) return found.error();
        if (!*found) return {};
        EventRow row;
        if (!read_event(statement, row)) {
            return damaged("event", std::to_string(statement.number(0)));
        }
        out.push_back(row.event);
    }
}

Result<void> RangeReads::ranking_events(base::RankingId ranking, base::Sequence to,
                                        std::size_t most, RankingEvents& found) {
    const ResetLater reset(ranking_events_);
    ranking_events_.bind(1, static_cast<std::int64_t>(found.looked_to.value));
    ranking_events_.bind(2, static_cast<std::int64_t>(to.value));
    ranking_events_.bind(3, ranking.value);
    ranking_events_.bind(4, static_cast<std::int64_t>(most - found.events.size()));
    if (auto done = take(ranking_events_, found.events); !done) return done;
    // A full page ends at its last event: what follows was not looked at.
    found.looked_to = found.events.size() < most ? to : found.events.back().seq;
    return {};
}

Result<void> RangeReads::undoings(EntryKey key, base::Sequence after, std::vector<Event>& out) {
    const ResetLater reset(undoings_);
    undoings_.bind(1, key.ranking.value);
    undoings_.bind(2, key.slot.value);
    undoings_.bind(3, static_cast<std::int64_t>(after.value));
    return take(undoings_, out);
}

Result<PointReads> PointReads::prepare(Connection& connection) {
    PointReads reads;
    const auto make = [&](Statement& out, std::string_view columns,
                          std::string_view from) -> Result<void> {
        auto statement =
            connection.prepare("SELECT " + std::string(columns) + " FROM " + std::string(from));
        if (!statement) return statement.error();
        out = *std::move(statement);
        return {};
    };
    if (auto done = make(reads.event_, kEventColumns, "event WHERE seq = ?1"); !done) {
        return done.error();
    }
    if (auto done = make(reads.player_, kPlayerColumns, "player WHERE ranking = ?1 AND slot = ?2");
        !done) {
        return done.error();
    }
    if (auto done = make(reads.stream_, kStreamColumns, "stream WHERE key = ?1"); !done) {
        return done.error();
    }
    return reads;
}

Result<std::optional<Event>> PointReads::event(base::Sequence seq) {
    const ResetLater reset(event_);
    event_.bind(1, static_cast<std::int64_t>(seq.value));
    const auto found = event_.step();
    if (!found) return found.error();
    if (!*found) return std::optional<Event>();
    EventRow row;
    if (!read_event(event_, row)) return damaged("event", std::to_string(seq.value));
    return std::optional(row.event);
}

Result<std::optional<PlayerRecord>> PointReads::player(EntryKey key) {
    const ResetLater reset(player_);
    player_.bind(1, key.ranking.value);
    player_.bind(2, key.slot.value);
    const auto found = player_.step();
    if (!found) return found.error();
    if (!*found) return std::optional<PlayerRecord>();
    PlayerRecord record;
    if (!read_player(player_, record)) return damaged_entry("player", key);
    return std::optional(std::move(record));
}

Result<std::optional<StreamRecord>> PointReads::stream(base::Hash128 key) {
    const ResetLater reset(stream_);
    const KeyBytes bytes = key_bytes(key);
    stream_.bind_blob(1, bytes);
    const auto found = stream_.step();
    if (!found) return found.error();
    if (!*found) return std::optional<StreamRecord>();
    StreamRecord record;
    if (!read_stream(stream_, record)) return damaged("stream", "of an idempotency key");
    return std::optional(record);
}

Result<std::unique_ptr<LedgerReader>> make_reader(Connection connection) {
    auto reads = PointReads::prepare(connection);
    if (!reads) return reads.error();
    auto ranges = RangeReads::prepare(connection);
    if (!ranges) return ranges.error();
    auto boards = BoardTable::prepare(connection);
    if (!boards) return boards.error();
    return std::unique_ptr<LedgerReader>(std::make_unique<SqliteReader>(
        std::move(connection), *std::move(reads), *std::move(ranges), *std::move(boards)));
}

}  // namespace standings::ledger::sqlite
