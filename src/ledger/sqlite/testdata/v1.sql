-- A database of schema version 1, as sqlite3's .dump writes it.
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
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
INSERT INTO state VALUES(1,'684e9a8e3849b4090010001b6563dc99','bwohou7zhd',4,3,3,-5357091026478884253,1709372130);
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
INSERT INTO board VALUES(1,'league','The league','sum','shared','public',0,0,1,1,1700000000000,1700000000000,1,1,1923964172);
INSERT INTO board VALUES(2,'empty','The empty','best','shared','public',0,0,2,1,1700000000049,1700000000049,8,8,-1624677013);
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
INSERT INTO board_column VALUES(1,1,'points','desc',0,-1000000000,NULL);
INSERT INTO board_column VALUES(1,2,'time','asc',3,NULL,NULL);
INSERT INTO board_column VALUES(2,1,'score','desc',0,-1000000000,NULL);
CREATE TABLE player (
    ranking INTEGER NOT NULL,
    slot    INTEGER NOT NULL,
    id      TEXT NOT NULL,
    name    TEXT,
    meta    TEXT,
    crc     INTEGER NOT NULL,
    PRIMARY KEY (ranking, slot)
) WITHOUT ROWID;
INSERT INTO player VALUES(1,0,'ada','Name of ada',NULL,180501659);
INSERT INTO player VALUES(1,1,'bob','Bob Ü.','{"car":"gt3"}',-1056787342);
INSERT INTO player VALUES(1,2,'eve','Name of eve',NULL,496394954);
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
INSERT INTO entry VALUES(1,0,0,3,61500,NULL,NULL,2,2,1700000000007,1699999999007,1,1,-2001781091);
INSERT INTO entry VALUES(1,1,0,3,-250,NULL,NULL,3,3,1700000000014,1699999999014,1,0,837511787);
INSERT INTO entry VALUES(1,2,0,1,5,NULL,NULL,4,4,1700000000021,1699999999021,1,1,-436553889);
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
    chain         INTEGER NOT NULL
);
INSERT INTO event VALUES(1,1700000000000,NULL,1,1,NULL,16,0,0,1,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,-851001381,1823388258709626773);
INSERT INTO event VALUES(2,1700000000007,X'00000000000000010000000000000002',1,1,0,1,0,1,2,0,3,61500,NULL,NULL,NULL,NULL,NULL,NULL,3,61500,NULL,NULL,0,1699999999007,2,-433999550,6276126552393822468);
INSERT INTO event VALUES(3,1700000000014,NULL,1,1,1,1,0,1,2,0,3,-250,NULL,NULL,NULL,NULL,NULL,NULL,3,-250,NULL,NULL,0,1699999999014,NULL,-988085507,-1411484898784708566);
INSERT INTO event VALUES(4,1700000000021,NULL,1,1,2,1,0,1,2,0,1,5,NULL,NULL,NULL,NULL,NULL,NULL,1,5,NULL,NULL,0,1699999999021,NULL,1321380304,7920355443251539858);
INSERT INTO event VALUES(5,1700000000028,NULL,1,1,1,4,0,1,2,1,3,-250,NULL,NULL,3,-250,NULL,NULL,3,-250,NULL,NULL,3,NULL,NULL,1850871201,7348642156853852601);
INSERT INTO event VALUES(6,1700000000035,NULL,1,1,2,3,5,1,2,1,NULL,NULL,NULL,NULL,1,5,NULL,NULL,NULL,NULL,NULL,NULL,4,1699999999035,NULL,-25073260,3149176916369099745);
INSERT INTO event VALUES(7,1700000000042,NULL,1,1,0,1,4,1,2,1,9007199254740991,1000,NULL,NULL,3,61500,NULL,NULL,9007199254740991,1000,NULL,NULL,2,NULL,NULL,-168465252,-46866791848922112);
INSERT INTO event VALUES(8,1700000000049,NULL,2,2,NULL,16,0,0,1,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,-1099288340,8460018205161606631);
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
INSERT INTO stream VALUES(X'ffffffffffffffff0000000000000007',12,-81985529216486896,11,1,7,1700000000000,1,1289167278);
CREATE TABLE old_ranking (ranking INTEGER PRIMARY KEY);
CREATE INDEX stream_at ON stream (at);
CREATE VIEW recent_entry AS
SELECT ranking, slot, max(seq) AS seq, at, kind = 3 AS removed, result_1, result_2, result_3, result_4
FROM event
WHERE seq > (SELECT fold_mark FROM state) AND kind IN (1, 2, 3)
  AND NOT (had_entry AND kind <> 3 AND result_1 IS previous_1 AND result_2 IS previous_2
           AND result_3 IS previous_3 AND result_4 IS previous_4)
GROUP BY ranking, slot;
CREATE VIEW standings AS
WITH recent AS MATERIALIZED (SELECT * FROM recent_entry),
shape AS NOT MATERIALIZED (
    SELECT board.slug AS slug, board.ties AS ties, board.ranking AS ranking,
        column_1.decimals AS decimals_1, column_2.decimals AS decimals_2, column_3.decimals AS decimals_3, column_4.decimals AS decimals_4,
        iif(column_1."order" = 'asc', 1, -1) AS sign_1, iif(column_2."order" = 'asc', 1, -1) AS sign_2, iif(column_3."order" = 'asc', 1, -1) AS sign_3, iif(column_4."order" = 'asc', 1, -1) AS sign_4
    FROM board
    LEFT JOIN board_column AS column_1 ON column_1.board = board.id AND column_1.number = 1
    LEFT JOIN board_column AS column_2 ON column_2.board = board.id AND column_2.number = 2
    LEFT JOIN board_column AS column_3 ON column_3.board = board.id AND column_3.number = 3
    LEFT JOIN board_column AS column_4 ON column_4.board = board.id AND column_4.number = 4
),
present AS (
    SELECT shape.slug AS slug, shape.ranking AS ranking, slot, score_1 * sign_1 AS key_1, score_2 * sign_2 AS key_2, score_3 * sign_3 AS key_3, score_4 * sign_4 AS key_4,
        reached_seq, reached_at
    FROM shape CROSS JOIN entry ON entry.ranking = shape.ranking
    WHERE NOT removed
      AND NOT EXISTS (SELECT 1 FROM recent
                      WHERE recent.ranking = entry.ranking AND recent.slot = entry.slot)
    UNION ALL
    SELECT shape.slug, shape.ranking, slot, result_1 * sign_1, result_2 * sign_2, result_3 * sign_3, result_4 * sign_4, seq, at
    FROM shape CROSS JOIN recent ON recent.ranking = shape.ranking
    WHERE NOT removed
),
ranked AS (
    SELECT *,
        rank() OVER (PARTITION BY slug ORDER BY key_1, key_2, key_3, key_4) AS shared,
        row_number() OVER (PARTITION BY slug ORDER BY key_1, key_2, key_3, key_4, reached_seq) AS position
    FROM present
)
SELECT shape.slug AS board,
    iif(ties = 'shared', shared, position) AS rank,
    position,
    (SELECT id FROM player WHERE player.ranking = ranked.ranking AND player.slot = ranked.slot)
        AS player,
    (SELECT name FROM player WHERE player.ranking = ranked.ranking AND player.slot = ranked.slot)
        AS name,
    iif(decimals_1 > 0,
         rtrim(rtrim(iif(key_1 * sign_1 < 0, '-', '')
                     || (abs(key_1) / ('1' || substr('000000', 1, decimals_1))) || '.'
                     || substr('000000' || (abs(key_1) % ('1' || substr('000000', 1, decimals_1))),
                               -decimals_1),
                     '0'), '.'),
         key_1 * sign_1) AS score_1, iif(decimals_2 > 0,
         rtrim(rtrim(iif(key_2 * sign_2 < 0, '-', '')
                     || (abs(key_2) / ('1' || substr('000000', 1, decimals_2))) || '.'
                     || substr('000000' || (abs(key_2) % ('1' || substr('000000', 1, decimals_2))),
                               -decimals_2),
                     '0'), '.'),
         key_2 * sign_2) AS score_2, iif(decimals_3 > 0,
         rtrim(rtrim(iif(key_3 * sign_3 < 0, '-', '')
                     || (abs(key_3) / ('1' || substr('000000', 1, decimals_3))) || '.'
                     || substr('000000' || (abs(key_3) % ('1' || substr('000000', 1, decimals_3))),
                               -decimals_3),
                     '0'), '.'),
         key_3 * sign_3) AS score_3, iif(decimals_4 > 0,
         rtrim(rtrim(iif(key_4 * sign_4 < 0, '-', '')
                     || (abs(key_4) / ('1' || substr('000000', 1, decimals_4))) || '.'
                     || substr('000000' || (abs(key_4) % ('1' || substr('000000', 1, decimals_4))),
                               -decimals_4),
                     '0'), '.'),
         key_4 * sign_4) AS score_4,
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
COMMIT;
PRAGMA application_id=1398033988;
PRAGMA user_version=1;
