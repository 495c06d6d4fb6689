#include "ledger/sqlite/reader.h"

#include <utility>

#include "ledger/sqlite/row_codec.h"

namespace standings::ledger::sqlite {
namespace {

using base::Result;

class SqliteReader final : public LedgerReader {
  public:
    SqliteReader(Connection connection, PointReads reads)
        : connection_(std::move(connection)), reads_(std::move(reads)) {}

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

  private:
    Connection connection_;
    PointReads reads_;
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
    return std::unique_ptr<LedgerReader>(
        std::make_unique<SqliteReader>(std::move(connection), *std::move(reads)));
}

}  // namespace standings::ledger::sqlite
