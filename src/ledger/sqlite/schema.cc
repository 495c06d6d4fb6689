#include "ledger/sqlite/schema.h"

#include <array>
#include <span>

#include "base/hash.h"

namespace standings::ledger::sqlite {
namespace {

// Rows that the server writes. Scores are whole units of the column's last decimal, times are
// milliseconds since 1970, checksums are CRC-32C as signed numbers.
constexpr const char* kTables = R"sql(
CREATE TABLE state (
    id           INTEGER PRIMARY KEY CHECK (id = 1),
    database_id  TEXT NOT NULL,
    epoch        TEXT NOT NULL,
    fold_mark    INTEGER NOT NULL,
    next_board   INTEGER NOT NULL,
    next_ranking INTEGER NOT NULL,
    hash_seed    INTEGER NOT NULL,
    crc          INTEGER NOT NULL
);
CREATE TABLE board (
    id          INTEGER PRIMARY KEY,
    slug        TEXT NOT NULL UNIQUE,
    title       TEXT NOT NULL,
    rule        TEXT NOT NULL,
    ties        TEXT NOT NULL,
    visibility  TEXT NOT NULL,
    public_meta INTEGER NOT NULL,
    closed      INTEGER NOT NULL,
    ranking     INTEGER NOT NULL UNIQUE,
    revision    INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    seq         INTEGER NOT NULL,
    rule_since  INTEGER NOT NULL,
    crc         INTEGER NOT NULL
);
CREATE TABLE board_column (
    board    INTEGER NOT NULL,
    number   INTEGER NOT NULL,
    name     TEXT NOT NULL,
    "order"  TEXT NOT NULL,
    decimals INTEGER NOT NULL,
    min      INTEGER,
    max      INTEGER,
    PRIMARY KEY (board, number)
) WITHOUT ROWID;
CREATE TABLE player (
    ranking INTEGER NOT NULL,
    slot    INTEGER NOT NULL,
    id      TEXT NOT NULL,
    name    TEXT,
    meta    TEXT,
    crc     INTEGER NOT NULL,
    PRIMARY KEY (ranking, slot)
) WITHOUT ROWID;
CREATE TABLE entry (
    ranking     INTEGER NOT NULL,
    slot        INTEGER NOT NULL,
    removed     INTEGER NOT NULL,
    score_1     INTEGER,
    score_2     INTEGER,
    score_3     INTEGER,
    score_4     INTEGER,
    reached_seq INTEGER,
    last_seq    INTEGER NOT NULL,
    reached_at  INTEGER,
    occurred_at INTEGER,
    submissions INTEGER,
    has_details INTEGER,
    crc         INTEGER NOT NULL,
    PRIMARY KEY (ranking, slot)
) WITHOUT ROWID;
CREATE TABLE event (
    seq           INTEGER PRIMARY KEY,
    at            INTEGER NOT NULL,
    key           BLOB,
    board         INTEGER NOT NULL,
    ranking       INTEGER NOT NULL,
    slot          INTEGER,
    kind          INTEGER NOT NULL,
    outcome       INTEGER NOT NULL,
    rules_version INTEGER NOT NULL,
    columns       INTEGER NOT NULL,
    had_entry     INTEGER NOT NULL,
    input_1 INTEGER, input_2 INTEGER, input_3 INTEGER, input_4 INTEGER,
    previous_1 INTEGER, previous_2 INTEGER, previous_3 INTEGER, previous_4 INTEGER,
    result_1 INTEGER, result_2 INTEGER, result_3 INTEGER, result_4 INTEGER,
    prev_seq      INTEGER NOT NULL,
    occurred_at   INTEGER,
    fingerprint   INTEGER,
    crc           INTEGER NOT NULL,
    chain         INTEGER NOT NULL,
    keyed_before  INTEGER
);
CREATE TABLE stream (
    key          BLOB PRIMARY KEY,
    lines        INTEGER NOT NULL,
    running_hash INTEGER NOT NULL,
    accepted     INTEGER NOT NULL,
    rejected     INTEGER NOT NULL,
    seq          INTEGER NOT NULL,
    at           INTEGER NOT NULL,
    complete     INTEGER NOT NULL,
    crc          INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX stream_at ON stream (at);
CREATE TABLE old_ranking (ranking INTEGER PRIMARY KEY);
)sql";

// Finds what was taken away from a player without a walk along the chain. Partial, so that a
// submission costs no index entry: only the condition is looked at.
constexpr const char* kUndoingIndex =
    "CREATE INDEX IF NOT EXISTS event_undoing ON event (ranking, slot) WHERE kind IN (3, 5);";

// Entries are written back late, so what is true now is the newest event that changed a player's
// scores, if it lies past the fold mark, and the entry's row otherwise. An event that takes back
// (kind 5) holds the place that the entry has gone back to. A condition on the board
// reaches down to both, so that one board's standings cost no more than its own rows. What stands
// in braces is said four times, with the numbers of the columns for "@".
constexpr std::string_view kViews = R"sql(
CREATE VIEW recent_entry AS
SELECT ranking, slot, max(seq) AS seq, at, kind = 3 OR (kind = 5 AND outcome = 5) AS removed,
    {result_@}, iif(kind = 5, input_2, seq) AS reached_seq, iif(kind = 5, input_3, at) AS reached_at
FROM event
WHERE seq > (SELECT fold_mark FROM state) AND kind IN (1, 2, 3, 5)
  AND NOT (had_entry AND kind IN (1, 2) AND result_1 IS previous_1 AND result_2 IS previous_2
           AND result_3 IS previous_3 AND result_4 IS previous_4)
GROUP BY ranking, slot;

CREATE VIEW standings AS
WITH recent AS MATERIALIZED (SELECT * FROM recent_entry),
shape AS NOT MATERIALIZED (
    SELECT board.slug AS slug, board.ties AS ties, board.ranking AS ranking,
        {column_@.decimals AS decimals_@},
        {iif(column_@."order" = 'asc', 1, -1) AS sign_@}
    FROM board
    LEFT JOIN board_column AS column_1 ON column_1.board = board.id AND column_1.number = 1
    LEFT JOIN board_column AS column_2 ON column_2.board = board.id AND column_2.number = 2
    LEFT JOIN board_column AS column_3 ON column_3.board = board.id AND column_3.number = 3
    LEFT JOIN board_column AS column_4 ON column_4.board = board.id AND column_4.number = 4
),
present AS (
    SELECT shape.slug AS slug, shape.ranking AS ranking, slot, {score_@ * sign_@ AS key_@},
        reached_seq, reached_at
    FROM shape CROSS JOIN entry ON entry.ranking = shape.ranking
    WHERE NOT removed
      AND NOT EXISTS (SELECT 1 FROM recent
                      WHERE recent.ranking = entry.ranking AND recent.slot = entry.slot)
    UNION ALL
    SELECT shape.slug, shape.ranking, slot, {result_@ * sign_@}, reached_seq, reached_at
    FROM shape CROSS JOIN recent ON recent.ranking = shape.ranking
    WHERE NOT removed
),
ranked AS (
    SELECT *,
        rank() OVER (PARTITION BY slug ORDER BY {key_@}) AS shared,
        row_number() OVER (PARTITION BY slug ORDER BY {key_@}, reached_seq) AS position
    FROM present
)
SELECT shape.slug AS board,
    iif(ties = 'shared', shared, position) AS rank,
    position,
    (SELECT id FROM player WHERE player.ranking = ranked.ranking AND player.slot = ranked.slot)
        AS player,
    (SELECT name FROM player WHERE player.ranking = ranked.ranking AND player.slot = ranked.slot)
        AS name,
    {iif(decimals_@ > 0,
         rtrim(rtrim(iif(key_@ * sign_@ < 0, '-', '')
                     || (abs(key_@) / ('1' || substr('000000', 1, decimals_@))) || '.'
                     || substr('000000' || (abs(key_@) % ('1' || substr('000000', 1, decimals_@))),
                               -decimals_@),
                     '0'), '.'),
         key_@ * sign_@) AS score_@},
    strftime('%Y-%m-%dT%H:%M:%fZ', reached_at / 1000.0, 'unixepoch') AS reached_at,
    reached_seq
FROM shape CROSS JOIN ranked ON ranked.slug = shape.slug;

CREATE VIEW boards AS
WITH recent AS MATERIALIZED (SELECT * FROM recent_entry)
SELECT slug AS board, title, rule, ties,
    (SELECT group_concat(name || ' ' || "order", ', ') FROM board_column
     WHERE board_column.board = board.id) AS columns,
    visibility, closed, revision,
    max(board.seq, coalesce(folded.seq, 0), coalesce(newest.seq, 0)) AS seq,
    coalesce(folded.players, 0) + coalesce(joined.players, 0) AS players,
    strftime('%Y-%m-%dT%H:%M:%fZ', created_at / 1000.0, 'unixepoch') AS created_at
FROM board
LEFT JOIN (SELECT ranking, max(last_seq) AS seq,
               sum(NOT removed AND NOT EXISTS (
                   SELECT 1 FROM recent
                   WHERE recent.ranking = entry.ranking AND recent.slot = entry.slot)) AS players
           FROM entry GROUP BY ranking) AS folded
    ON folded.ranking = board.ranking
LEFT JOIN (SELECT ranking, count(*) AS players FROM recent WHERE NOT removed GROUP BY ranking)
    AS joined
    ON joined.ranking = board.ranking
LEFT JOIN (SELECT board, max(seq) AS seq FROM event
           WHERE seq > (SELECT fold_mark FROM state) GROUP BY board) AS newest
    ON newest.board = board.id;
)sql";

std::string views() {
    std::string sql;
    std::string_view rest = kViews;
    while (true) {
        const std::size_t open = rest.find('{');
        sql += rest.substr(0, open);
        if (open == std::string_view::npos) return sql;
        const std::size_t close = rest.find('}');
        const std::string_view pattern = rest.substr(open + 1, close - open - 1);
        for (const char column : {'1', '2', '3', '4'}) {
            if (column != '1') sql += ", ";
            for (const char c : pattern) sql += c == '@' ? column : c;
        }
        rest.remove_prefix(close + 1);
    }
}

std::string hex(std::span<const std::byte> bytes) {
    std::string out;
    for (const std::byte byte : bytes) {
        out += "0123456789abcdef"[std::to_integer<unsigned>(byte) >> 4];
        out += "0123456789abcdef"[std::to_integer<unsigned>(byte) & 15];
    }
    return out;
}

std::int64_t checksum(const StateRow& state) {
    const std::string text =
        state.database_id + ' ' + state.epoch + ' ' + std::to_string(state.fold_mark.value) + ' ' +
        std::to_string(state.next_board.value) + ' ' + std::to_string(state.next_ranking.value) +
        ' ' + std::to_string(state.hash_seed);
    return static_cast<std::int32_t>(base::crc32c(text));
}

base::Result<void> in_transaction(Connection& connection, const std::string& sql) {
    const std::string whole = "BEGIN IMMEDIATE;" + sql + "COMMIT;";
    auto done = connection.exec(whole.c_str());
    if (!done && !connection.autocommit()) {
        const auto ignored = connection.exec("ROLLBACK");
        static_cast<void>(ignored);  // The first failure is the one to tell.
    }
    return done;
}

}  // namespace

std::string make_epoch(base::Random& random) {
    std::uint64_t bits = random.next();
    std::string epoch;
    for (int i = 0; i < 10; ++i, bits >>= 5) {
        epoch += "abcdefghijklmnopqrstuvwxyz234567"[bits & 31];
    }
    return epoch;
}

base::Result<void> configure_writer(Connection& connection, std::int64_t cache_bytes) {
    const std::string sql =
        "PRAGMA page_size=4096;"
        "PRAGMA auto_vacuum=INCREMENTAL;"
        "PRAGMA journal_mode=WAL;"
        "PRAGMA synchronous=FULL;"
        // It would run before the answers and swallow errors; upkeep does it instead.
        "PRAGMA wal_autocheckpoint=0;"
        "PRAGMA journal_size_limit=67108864;"
        "PRAGMA secure_delete=OFF;"
        "PRAGMA cell_size_check=ON;"
        "PRAGMA temp_store=MEMORY;"
        "PRAGMA cache_size=-" +
        std::to_string(cache_bytes / 1024);
    return connection.exec(sql.c_str());
}

base::Result<bool> is_new(Connection& connection) {
    const auto application = connection.query_number("PRAGMA application_id");
    if (!application) return application.error();
    const auto version = connection.query_number("PRAGMA user_version");
    if (!version) return version.error();
    const auto objects = connection.query_number("SELECT count(*) FROM sqlite_schema");
    if (!objects) return objects.error();

    if (*application == 0 && *version == 0 && *objects == 0) return true;
    if (*application != kApplicationId) {
        return base::Error{base::ErrorCode::kSchema,
                           "the file is a database of another program; name another data folder"};
    }
    if (*version < 1 || *version > kSchemaVersion) {
        return base::Error{base::ErrorCode::kSchema,
                           "the database has schema " + std::to_string(*version) +
                               ", this program knows " + std::to_string(kSchemaVersion) +
                               "; start the version that wrote it, or a newer one"};
    }
    return false;
}

base::Result<void> create(Connection& connection, base::Random& random) {
    std::array<std::byte, 16> id{};
    random.fill(id);
    StateRow state;
    state.database_id = hex(id);
    state.epoch = make_epoch(random);
    state.hash_seed = random.next();
    const std::string sql = std::string(kTables) + kUndoingIndex + views() +
                            "PRAGMA application_id=" + std::to_string(kApplicationId) +
                            ";PRAGMA user_version=" + std::to_string(kSchemaVersion) +
                            ";INSERT INTO state VALUES (1,'" + state.database_id + "','" +
                            state.epoch + "',0,1,1," +
                            std::to_string(static_cast<std::int64_t>(state.hash_seed)) + ',' +
                            std::to_string(checksum(state)) + ");";
    return in_transaction(connection, sql);
}

base::Result<bool> has_our_views(Connection& connection) {
    // Each view's text as SQLite keeps it, without the mark at its end.
    auto stored = connection.prepare(
        "SELECT group_concat(sql || ';' || char(10), char(10)) FROM (SELECT sql FROM sqlite_schema"
        " WHERE type = 'view' AND name IN ('recent_entry', 'standings', 'boards') ORDER BY rowid)");
    if (!stored) return stored.error();
    const auto found = stored->step();
    if (!found) return found.error();
    return *found && std::string_view(views()).substr(1) == stored->text(0);
}

base::Result<void> bring_up_to_date(Connection& connection) {
    std::string sql;
    const auto version = connection.query_number("PRAGMA user_version");
    if (!version) return version.error();
    // Version 1 did not say where the keyed events are.
    if (*version == 1) sql += "ALTER TABLE event ADD COLUMN keyed_before INTEGER;";
    const auto ours = has_our_views(connection);
    if (!ours) return ours.error();
    if (!*ours) {
        sql +=
            "DROP VIEW IF EXISTS standings; DROP VIEW IF EXISTS boards;"
            "DROP VIEW IF EXISTS recent_entry;" +
            views();
    }
    const auto indexed =
        connection.query_number("SELECT count(*) FROM sqlite_schema WHERE name = 'event_undoing'");
    if (!indexed) return indexed.error();
    if (*indexed == 0) sql += kUndoingIndex;
    if (sql.empty() && *version == kSchemaVersion) return {};
    return in_transaction(connection,
                          sql + "PRAGMA user_version=" + std::to_string(kSchemaVersion) + ';');
}

base::Result<StateRow> read_state(Connection& connection) {
    auto row = connection.prepare(
        "SELECT database_id, epoch, fold_mark, next_board, next_ranking, hash_seed, crc FROM "
        "state");
    if (!row) return row.error();
    const auto found = row->step();
    if (!found) return found.error();
    StateRow state;
    if (*found) {
        state.database_id = row->text(0);
        state.epoch = row->text(1);
        state.fold_mark = {static_cast<std::uint64_t>(row->number(2))};
        state.next_board = {static_cast<std::uint32_t>(row->number(3))};
        state.next_ranking = {static_cast<std::uint32_t>(row->number(4))};
        state.hash_seed = static_cast<std::uint64_t>(row->number(5));
    }
    if (!*found || row->number(6) != checksum(state)) {
        return base::Error{base::ErrorCode::kIntegrity,
                           "the state row is damaged; restore a backup of the database"};
    }
    return state;
}

base::Result<void> write_state(Connection& connection, const StateRow& state) {
    auto row = connection.prepare(
        "UPDATE state SET epoch=?1, fold_mark=?2, next_board=?3, next_ranking=?4, crc=?5");
    if (!row) return row.error();
    row->bind_text(1, state.epoch);
    row->bind(2, static_cast<std::int64_t>(state.fold_mark.value));
    row->bind(3, state.next_board.value);
    row->bind(4, state.next_ranking.value);
    row->bind(5, checksum(state));
    return row->run();
}

}  // namespace standings::ledger::sqlite
