#include "ledger/sqlite/row_codec.h"

#include <bit>
#include <cstring>
#include <limits>

#include "ledger/rows.h"

namespace standings::ledger::sqlite {
namespace {

using ranking::kMaxColumns;

constexpr std::array<std::string_view, 4> kRules = {"best", "last", "sum", "first"};
constexpr std::array<std::string_view, 2> kTies = {"shared", "earliest"};
constexpr std::array<std::string_view, 2> kVisibilities = {"public", "private"};
constexpr std::array<std::string_view, 2> kOrders = {"desc", "asc"};

std::int64_t stored(std::uint64_t value) {
    return static_cast<std::int64_t>(value);
}
std::int64_t stored_crc(std::uint32_t crc) {
    return static_cast<std::int32_t>(crc);
}

// Scores from `first` on; NULL where there is none.
void bind_scores(Statement& statement, int first, const ranking::Scores& scores,
                 std::size_t columns) {
    for (std::size_t i = 0; i < kMaxColumns; ++i) {
        const int at = first + static_cast<int>(i);
        if (i < columns) {
            statement.bind(at, scores.units[i]);
        } else {
            statement.bind_null(at);
        }
    }
}

void bind_optional(Statement& statement, int at, const std::optional<std::string>& text) {
    if (text) return statement.bind_text(at, *text);
    statement.bind_null(at);
}

void bind_instant(Statement& statement, int at, base::Instant instant) {
    if (instant == base::kNever) return statement.bind_null(at);
    statement.bind(at, instant.ms);
}

// Reads one row and remembers whether every number fitted where it belongs: a number that was cut
// to its field could pass a checksum that the row does not.
class RowReader {
  public:
    explicit RowReader(const Statement& statement) : statement_(statement) {}

    template <class Number>
    Number number(int at) {
        const std::int64_t value = statement_.number(at);
        if (!std::in_range<Number>(value)) ok_ = false;
        return static_cast<Number>(value);
    }
    std::uint64_t bits(int at) { return static_cast<std::uint64_t>(statement_.number(at)); }
    bool flag(int at) {
        const std::int64_t value = statement_.number(at);
        if (value != 0 && value != 1) ok_ = false;
        return value == 1;
    }
    base::Sequence sequence(int at) { return {number<std::uint64_t>(at)}; }
    base::Instant instant(int at) { return {statement_.number(at)}; }
    base::Instant optional_instant(int at) {
        return statement_.is_null(at) ? base::kNever : instant(at);
    }
    void scores(int first, std::size_t columns, ranking::Scores& scores) {
        for (std::size_t i = 0; i < kMaxColumns; ++i) {
            const int at = first + static_cast<int>(i);
            scores.units[i] = i < columns ? statement_.number(at) : 0;
        }
    }
    template <class Enum>
    Enum word(int at, std::span<const std::string_view> words) {
        const std::string_view text = statement_.text(at);
        for (std::size_t i = 0; i < words.size(); ++i) {
            if (words[i] == text) return static_cast<Enum>(i);
        }
        ok_ = false;
        return Enum{};
    }
    void optional_text(int at, std::optional<std::string>& out) {
        if (statement_.is_null(at)) return out.reset();
        const std::string_view text = statement_.text(at);
        if (out) {
            out->assign(text);
        } else {
            out.emplace(text);
        }
    }
    std::uint32_t crc(int at) { return static_cast<std::uint32_t>(number<std::int32_t>(at)); }
    bool ok() const { return ok_; }

  private:
    const Statement& statement_;
    bool ok_ = true;
};

}  // namespace

KeyBytes key_bytes(base::Hash128 key) {
    KeyBytes bytes;
    const std::uint64_t high = __builtin_bswap64(key.high);
    const std::uint64_t low = __builtin_bswap64(key.low);
    std::memcpy(bytes.data(), &high, 8);
    std::memcpy(bytes.data() + 8, &low, 8);
    return bytes;
}

base::Hash128 key_from(std::span<const std::byte> bytes) {
    if (bytes.size() != 16) return {};
    base::Hash128 key;
    std::memcpy(&key.high, bytes.data(), 8);
    std::memcpy(&key.low, bytes.data() + 8, 8);
    return {__builtin_bswap64(key.high), __builtin_bswap64(key.low)};
}

void bind_event(Statement& statement, const Event& event, const KeyBytes& key, std::uint32_t crc,
                std::uint64_t chain, std::optional<base::Sequence> keyed_before) {
    statement.bind(1, stored(event.seq.value));
    statement.bind(2, event.at.ms);
    if (event.key) {
        statement.bind_blob(3, key);
    } else {
        statement.bind_null(3);
    }
    statement.bind(4, event.board.value);
    statement.bind(5, event.ranking.value);
    if (event.slot == base::kNoSlot) {
        statement.bind_null(6);
    } else {
        statement.bind(6, event.slot.value);
    }
    statement.bind(7, static_cast<std::int64_t>(event.kind));
    statement.bind(8, static_cast<std::int64_t>(event.outcome));
    statement.bind(9, event.rules_version);
    statement.bind(10, event.columns);
    statement.bind(11, event.had_entry ? 1 : 0);
    bind_scores(statement, 12, event.input, input_count(event));
    bind_scores(statement, 16, event.previous, event.had_entry ? event.columns : 0);
    bind_scores(statement, 20, event.result, result_count(event));
    statement.bind(24, stored(event.prev_seq.value));
    bind_instant(statement, 25, event.occurred_at);
    if (event.key) {
        statement.bind(26, stored(event.fingerprint));
    } else {
        statement.bind_null(26);
    }
    statement.bind(27, stored_crc(crc));
    statement.bind(28, stored(chain));
    if (event.key || !keyed_before) {
        statement.bind_null(29);
    } else {
        statement.bind(29, stored(keyed_before->value));
    }
}

bool read_event(const Statement& statement, EventRow& row) {
    RowReader in(statement);
    Event& event = row.event;
    event.seq = in.sequence(0);
    event.at = in.instant(1);
    event.key = statement.is_null(2) ? base::Hash128{} : key_from(statement.blob(2));
    event.board = {in.number<std::uint32_t>(3)};
    event.ranking = {in.number<std::uint32_t>(4)};
    event.slot =
        statement.is_null(5) ? base::kNoSlot : base::PlayerSlot{in.number<std::uint32_t>(5)};
    event.kind = static_cast<EventKind>(in.number<std::uint8_t>(6));
    event.outcome = static_cast<ranking::Outcome>(in.number<std::uint8_t>(7));
    event.rules_version = in.number<std::uint32_t>(8);
    event.columns = in.number<std::uint8_t>(9);
    event.had_entry = in.flag(10);
    if (event.columns > kMaxColumns) return false;
    in.scores(11, input_count(event), event.input);
    in.scores(15, event.columns, event.previous);
    in.scores(19, event.columns, event.result);
    event.prev_seq = in.sequence(23);
    event.occurred_at = in.optional_instant(24);
    event.fingerprint = in.bits(25);
    row.crc = in.crc(26);
    row.chain = in.bits(27);
    return in.ok() && row.crc == checksum(event) && is_possible(event);
}

void bind_entry(Statement& statement, const EntryRecord& record) {
    const ranking::Entry& entry = record.entry;
    statement.bind(1, record.key.ranking.value);
    statement.bind(2, record.key.slot.value);
    statement.bind(3, record.removed ? 1 : 0);
    bind_scores(statement, 4, entry.scores, record.removed ? 0 : record.columns);
    statement.bind(8, stored(entry.reached_seq.value));
    statement.bind(9, stored(entry.last_seq.value));
    statement.bind(10, entry.reached_at.ms);
    bind_instant(statement, 11, entry.occurred_at);
    statement.bind(12, entry.submissions);
    statement.bind(13, entry.has_details ? 1 : 0);
    statement.bind(14, stored_crc(checksum(record)));
}

bool read_entry(const Statement& statement, EntryRecord& record) {
    RowReader in(statement);
    record.key.ranking = {in.number<std::uint32_t>(0)};
    record.key.slot = {in.number<std::uint32_t>(1)};
    record.removed = in.flag(2);
    record.columns = 0;
    while (record.columns < kMaxColumns && !statement.is_null(3 + record.columns)) {
        ++record.columns;
    }
    in.scores(3, record.columns, record.entry.scores);
    if (record.removed) record.columns = 1;
    record.entry.reached_seq = in.sequence(7);
    record.entry.last_seq = in.sequence(8);
    record.entry.reached_at = in.instant(9);
    record.entry.occurred_at = in.optional_instant(10);
    record.entry.submissions = in.number<std::uint32_t>(11);
    record.entry.has_details = in.flag(12);
    return in.ok() && in.crc(13) == checksum(record) && is_possible(record);
}

void bind_player(Statement& statement, const PlayerRecord& record) {
    statement.bind(1, record.key.ranking.value);
    statement.bind(2, record.key.slot.value);
    statement.bind_text(3, record.player);
    bind_optional(statement, 4, record.details.name);
    bind_optional(statement, 5, record.details.meta);
    statement.bind(6, stored_crc(checksum(record)));
}

bool read_player(const Statement& statement, PlayerRecord& record) {
    RowReader in(statement);
    record.key.ranking = {in.number<std::uint32_t>(0)};
    record.key.slot = {in.number<std::uint32_t>(1)};
    record.player.assign(statement.text(2));
    in.optional_text(3, record.details.name);
    in.optional_text(4, record.details.meta);
    return in.crc(5) == checksum(record) && in.ok() && is_possible(record);
}

void bind_stream(Statement& statement, const StreamRecord& record, const KeyBytes& key) {
    statement.bind_blob(1, key);
    statement.bind(2, stored(record.lines));
    statement.bind(3, stored(record.running_hash));
    statement.bind(4, stored(record.accepted));
    statement.bind(5, stored(record.rejected));
    statement.bind(6, stored(record.seq.value));
    statement.bind(7, record.at.ms);
    statement.bind(8, record.complete ? 1 : 0);
    statement.bind(9, stored_crc(checksum(record)));
}

bool read_stream(const Statement& statement, StreamRecord& record) {
    RowReader in(statement);
    record.key = key_from(statement.blob(0));
    record.lines = in.bits(1);
    record.running_hash = in.bits(2);
    record.accepted = in.bits(3);
    record.rejected = in.bits(4);
    record.seq = in.sequence(5);
    record.at = in.instant(6);
    record.complete = in.flag(7);
    return in.crc(8) == checksum(record) && in.ok();
}

void bind_board(Statement& statement, const BoardRecord& record) {
    const BoardConfig& config = record.config;
    statement.bind(1, record.id.value);
    statement.bind_text(2, record.slug);
    statement.bind_text(3, config.title);
    statement.bind_text(4, kRules[static_cast<std::size_t>(config.rules.rule)]);
    statement.bind_text(5, kTies[static_cast<std::size_t>(config.rules.ties)]);
    statement.bind_text(6, kVisibilities[static_cast<std::size_t>(config.visibility)]);
    statement.bind(7, config.public_meta ? 1 : 0);
    statement.bind(8, record.closed ? 1 : 0);
    statement.bind(9, record.ranking.value);
    statement.bind(10, record.revision);
    statement.bind(11, record.created_at.ms);
    statement.bind(12, record.updated_at.ms);
    statement.bind(13, stored(record.seq.value));
    statement.bind(14, stored(record.rule_since.value));
    statement.bind(15, stored_crc(checksum(record)));
}

void bind_column(Statement& statement, const BoardRecord& record, std::size_t column) {
    const ranking::Column& is = record.config.rules.columns[column];
    const ScoreLimits& limits = record.config.limits[column];
    statement.bind(1, record.id.value);
    statement.bind(2, static_cast<std::int64_t>(column) + 1);
    statement.bind_text(3, is.name);
    statement.bind_text(4, kOrders[static_cast<std::size_t>(is.order)]);
    statement.bind(5, is.decimals);
    for (const auto& [at, bound] : {std::pair{6, limits.min}, std::pair{7, limits.max}}) {
        if (bound) {
            statement.bind(at, *bound);
        } else {
            statement.bind_null(at);
        }
    }
}

bool read_board(const Statement& statement, BoardRecord& record, std::uint32_t& crc) {
    RowReader in(statement);
    record.id = {in.number<std::uint32_t>(0)};
    record.slug = statement.text(1);
    record.config.title = statement.text(2);
    record.config.rules.rule = in.word<ranking::Rule>(3, kRules);
    record.config.rules.ties = in.word<ranking::Ties>(4, kTies);
    record.config.rules.columns.clear();
    record.config.visibility = in.word<Visibility>(5, kVisibilities);
    record.config.public_meta = in.flag(6);
    record.closed = in.flag(7);
    record.ranking = {in.number<std::uint32_t>(8)};
    record.revision = in.number<std::uint32_t>(9);
    record.created_at = in.instant(10);
    record.updated_at = in.instant(11);
    record.seq = in.sequence(12);
    record.rule_since = in.sequence(13);
    crc = in.crc(14);
    return in.ok();
}

bool read_column(const Statement& statement, BoardRecord& record) {
    RowReader in(statement);
    std::vector<ranking::Column>& columns = record.config.rules.columns;
    const std::size_t number = in.number<std::uint8_t>(1);
    if (number != columns.size() + 1 || number > kMaxColumns) return false;
    columns.push_back({.name = std::string(statement.text(2)),
                       .order = in.word<ranking::Order>(3, kOrders),
                       .decimals = in.number<std::uint8_t>(4)});
    ScoreLimits& limits = record.config.limits[number - 1];
    if (!statement.is_null(5)) limits.min = statement.number(5);
    if (!statement.is_null(6)) limits.max = statement.number(6);
    return in.ok();
}

base::Error damaged(std::string_view table, const std::string& key) {
    return {base::ErrorCode::kIntegrity, "the row " + key + " of table " + std::string(table) +
                                             " is damaged (its checksum or its content does not "
                                             "fit); restore a backup"};
}

base::Error damaged_entry(std::string_view table, EntryKey key) {
    return damaged(table, "(ranking " + std::to_string(key.ranking.value) + ", slot " +
                              std::to_string(key.slot.value) + ")");
}

}  // namespace standings::ledger::sqlite
