#include "ranking/board.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "ranking/player_table.h"
#include "ranking/rank_key.h"
#include "ranking/ranking.h"

namespace standings::ranking {

static_assert(kMaxPlayers == RankKey<1>::kSlotMask + 1);

struct Board::State {
    State(Rules board_rules, const BoardTuning& tuning)
        : rules(std::move(board_rules)), players(tuning.hash_seed, tuning.split_players_at) {}

    Ranking& at(std::size_t ranking) {
        CHECK(ranking < rankings.size());
        return *rankings[ranking];
    }

    Rules rules;
    PlayerTable players;
    std::vector<std::unique_ptr<Ranking>> rankings;
};

Board::Board(Rules rules, std::size_t rankings, BoardTuning tuning)
    : state_(std::make_unique<State>(std::move(rules), tuning)) {
    CHECK(rankings >= 1);
    state_->rankings.reserve(rankings);
    for (std::size_t i = 0; i < rankings; ++i) {
        state_->rankings.push_back(make_ranking(state_->rules, tuning.nodes));
    }
}

Board::~Board() = default;
Board::Board(Board&&) noexcept = default;
Board& Board::operator=(Board&&) noexcept = default;

const Rules& Board::rules() const {
    return state_->rules;
}
std::size_t Board::ranking_count() const {
    return state_->rankings.size();
}

std::optional<base::PlayerSlot> Board::find_mismatch() const {
    const Ranking& first = *state_->rankings[0];
    const std::uint32_t limit = std::max(slot_limit(), first.slot_limit());
    for (std::uint32_t slot = 0; slot < limit; ++slot) {
        const bool has_event = first.last_seq({slot}).value != 0;
        if (has_player({slot}) != has_event) return base::PlayerSlot{slot};
    }
    return std::nullopt;
}

void Board::set_rules(const Rules& rules) {
    CHECK(rules.columns == state_->rules.columns);
    state_->rules = rules;
    for (const auto& ranking : state_->rankings) ranking->set_rules(rules);
}

std::optional<base::PlayerSlot> Board::find(std::string_view player) const {
    const Ranking& first = *state_->rankings[0];
    return state_->players.find(player, [&](base::PlayerSlot slot) { first.prefetch(slot); });
}

void Board::warm(std::string_view player, int step) const {
    const PlayerTable& players = state_->players;
    if (step == 0) return players.prefetch(player);
    const Ranking& first = *state_->rankings[0];
    players.for_candidates(player, [&](base::PlayerSlot slot) {
        if (step == 1) {
            players.prefetch_slot(slot);
            first.prefetch(slot);
        } else {
            players.prefetch_id(slot);
            first.prefetch_place(slot);
        }
    });
}

bool Board::has_player(base::PlayerSlot slot) const {
    return state_->players.in_use(slot);
}
std::string_view Board::player_id(base::PlayerSlot slot) const {
    return state_->players.id(slot);
}
std::size_t Board::player_count() const {
    return state_->players.size();
}
std::uint32_t Board::slot_limit() const {
    return state_->players.slot_limit();
}

base::PlayerSlot Board::upcoming_slot(std::size_t n) const {
    return state_->players.upcoming_slot(n);
}

base::PlayerSlot Board::add_player(std::string_view player) {
    const base::PlayerSlot slot = state_->players.add(player);
    CHECK(slot.value < kMaxPlayers);
    return slot;
}

void Board::drop_player(base::PlayerSlot slot) {
    for (const auto& ranking : state_->rankings) ranking->forget(slot);
    state_->players.drop(slot);
}

std::optional<Entry> Board::entry(base::PlayerSlot slot, std::size_t ranking) const {
    return state_->at(ranking).entry(slot);
}

base::Sequence Board::last_seq(base::PlayerSlot slot, std::size_t ranking) const {
    return state_->at(ranking).last_seq(slot);
}

void Board::put(base::PlayerSlot slot, const Entry& entry, std::size_t ranking) {
    CHECK(state_->players.in_use(slot));
    state_->at(ranking).put(slot, entry);
}

void Board::remove(base::PlayerSlot slot, base::Sequence seq, std::size_t ranking) {
    CHECK(state_->players.in_use(slot));
    state_->at(ranking).remove(slot, seq);
}

std::size_t Board::size(std::size_t ranking) const {
    return state_->at(ranking).size();
}

std::optional<Place> Board::place_of(base::PlayerSlot slot, std::size_t ranking) const {
    return state_->at(ranking).place_of(slot);
}

void Board::page(std::size_t offset, std::size_t limit, std::vector<Row>& out,
                 std::size_t ranking) const {
    const std::size_t before = out.size();
    state_->at(ranking).page(offset, limit, out);
    // Who reads a page asks for the ids next.
    for (std::size_t i = before; i < out.size(); ++i) state_->players.prefetch_id(out[i].slot);
}

std::optional<Row> Board::row(base::PlayerSlot slot, std::size_t ranking) const {
    return state_->at(ranking).row(slot);
}

std::size_t Board::count_ahead(const Seek& seek, std::size_t ranking) const {
    return state_->at(ranking).count_ahead(seek);
}

base::Rank Board::rank_of_scores(const Scores& scores, std::size_t ranking) const {
    // It would come behind its equals: with kShared it shares their rank.
    const bool shared = state_->rules.ties == Ties::kShared;
    const base::Sequence seq{shared ? 0 : base::kMaxSequence};
    return {static_cast<std::uint32_t>(count_ahead({scores, seq}, ranking) + 1)};
}

std::optional<base::PlayerSlot> Board::load_players(
    std::function<bool(base::PlayerSlot& slot, std::string_view& id)> next) {
    const auto twice = state_->players.load(next);
    CHECK(slot_limit() <= kMaxPlayers);
    return twice;
}

void Board::load_entries(const std::function<bool(SlotEntry&)>& next, std::size_t ranking) {
    state_->at(ranking).load(next);
}

void Board::load_entries(std::vector<SlotEntry> entries, std::size_t ranking) {
    std::size_t i = 0;
    load_entries(
        [&](SlotEntry& item) {
            if (i == entries.size()) return false;
            item = entries[i++];
            return true;
        },
        ranking);
}

void Board::load_removed(base::PlayerSlot slot, base::Sequence last_seq, std::size_t ranking) {
    state_->at(ranking).load_removed(slot, last_seq);
}

void Board::check() const {
    state_->players.check();
    for (const auto& ranking : state_->rankings) {
        ranking->check([&](base::PlayerSlot slot) { return state_->players.in_use(slot); });
    }
}

std::size_t Board::memory_bytes() const {
    std::size_t bytes =
        sizeof(Board) + sizeof(State) + state_->rankings.capacity() * sizeof(state_->rankings[0]) +
        state_->players.memory_bytes() + state_->rules.columns.capacity() * sizeof(Column);
    for (const auto& ranking : state_->rankings) bytes += ranking->memory_bytes();
    return bytes;
}

}  // namespace standings::ranking
