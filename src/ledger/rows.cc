#include "ledger/rows.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <span>
#include <string_view>

#include "base/check.h"
#include "base/hash.h"
#include "ledger/take_back.h"
#include "ranking/board.h"

namespace standings::ledger {
namespace {

// Fixed-width little-endian numbers one after another, then the checksum over all of them. A text
// is its length and its bytes; an absent one has the length 2^32 - 1.
class Summer {
  public:
    template <class Number>
    void number(Number value) {
        CHECK(used_ + sizeof value <= bytes_.size());
        std::memcpy(bytes_.data() + used_, &value, sizeof value);
        used_ += sizeof value;
    }
    void scores(const ranking::Scores& scores) {
        for (const std::int64_t units : scores.units) number(units);
    }
    void text(std::string_view text) {
        number(static_cast<std::uint32_t>(text.size()));
        flush();
        crc_ = base::crc32c(text, crc_);
    }
    void text(const std::optional<std::string>& value) {
        if (value) return text(std::string_view(*value));
        number(std::uint32_t{UINT32_MAX});
    }
    std::uint32_t sum() {
        flush();
        return crc_;
    }

  private:
    void flush() {
        crc_ = base::crc32c(std::span(bytes_).first(used_), crc_);
        used_ = 0;
    }

    std::array<std::byte, 256> bytes_;
    std::size_t used_ = 0;
    std::uint32_t crc_ = 0;
};

void clear_beyond(ranking::Scores& scores, std::size_t columns) {
    for (std::size_t i = columns; i < scores.units.size(); ++i) scores.units[i] = 0;
}

bool is_sequence(base::Sequence seq) {
    return seq.value > 0 && seq.value <= base::kMaxSequence;
}

bool is_slot(base::PlayerSlot slot) {
    return slot.value < ranking::kMaxPlayers;
}

bool is_column_count(std::size_t columns) {
    return columns >= 1 && columns <= ranking::kMaxColumns;
}

bool are_scores(const ranking::Scores& scores) {
    return std::all_of(scores.units.begin(), scores.units.end(), [](std::int64_t units) {
        return units >= -ranking::kMaxUnits && units <= ranking::kMaxUnits;
    });
}

bool is_kind(EventKind kind) {
    return (kind >= EventKind::kSubmit && kind <= EventKind::kTakenBack) ||
           (kind >= EventKind::kBoardCreated && kind <= EventKind::kBoardDeleted);
}

bool is_possible(const ranking::Entry& entry) {
    return is_sequence(entry.reached_seq) && is_sequence(entry.last_seq) &&
           entry.reached_seq <= entry.last_seq && are_scores(entry.scores);
}

// What was taken back, and what is left.
bool is_possible(const TakeBack& take_back, base::Sequence at) {
    return is_sequence(take_back.seq) && take_back.seq < at &&
           (!take_back.entry || is_possible(*take_back.entry));
}

}  // namespace

std::size_t input_count(const Event& event) {
    if (event.kind == EventKind::kTakenBack) return ranking::kMaxColumns;
    return is_entry_event(event.kind) && event.kind != EventKind::kRemove ? event.columns : 0;
}

std::size_t result_count(const Event& event) {
    return is_entry_event(event.kind) && !removes_entry(event) ? event.columns : 0;
}

Event canonical(Event event) {
    if (!is_entry_event(event.kind)) {
        event.slot = base::kNoSlot;
        event.columns = 1;
        event.had_entry = false;
    }
    if (!event.had_entry) event.previous = {};
    clear_beyond(event.input, input_count(event));
    clear_beyond(event.previous, event.columns);
    clear_beyond(event.result, result_count(event));
    if (!event.key) event.fingerprint = 0;
    return event;
}

EntryRecord canonical(EntryRecord record) {
    if (record.removed) {
        record.columns = 1;
        record.entry = {
            .scores = {}, .reached_seq = {}, .last_seq = record.entry.last_seq, .reached_at = {}};
    }
    clear_beyond(record.entry.scores, record.columns);
    return record;
}

bool is_possible(const Event& event) {
    if (!is_sequence(event.seq) || !is_kind(event.kind) ||
        event.outcome > ranking::Outcome::kRemoved) {
        return false;
    }
    if (!is_entry_event(event.kind)) return true;
    const bool has_place =
        is_slot(event.slot) && is_column_count(event.columns) && event.prev_seq < event.seq;
    if (!has_place || !are_scores(event.previous) || !are_scores(event.result)) return false;
    if (event.kind != EventKind::kTakenBack) return are_scores(event.input);
    return is_possible(take_back_of(event), event.seq);
}

bool is_possible(const EntryRecord& record) {
    if (!is_slot(record.key.slot) || !is_column_count(record.columns)) return false;
    return record.removed ? is_sequence(record.entry.last_seq) : is_possible(record.entry);
}

bool is_possible(const PlayerRecord& record) {
    return is_slot(record.key.slot) && !record.player.empty() &&
           record.player.size() <= ranking::kMaxPlayerId;
}

bool is_possible(const BoardRecord& record) {
    const auto& columns = record.config.rules.columns;
    return is_column_count(columns.size()) && !record.slug.empty() &&
           record.seq.value <= base::kMaxSequence &&
           std::all_of(columns.begin(), columns.end(), [](const ranking::Column& column) {
               return column.decimals <= ranking::kMaxDecimals;
           });
}

std::uint32_t checksum(const Event& event) {
    Summer out;
    out.number(event.seq.value);
    out.number(event.board.value);
    out.number(event.ranking.value);
    out.number(event.slot.value);
    out.number(static_cast<std::uint8_t>(event.kind));
    out.number(static_cast<std::uint8_t>(event.outcome));
    out.number(event.columns);
    out.number(static_cast<std::uint8_t>(event.had_entry));
    out.number(event.rules_version);
    out.scores(event.input);
    out.scores(event.previous);
    out.scores(event.result);
    out.number(event.prev_seq.value);
    out.number(event.at.ms);
    out.number(event.occurred_at.ms);
    out.number(event.key.high);
    out.number(event.key.low);
    out.number(event.fingerprint);
    return out.sum();
}

std::uint32_t checksum(const EntryRecord& record) {
    Summer out;
    out.number(record.key.ranking.value);
    out.number(record.key.slot.value);
    out.number(static_cast<std::uint8_t>(record.removed));
    out.number(record.columns);
    out.number(static_cast<std::uint8_t>(record.entry.has_details));
    out.number(std::uint8_t{0});
    out.scores(record.entry.scores);
    out.number(record.entry.reached_seq.value);
    out.number(record.entry.last_seq.value);
    out.number(record.entry.reached_at.ms);
    out.number(record.entry.occurred_at.ms);
    out.number(record.entry.submissions);
    return out.sum();
}

std::uint32_t checksum(const PlayerRecord& record) {
    Summer out;
    out.number(record.key.ranking.value);
    out.number(record.key.slot.value);
    out.text(std::string_view(record.player));
    out.text(record.details.name);
    out.text(record.details.meta);
    return out.sum();
}

std::uint32_t checksum(const BoardRecord& record) {
    const BoardConfig& config = record.config;
    Summer out;
    out.number(record.id.value);
    out.number(record.ranking.value);
    out.number(record.revision);
    out.number(static_cast<std::uint8_t>(record.closed));
    out.number(record.created_at.ms);
    out.number(record.updated_at.ms);
    out.number(record.seq.value);
    out.number(record.rule_since.value);
    out.number(static_cast<std::uint8_t>(config.rules.rule));
    out.number(static_cast<std::uint8_t>(config.rules.ties));
    out.number(static_cast<std::uint8_t>(config.visibility));
    out.number(static_cast<std::uint8_t>(config.public_meta));
    out.text(std::string_view(record.slug));
    out.text(std::string_view(config.title));
    out.number(static_cast<std::uint8_t>(config.rules.columns.size()));
    for (std::size_t i = 0; i < config.rules.columns.size(); ++i) {
        const ranking::Column& column = config.rules.columns[i];
        out.text(std::string_view(column.name));
        out.number(static_cast<std::uint8_t>(column.order));
        out.number(column.decimals);
        for (const auto& bound : {config.limits[i].min, config.limits[i].max}) {
            out.number(static_cast<std::uint8_t>(bound.has_value()));
            out.number(bound.value_or(0));
        }
    }
    return out.sum();
}

std::uint32_t checksum(const StreamRecord& record) {
    Summer out;
    out.number(record.key.high);
    out.number(record.key.low);
    out.number(record.lines);
    out.number(record.running_hash);
    out.number(record.accepted);
    out.number(record.rejected);
    out.number(record.seq.value);
    out.number(record.at.ms);
    out.number(static_cast<std::uint8_t>(record.complete));
    return out.sum();
}

}  // namespace standings::ledger
