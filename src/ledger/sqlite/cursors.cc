#include "ledger/sqlite/cursors.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/hash.h"
#include "ledger/event_age.h"
#include "ledger/sqlite/row_codec.h"

namespace standings::ledger::sqlite {
namespace {

using base::Result;

// All rows of a table that are keyed by ranking and slot, in key order, without those of rankings
// that are being deleted.
template <class Row, bool (*read)(const Statement&, Row&)>
class TableCursor final : public Cursor<Row> {
  public:
    TableCursor(Connection connection, Statement statement, std::string_view table,
                LiveRankings live)
        : connection_(std::move(connection)),
          statement_(std::move(statement)),
          table_(table),
          live_(std::move(live)) {}

    Result<bool> next(Row& row) override {
        while (true) {
            auto found = statement_.step();
            if (!found || !*found) return found;
            const std::int64_t ranking = statement_.number(0);
            if (ranking != ranking_) {
                ranking_ = ranking;
                is_live_ = live_->contains(static_cast<std::uint32_t>(ranking));
                if (!is_live_) {
                    if (auto old = expect_old(ranking); !old) return old.error();
                }
            }
            if (!is_live_) continue;
            if (!read(statement_, row)) return damaged_entry(table_, row.key);
            if (before_ && row.key <= *before_) return out_of_order();
            before_ = row.key;
            return true;
        }
    }

  private:
    // Else the row of its board is lost.
    Result<void> expect_old(std::int64_t ranking) {
        const auto old = connection_.query_number(
            "SELECT count(*) FROM old_ranking WHERE ranking = " + std::to_string(ranking));
        if (!old) return old.error();
        if (*old > 0) return {};
        return base::Error{base::ErrorCode::kIntegrity,
                           "table " + std::string(table_) + " has rows of ranking " +
                               std::to_string(ranking) + ", which no board has; restore a backup"};
    }

    // The table's key is damaged, though its rows are whole.
    base::Error out_of_order() const {
        return {base::ErrorCode::kIntegrity,
                "the rows of table " + std::string(table_) + " are out of order; restore a backup"};
    }

    Connection connection_;
    Statement statement_;
    std::string_view table_;
    LiveRankings live_;
    std::int64_t ranking_ = -1;
    bool is_live_ = false;
    std::optional<EntryKey> before_;
};

template <class Row, bool (*read)(const Statement&, Row&)>
Result<std::unique_ptr<Cursor<Row>>> table_cursor(Connection connection, std::string_view columns,
                                                  std::string_view table, LiveRankings live) {
    auto statement = connection.prepare("SELECT " + std::string(columns) + " FROM " +
                                        std::string(table) + " ORDER BY ranking, slot");
    if (!statement) return statement.error();
    return std::unique_ptr<Cursor<Row>>(std::make_unique<TableCursor<Row, read>>(
        std::move(connection), *std::move(statement), table, std::move(live)));
}

base::Error missing_event(base::Sequence seq) {
    return {base::ErrorCode::kIntegrity,
            "event " + std::to_string(seq.value) + " is missing; restore a backup"};
}

// What the next event must follow.
struct Link {
    base::Sequence seq;
    std::uint64_t chain = 0;
};

class EventCursor final : public Cursor<Event> {
  public:
    EventCursor(Connection connection, Statement statement, std::optional<Link> before,
                base::Sequence last)
        : connection_(std::move(connection)),
          statement_(std::move(statement)),
          before_(before),
          last_(last) {}

    Result<bool> next(Event& event) override {
        auto found = statement_.step();
        if (!found) return found;
        if (!*found) {
            const base::Sequence seen = before_ ? before_->seq : base::Sequence{};
            if (seen < last_) return missing_event({seen.value + 1});
            return false;
        }
        if (!read_event(statement_, row_)) {
            return damaged("event", std::to_string(statement_.number(0)));
        }
        if (before_) {
            const base::Sequence expected{before_->seq.value + 1};
            if (row_.event.seq != expected) return missing_event(expected);
            if (row_.chain != base::chain_after(before_->chain, row_.crc)) {
                return base::Error{base::ErrorCode::kIntegrity,
                                   "event " + std::to_string(expected.value) +
                                       " does not follow the one before it (its chain value does "
                                       "not fit); restore a backup"};
            }
        }
        event = row_.event;
        before_ = {event.seq, row_.chain};
        return true;
    }

  private:
    Connection connection_;
    Statement statement_;
    EventRow row_;
    std::optional<Link> before_;
    base::Sequence last_;
};

class KeyedCursor final : public Cursor<Event> {
  public:
    explicit KeyedCursor(std::vector<KeyedEvent> events) : events_(std::move(events)) {}

    Result<bool> next(Event& event) override {
        if (at_ == events_.size()) return false;
        const KeyedEvent& keyed = events_[at_++];
        event = {};
        event.seq = keyed.seq;
        event.key = keyed.key;
        event.at = keyed.at;
        return true;
    }

  private:
    std::vector<KeyedEvent> events_;
    std::size_t at_ = 0;
};

// Events without a key bear witness of the time that passed between two that have one.
class Witnesses {
  public:
    static Result<Witnesses> prepare(Connection& connection) {
        auto statement = connection.prepare("SELECT at FROM event WHERE seq = ?1");
        if (!statement) return statement.error();
        return Witnesses(*std::move(statement));
    }

    // A few between the two seqs, from the newer to the older.
    Result<void> ask(base::Sequence older, base::Sequence newer, EventAge& age) {
        const std::uint64_t between = newer.value - older.value;
        for (std::uint64_t i = 1; i < kMost; ++i) {
            const ResetLater reset(statement_);
            statement_.bind(1, static_cast<std::int64_t>(newer.value - between * i / kMost));
            const auto found = statement_.step();
            if (!found) return found.error();
            if (*found) age.back_to({statement_.number(0)});
        }
        return {};
    }

  private:
    explicit Witnesses(Statement statement) : statement_(std::move(statement)) {}

    // More than EventAge has steps in a window, so that steady traffic counts as the time it took.
    static constexpr std::uint64_t kMost = 32;

    Statement statement_;
};

}  // namespace

Result<std::unique_ptr<Cursor<PlayerRecord>>> player_cursor(Connection connection,
                                                            LiveRankings live) {
    return table_cursor<PlayerRecord, read_player>(std::move(connection), kPlayerColumns, "player",
                                                   std::move(live));
}

Result<std::unique_ptr<Cursor<EntryRecord>>> entry_cursor(Connection connection,
                                                          LiveRankings live) {
    return table_cursor<EntryRecord, read_entry>(std::move(connection), kEntryColumns, "entry",
                                                 std::move(live));
}

Result<std::unique_ptr<Cursor<Event>>> event_cursor(Connection connection, base::Sequence after,
                                                    base::Sequence fold_mark, base::Sequence last) {
    const std::string select = "SELECT " + std::string(kEventColumns) + " FROM event WHERE seq ";
    std::optional<Link> before;
    if (after.value == 0 && fold_mark.value == 0) before = Link{};
    if (after.value > 0) {
        auto one = connection.prepare(select + "= ?1");
        if (!one) return one.error();
        one->bind(1, static_cast<std::int64_t>(after.value));
        const auto found = one->step();
        if (!found) return found.error();
        if (*found) {
            EventRow row;
            if (!read_event(*one, row)) return damaged("event", std::to_string(after.value));
            before = Link{after, row.chain};
        } else if (after >= fold_mark && after <= last) {
            return missing_event(after);
        }
    }
    auto statement = connection.prepare(select + "> ?1 ORDER BY seq");
    if (!statement) return statement.error();
    statement->bind(1, static_cast<std::int64_t>(after.value));
    return std::unique_ptr<Cursor<Event>>(
        std::make_unique<EventCursor>(std::move(connection), *std::move(statement), before, last));
}

std::optional<base::Sequence> keyed_before(const Statement& row, int column) {
    if (row.is_null(column)) return std::nullopt;
    return base::Sequence{static_cast<std::uint64_t>(row.number(column))};
}

Result<std::vector<KeyedEvent>> read_keyed_events(Connection& connection,
                                                  std::chrono::milliseconds window,
                                                  std::uint64_t most) {
    // So many events without a key are read past before a look-up of the next one with a key is
    // cheaper.
    constexpr int kShortRun = 16;
    auto witnesses = Witnesses::prepare(connection);
    if (!witnesses) return witnesses.error();
    auto statement = connection.prepare(
        "SELECT seq, at, key, keyed_before FROM event WHERE seq <= ?1 ORDER BY seq DESC");
    if (!statement) return statement.error();
    statement->bind(1, INT64_MAX);
    std::vector<KeyedEvent> events;
    EventAge age(window);
    std::optional<KeyedEvent>
        newer;  // the newest event, with or without a key, or the last one taken
    int without_key = 0;
    while (events.size() < most) {
        const auto found = statement->step();
        if (!found) return found.error();
        if (!*found) break;
        const base::Instant at{statement->number(1)};
        const base::Sequence seq{static_cast<std::uint64_t>(statement->number(0))};
        if (!newer) {
            newer = {seq, {}, at};
            age.back_to(at);
        }
        if (statement->is_null(2)) {
            const auto next = keyed_before(*statement, 3);
            if (++without_key < kShortRun || !next) continue;
            if (*next >= seq) return damaged("event", std::to_string(seq.value));
            without_key = 0;
            statement->reset();
            statement->bind(1, static_cast<std::int64_t>(next->value));
            continue;
        }
        without_key = 0;
        if (age.is_longest(at, newer->at)) {
            if (auto asked = witnesses->ask(seq, newer->seq, age); !asked) return asked.error();
        }
        if (age.back_to(at) > window) break;
        const base::Hash128 key = key_from(statement->blob(2));
        newer = {seq, key, at};
        // Version 1 said the key of an array with each of its events: the first one counts.
        const bool same_array = !events.empty() && events.back().key == key &&
                                events.back().seq.value == seq.value + 1 && events.back().at == at;
        if (same_array) {
            events.back().seq = seq;
        } else {
            events.push_back({seq, key, at});
        }
    }
    std::reverse(events.begin(), events.end());
    return events;
}

std::unique_ptr<Cursor<Event>> keyed_cursor(std::vector<KeyedEvent> events) {
    return std::make_unique<KeyedCursor>(std::move(events));
}

}  // namespace standings::ledger::sqlite
