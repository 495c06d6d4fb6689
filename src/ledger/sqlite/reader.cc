#include "ledger/sqlite/reader.h"

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
        const auto found = statement_.step();
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

class SqliteReader final : public LedgerReader {
  public:
    SqliteReader(Connection connection, PointReads reads, BoardTable boards)
        : connection_(std::move(connection)),
          reads_(std::move(reads)),
          boards_(std::move(boards)) {}

    Result<std::vector<PlayerRecord>> details(std::span<const EntryKey> keys) override {
        std::vector<PlayerRecord> all(keys.size());
        for (std::size_t i = 0; i < keys.size(); ++i) {
            auto player = reads_.player(keys[i]);
            if (!player) return player.error();
            if (*player) all[i] = **std::move(player);
        }
        return all;
    }

    Result<std::optional<Event>> event(base::Sequence seq) override { return reads_.event(seq); }

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
    BoardTable boards_;
};

}  // namespace

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
    auto boards = BoardTable::prepare(connection);
    if (!boards) return boards.error();
    return std::unique_ptr<LedgerReader>(std::make_unique<SqliteReader>(
        std::move(connection), *std::move(reads), *std::move(boards)));
}

}  // namespace standings::ledger::sqlite
