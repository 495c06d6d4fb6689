#include "engine/standings_export.h"

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstring>
#include <utility>

#include "engine/fold.h"

namespace standings::engine {
namespace {

using base::Error;
using base::ErrorCode;
using base::PlayerSlot;
using base::Result;

// Rows between two looks at whether anybody still wants them, and whether the disk has room.
constexpr std::size_t kLookEvery = 4096;
// Of the spool, with a name; meta may make it more, which is found out on the way.
constexpr std::uint64_t kExpectedRowBytes = 200;
// Most rows are not longer, and come with one read.
constexpr std::size_t kUsualRowBytes = 256;

// What a row of the spool begins with; the texts follow. It never leaves this process.
struct RowHead {
    ranking::Scores scores;
    std::int64_t reached_at;
    std::uint32_t submissions;
    std::uint32_t meta_bytes;
    std::uint16_t name_bytes;
    std::uint8_t player_bytes;
    bool has_name;
    bool has_meta;
    bool has_details;
};

std::string_view bytes_of(const RowHead& head) {
    return {reinterpret_cast<const char*>(&head), sizeof head};
}

void set_entry(RowHead& head, const ranking::Entry& entry) {
    head.scores = entry.scores;
    head.reached_at = entry.reached_at.ms;
    head.submissions = entry.submissions;
}

// A cursor with its present row.
template <class Row>
class Reading {
  public:
    explicit Reading(std::unique_ptr<ledger::Cursor<Row>> cursor) : cursor_(std::move(cursor)) {}

    Result<bool> advance() {
        auto more = cursor_->next(row_);
        has_row_ = more && *more;
        return more;
    }
    bool has_row() const { return has_row_; }
    const Row& row() const { return row_; }

  private:
    std::unique_ptr<ledger::Cursor<Row>> cursor_;
    Row row_;
    bool has_row_ = false;
};

}  // namespace

StandingsExport::StandingsExport(ledger::BoardRecord record, Spool spool)
    : record_(std::move(record)),
      spool_(std::move(spool)),
      order_(ranking::make_row_order(record_.config.rules)) {}

// Reads the snapshot: entries as they are written back, and the events past the fold mark over
// those that have any.
class StandingsExport::Builder {
  public:
    Builder(ledger::LedgerReader& reader, base::Sequence fold_mark, const ExportOptions& options,
            StandingsExport& out)
        : reader_(reader), fold_mark_(fold_mark), options_(options), out_(out) {}

    // Whether the disk has room for `bytes` more.
    Result<void> check_room(std::uint64_t bytes) const {
        const auto free = options_.free_bytes ? Result<std::uint64_t>(options_.free_bytes())
                                              : out_.spool_.free_bytes();
        if (!free) return free.error();
        const std::uint64_t needed = bytes + kSpareDiskBytes;
        if (*free >= needed) return {};
        return Error{ErrorCode::kNoSpace, "The disk has " + std::to_string(*free >> 20) +
                                              " MB free; this export needs " +
                                              std::to_string(needed >> 20) +
                                              ". Make room on it, then try again."};
    }

    Result<void> read_snapshot() {
        if (auto done = note_changed(); !done) return done;
        if (auto done = read_rows(); !done) return done;
        return fold_events();
    }

    // Needs the snapshot no more.
    Result<void> finish() {
        if (auto done = out_.spool_.flush(); !done) return done;
        for (auto& [slot, changed] : changed_) {
            if (!changed.state.entry) continue;
            set_entry(changed.head, *changed.state.entry);
            const std::uint64_t offset = out_.offsets_[slot];
            if (auto done = out_.spool_.overwrite(offset, bytes_of(changed.head)); !done) {
                return done;
            }
            order({slot}, *changed.state.entry);
        }
        changed_.clear();
        out_.order_->sort();
        return {};
    }

  private:
    struct Changed {
        FoldState state;
        RowHead head;
    };

    // Calls `take(event)` for each event of the present life past the fold mark.
    template <class Take>
    Result<void> for_each_event(Take&& take) {
        auto cursor = reader_.events(record().ranking, fold_mark_);
        if (!cursor) return cursor.error();
        Reading<ledger::Event> events(*std::move(cursor));
        while (true) {
            const auto more = events.advance();
            if (!more) return more.error();
            if (!*more) return {};
            if (auto wanted = still_wanted(); !wanted) return wanted;
            if (auto taken = take(events.row()); !taken) return taken;
        }
    }

    Result<void> note_changed() {
        return for_each_event([this](const ledger::Event& event) -> Result<void> {
            note_seq(event.seq);
            if (is_entry_event(event.kind)) changed_.try_emplace(event.slot.value);
            return {};
        });
    }

    Result<void> read_rows() {
        auto player_rows = reader_.players(record().ranking);
        if (!player_rows) return player_rows.error();
        auto entry_rows = reader_.entries(record().ranking);
        if (!entry_rows) return entry_rows.error();
        Reading<ledger::PlayerRecord> players(*std::move(player_rows));
        Reading<ledger::EntryRecord> entries(*std::move(entry_rows));
        if (auto first = entries.advance(); !first) return first.error();
        while (true) {
            const auto more = players.advance();
            if (!more) return more.error();
            if (!*more) break;
            if (auto wanted = still_wanted(); !wanted) return wanted;
            const ledger::PlayerRecord& player = players.row();
            FoldState state;
            if (entries.has_row() && entries.row().key.slot == player.key.slot) {
                state = fold_state(record(), entries.row());
                note_seq(state.last_seq);
                if (auto next = entries.advance(); !next) return next.error();
            } else if (entries.has_row() && entries.row().key.slot < player.key.slot) {
                return without_player(entries.row().key.slot);
            }
            if (auto spooled = spool(player, state); !spooled) return spooled;
        }
        if (entries.has_row()) return without_player(entries.row().key.slot);
        return {};
    }

    Result<void> spool(const ledger::PlayerRecord& player, const FoldState& state) {
        const PlayerSlot slot = player.key.slot;
        const auto changed = changed_.find(slot.value);
        if (changed == changed_.end() && !state.entry) return {};

        RowHead head{};
        const std::string_view name =
            player.details.name ? std::string_view(*player.details.name) : std::string_view();
        const bool with_meta = options_.with_meta && player.details.meta;
        const std::string_view meta = with_meta ? *player.details.meta : std::string_view();
        head.player_bytes = static_cast<std::uint8_t>(player.player.size());
        head.name_bytes = static_cast<std::uint16_t>(name.size());
        head.meta_bytes = static_cast<std::uint32_t>(meta.size());
        head.has_name = player.details.name.has_value();
        head.has_meta = with_meta;
        head.has_details = player.details.name || player.details.meta;
        if (state.entry) set_entry(head, *state.entry);

        if (out_.offsets_.size() <= slot.value) out_.offsets_.resize(slot.value + 1);
        out_.offsets_[slot.value] = out_.spool_.size();
        for (const std::string_view part :
             {bytes_of(head), std::string_view(player.player), name, meta}) {
            if (auto done = out_.spool_.append(part); !done) return done;
        }
        if (changed != changed_.end()) {
            changed->second = {state, head};
            seen_.push_back(slot.value);
        } else {
            order(slot, *state.entry);
        }
        return {};
    }

    Result<void> fold_events() {
        // Rows come in order of slot, so this is sorted.
        if (seen_.size() != changed_.size()) {
            for (const auto& [slot, changed] : changed_) {
                if (std::binary_search(seen_.begin(), seen_.end(), slot)) continue;
                return Error{ErrorCode::kIntegrity, "a player of an event has no row (slot " +
                                                        std::to_string(slot) +
                                                        "). Restore a backup."};
            }
        }
        return for_each_event([this](const ledger::Event& event) -> Result<void> {
            if (!is_entry_event(event.kind)) return {};
            const auto folded =
                fold(record(), event, changed_.find(event.slot.value)->second.state);
            if (!folded) return folded.error();
            return {};
        });
    }

    void order(PlayerSlot slot, const ranking::Entry& entry) {
        out_.order_->add(slot, entry.scores, entry.reached_seq);
    }
    void note_seq(base::Sequence seq) { out_.record_.seq = std::max(out_.record_.seq, seq); }
    const ledger::BoardRecord& record() const { return out_.record_; }

    Result<void> still_wanted() {
        if (++looked_at_ % kLookEvery != 0) return {};
        if (options_.given_up && options_.given_up()) {
            return Error{ErrorCode::kOverloaded, "The export was given up before it was ready."};
        }
        return check_room(0);
    }
    static Error without_player(PlayerSlot slot) {
        return {ErrorCode::kIntegrity, "an entry has no player (slot " +
                                           std::to_string(slot.value) + "). Restore a backup."};
    }

    ledger::LedgerReader& reader_;
    const base::Sequence fold_mark_;
    const ExportOptions& options_;
    StandingsExport& out_;
    boost::unordered_flat_map<std::uint32_t, Changed> changed_;  // by slot
    std::vector<std::uint32_t> seen_;                            // of those, in order
    std::size_t looked_at_ = 0;
};

Result<std::unique_ptr<StandingsExport>> StandingsExport::build(ledger::LedgerReader& reader,
                                                                base::BoardId board,
                                                                const ExportOptions& options) {
    auto spool = Spool::open(options.folder);
    if (!spool) return spool.error();
    auto state = reader.begin_snapshot();
    if (!state) return state.error();
    auto snapshot = std::make_optional<ledger::SnapshotScope>(reader);
    auto record = reader.board(board);
    if (!record) return record.error();
    if (!*record) return Error{ErrorCode::kBoardNotFound, "The board was deleted."};

    std::unique_ptr<StandingsExport> out(
        new StandingsExport(**std::move(record), *std::move(spool)));
    out->order_->reserve(options.expected_rows);
    out->offsets_.reserve(options.expected_rows);
    Builder builder(reader, state->fold_mark, options, *out);
    const auto room = builder.check_room(options.expected_rows * kExpectedRowBytes);
    if (!room) return room.error();
    if (const auto read = builder.read_snapshot(); !read) return read.error();
    // From here on the writer's journal is free again.
    snapshot.reset();
    if (const auto finished = builder.finish(); !finished) return finished.error();
    return out;
}

Result<bool> StandingsExport::next(ExportedRow& row) {
    if (next_ == order_->size()) return false;
    const std::size_t at = next_++;
    const PlayerSlot slot = order_->slot(at);
    const std::uint64_t offset = offsets_[slot.value];
    if (auto done = spool_.read(offset, kUsualRowBytes, bytes_); !done) return done.error();
    RowHead head;
    if (bytes_.size() < sizeof head) return Error{ErrorCode::kIo, "A temporary file was cut."};
    std::memcpy(&head, bytes_.data(), sizeof head);
    const std::size_t whole = sizeof head + head.player_bytes + head.name_bytes + head.meta_bytes;
    if (whole > kUsualRowBytes) {
        if (auto done = spool_.read(offset, whole, bytes_); !done) return done.error();
    }
    if (bytes_.size() < whole) return Error{ErrorCode::kIo, "A temporary file was cut."};

    const base::Position position{static_cast<std::uint32_t>(at + 1)};
    const bool shares = record_.config.rules.ties == ranking::Ties::kShared && at > 0 &&
                        order_->ties_with_previous(at);
    if (!shares) rank_ = {position.value};
    row.row = {.slot = slot,
               .place = {.rank = rank_, .position = position},
               .scores = head.scores,
               .reached_seq = {},
               .reached_at = {head.reached_at},
               .has_details = head.has_details};
    row.submissions = head.submissions;
    std::string_view texts = std::string_view(bytes_).substr(sizeof head);
    const auto take = [&texts](std::size_t count) {
        const std::string_view text = texts.substr(0, count);
        texts.remove_prefix(count);
        return text;
    };
    row.player = take(head.player_bytes);
    const std::string_view name = take(head.name_bytes);
    const std::string_view meta = take(head.meta_bytes);
    row.name = head.has_name ? std::optional(name) : std::nullopt;
    row.meta = head.has_meta ? std::optional(meta) : std::nullopt;
    return true;
}

}  // namespace standings::engine
