// A board beside an obvious, slow one: the same moves, then every question to both.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "base/ids.h"
#include "ranking/board.h"
#include "ranking/rules.h"

namespace standings::ranking {

// Where a run's decisions come from: a seed now, a fuzzer's bytes later. When they are used up, the
// run is over.
class Choices {
  public:
    static Choices from_seed(std::uint64_t seed, std::size_t count) {
        Choices choices;
        choices.random_.seed(seed);
        choices.left_ = count;
        return choices;
    }
    static Choices from_bytes(std::span<const std::uint8_t> bytes) {
        Choices choices;
        choices.bytes_ = bytes;
        return choices;
    }

    bool done() const { return bytes_.empty() && left_ == 0; }

    // One of 0 .. bound - 1; 0 when nothing is left.
    std::size_t pick(std::size_t bound) {
        CHECK(bound > 0);
        if (left_ > 0) {
            --left_;
            return random_() % bound;
        }
        std::size_t value = 0;
        for (std::size_t range = 1; range < bound && !bytes_.empty(); range *= 256) {
            value = value * 256 + bytes_.front();
            bytes_ = bytes_.subspan(1);
        }
        return value % bound;
    }
    bool one_in(std::size_t n) { return pick(n) == n - 1; }

  private:
    std::mt19937_64 random_;
    std::size_t left_ = 0;
    std::span<const std::uint8_t> bytes_;
};

// What a board promises, in the plainest way: maps, and a sort for every question.
class NaiveBoard {
  public:
    NaiveBoard(Rules rules, std::size_t rankings) : rules_(std::move(rules)), states_(rankings) {}

    struct State {
        std::map<std::uint32_t, Entry> entries;
        std::map<std::uint32_t, base::Sequence> last_seqs;
    };
    struct Line {
        std::uint32_t slot;
        Entry entry;
        Place place;
    };

    const Rules& rules() const { return rules_; }
    const std::vector<State>& states() const { return states_; }
    const std::vector<std::string>& ids() const { return ids_; }
    const std::vector<std::uint32_t>& free_slots() const { return free_; }

    std::optional<std::uint32_t> find(const std::string& id) const {
        const auto at = std::find(ids_.begin(), ids_.end(), id);
        if (at == ids_.end()) return std::nullopt;
        return static_cast<std::uint32_t>(at - ids_.begin());
    }
    std::uint32_t upcoming_slot(std::size_t n) const {
        if (n < free_.size()) return free_[free_.size() - 1 - n];
        return static_cast<std::uint32_t>(ids_.size() + n - free_.size());
    }
    std::uint32_t add(const std::string& id) {
        const std::uint32_t slot = upcoming_slot(0);
        if (free_.empty()) {
            ids_.emplace_back();
        } else {
            free_.pop_back();
        }
        ids_[slot] = id;
        return slot;
    }
    bool has_entry(std::uint32_t slot) const {
        return std::any_of(states_.begin(), states_.end(),
                           [&](const State& state) { return state.entries.contains(slot); });
    }
    void drop(std::uint32_t slot) {
        for (State& state : states_) state.last_seqs.erase(slot);
        ids_[slot].clear();
        free_.push_back(slot);
    }
    std::optional<Entry> entry(std::uint32_t slot, std::size_t ranking) const {
        const auto at = states_[ranking].entries.find(slot);
        if (at == states_[ranking].entries.end()) return std::nullopt;
        return at->second;
    }
    void put(std::uint32_t slot, const Entry& entry, std::size_t ranking) {
        Entry& kept = states_[ranking].entries[slot] = entry;
        if (rules_.rule != Rule::kLast) kept.occurred_at = base::kNever;
        states_[ranking].last_seqs[slot] = entry.last_seq;
    }
    void remove(std::uint32_t slot, base::Sequence seq, std::size_t ranking) {
        states_[ranking].entries.erase(slot);
        states_[ranking].last_seqs[slot] = seq;
    }
    // After a reload, slots without a player are free in the order of their numbers.
    void reload() { std::sort(free_.begin(), free_.end()); }

    std::vector<Line> lines(std::size_t ranking) const {
        std::vector<Line> lines;
        for (const auto& [slot, entry] : states_[ranking].entries) {
            lines.push_back({slot, entry, {}});
        }
        std::sort(lines.begin(), lines.end(), [&](const Line& a, const Line& b) {
            const int order = compare(rules_, a.entry.scores, b.entry.scores);
            return order != 0 ? order < 0 : a.entry.reached_seq < b.entry.reached_seq;
        });
        for (std::size_t i = 0; i < lines.size(); ++i) {
            const auto position = static_cast<std::uint32_t>(i + 1);
            const bool shares =
                rules_.ties == Ties::kShared && i > 0 &&
                compare(rules_, lines[i - 1].entry.scores, lines[i].entry.scores) == 0;
            lines[i].place = {shares ? lines[i - 1].place.rank : base::Rank{position}, {position}};
        }
        return lines;
    }

    std::size_t count_ahead(const Seek& seek, std::size_t ranking) const {
        std::size_t ahead = 0;
        for (const auto& [slot, entry] : states_[ranking].entries) {
            const int order = compare(rules_, entry.scores, seek.scores);
            if (order < 0 || (order == 0 && entry.reached_seq < seek.reached_seq)) ++ahead;
        }
        return ahead;
    }

  private:
    Rules rules_;
    std::vector<State> states_;
    std::vector<std::string> ids_;     // empty: the slot is free
    std::vector<std::uint32_t> free_;  // given again from the back
};

// Both boards, and the moves that both make.
class BoardHarness {
  public:
    BoardHarness(const Rules& rules, std::size_t rankings, BoardTuning tuning)
        : tuning_(tuning), board_(rules, rankings, tuning), model_(rules, rankings) {}

    const NaiveBoard& model() const { return model_; }

    void submit(const std::string& id, const Submission& submission, std::size_t ranking) {
        const auto before = before_of(id, ranking);
        const auto decision =
            evaluate(board_.rules(), before, submission, {seq_ + 1}, base::Instant{now()});
        if (!decision) return;
        put(id, decision->after, ranking);
    }

    void set(const std::string& id, const Submission& submission, bool has_details,
             std::size_t ranking) {
        Decision decision =
            set_exactly(before_of(id, ranking), submission, {seq_ + 1}, base::Instant{now()});
        decision.after.has_details = has_details;
        put(id, decision.after, ranking);
    }

    // Nothing when the player is unknown.
    void remove(const std::string& id, std::size_t ranking) {
        const auto slot = model_.find(id);
        if (!slot) return;
        ++seq_;
        board_.remove({*slot}, {seq_}, ranking);
        model_.remove(*slot, {seq_}, ranking);
    }

    // Nothing when the player is unknown or has an entry.
    void drop(const std::string& id) {
        const auto slot = model_.find(id);
        if (!slot || model_.has_entry(*slot)) return;
        board_.drop_player({*slot});
        model_.drop(*slot);
    }

    // Fills a new board from what the model knows, as a start from disk does.
    void reload(bool skip_holes) {
        Board board(board_.rules(), board_.ranking_count(), tuning_);
        std::uint32_t next = 0;
        const auto twice = board.load_players([&](base::PlayerSlot& slot, std::string_view& id) {
            while (skip_holes && next + 1 < model_.ids().size() && model_.ids()[next].empty()) {
                ++next;
            }
            if (next == model_.ids().size()) return false;
            slot = {next};
            id = model_.ids()[next++];
            return true;
        });
        CHECK(!twice);
        for (std::size_t r = 0; r < model_.states().size(); ++r) {
            std::vector<SlotEntry> entries;
            for (const auto& [slot, entry] : model_.states()[r].entries) {
                entries.push_back({{slot}, entry});
            }
            for (const auto& [slot, seq] : model_.states()[r].last_seqs) {
                if (!model_.entry(slot, r)) board.load_removed({slot}, seq, r);
            }
            std::reverse(entries.begin(), entries.end());
            board.load_entries(std::move(entries), r);
        }
        board_ = std::move(board);
        model_.reload();
    }

    // CHECKs that both answer every question alike; `choices` picks pages and seeks.
    void compare_all(Choices& choices) const {
        board_.check();
        CHECK(board_.player_count() == model_.ids().size() - model_.free_slots().size());
        CHECK(board_.slot_limit() == model_.ids().size());
        for (std::size_t n = 0; n < model_.free_slots().size() + 2; ++n) {
            CHECK(board_.upcoming_slot(n).value == model_.upcoming_slot(n));
        }
        for (int step = 0; step < Board::kWarmSteps; ++step) {
            for (const std::string& id : model_.ids()) board_.warm(id, step);
            board_.warm("nobody", step);
        }
        for (std::uint32_t i = 0; i < model_.ids().size(); ++i) {
            if (model_.ids()[i].empty()) continue;
            CHECK(board_.player_id({i}) == model_.ids()[i]);
            CHECK(board_.find(model_.ids()[i]) == base::PlayerSlot{i});
        }
        CHECK(!board_.find("nobody") && !board_.find(""));
        for (std::size_t r = 0; r < board_.ranking_count(); ++r) compare_ranking(r, choices);
    }

  private:
    std::int64_t now() const { return 1'700'000'000'000 + static_cast<std::int64_t>(seq_) * 7; }

    std::optional<Entry> before_of(const std::string& id, std::size_t ranking) const {
        const auto slot = model_.find(id);
        return slot ? board_.entry({*slot}, ranking) : std::nullopt;
    }

    void put(const std::string& id, const Entry& entry, std::size_t ranking) {
        ++seq_;
        auto slot = model_.find(id);
        if (!slot) {
            slot = model_.add(id);
            CHECK(board_.add_player(id).value == *slot);
        }
        board_.put({*slot}, entry, ranking);
        model_.put(*slot, entry, ranking);
    }

    static Row row_of(const NaiveBoard::Line& line) {
        return {.slot = {line.slot},
                .place = line.place,
                .scores = line.entry.scores,
                .reached_seq = line.entry.reached_seq,
                .reached_at = line.entry.reached_at,
                .has_details = line.entry.has_details};
    }

    void compare_ranking(std::size_t r, Choices& choices) const {
        const std::vector<NaiveBoard::Line> lines = model_.lines(r);
        CHECK(board_.size(r) == lines.size());
        for (const NaiveBoard::Line& line : lines) {
            const base::PlayerSlot slot{line.slot};
            CHECK(board_.entry(slot, r) == line.entry);
            CHECK(board_.place_of(slot, r) == line.place);
            CHECK(board_.row(slot, r) == row_of(line));
            CHECK(board_.count_ahead({line.entry.scores, line.entry.reached_seq}, r) + 1 ==
                  line.place.position.value);
            compare_seek(line.entry.scores, r);
        }
        for (std::uint32_t i = 0; i < model_.ids().size() + 2; ++i) {
            const auto& last_seqs = model_.states()[r].last_seqs;
            const auto at = last_seqs.find(i);
            CHECK(board_.last_seq({i}, r) ==
                  (at == last_seqs.end() ? base::Sequence{0} : at->second));
            if (model_.entry(i, r)) continue;
            CHECK(!board_.entry({i}, r) && !board_.row({i}, r) && !board_.place_of({i}, r));
        }
        compare_page(0, lines.size() + 3, lines, r);
        for (int i = 0; i < 4; ++i) {
            compare_page(choices.pick(lines.size() + 3), choices.pick(20), lines, r);
        }
        Scores between;
        for (std::size_t i = 0; i < board_.rules().columns.size(); ++i) {
            between.units[i] = static_cast<std::int64_t>(choices.pick(9)) - 4;
        }
        compare_seek(between, r);
    }

    void compare_page(std::size_t offset, std::size_t limit,
                      const std::vector<NaiveBoard::Line>& lines, std::size_t r) const {
        const Row mark{
            .slot = {77}, .place = {}, .scores = {}, .reached_seq = {}, .reached_at = {}};
        std::vector<Row> rows = {mark};
        board_.page(offset, limit, rows, r);
        CHECK(rows[0] == mark);
        const std::size_t expected =
            offset < lines.size() ? std::min(limit, lines.size() - offset) : 0;
        CHECK(rows.size() == expected + 1);
        for (std::size_t i = 0; i < expected; ++i) CHECK(rows[i + 1] == row_of(lines[offset + i]));
    }

    void compare_seek(const Scores& scores, std::size_t r) const {
        for (const std::uint64_t seq : {std::uint64_t{0}, seq_ / 2, base::kMaxSequence}) {
            const Seek seek{scores, {seq}};
            CHECK(board_.count_ahead(seek, r) == model_.count_ahead(seek, r));
        }
        const bool shared = board_.rules().ties == Ties::kShared;
        const Seek seek{scores, {shared ? 0 : base::kMaxSequence}};
        CHECK(board_.rank_of_scores(scores, r).value == model_.count_ahead(seek, r) + 1);
    }

    BoardTuning tuning_;
    Board board_;
    NaiveBoard model_;
    std::uint64_t seq_ = 0;
};

// One run: a world is chosen, then moves in it until the choices are used up.
inline void board_agrees_with_model(Choices choices) {
    Rules rules{.rule = static_cast<Rule>(choices.pick(4)),
                .ties = static_cast<Ties>(choices.pick(2)),
                .columns = std::vector<Column>(1 + choices.pick(kMaxColumns))};
    for (Column& column : rules.columns) column.order = static_cast<Order>(choices.pick(2));
    const std::size_t rankings = 1 + choices.pick(2);
    const BoardTuning tuning{.hash_seed = choices.pick(3),
                             .nodes = choices.one_in(4) ? NodeSize::kUsual : NodeSize::kTiny,
                             .split_players_at = choices.one_in(2) ? 65'536U : 5U};
    const std::size_t players = std::size_t{2} << choices.pick(9);
    const std::size_t score_range = choices.one_in(2) ? 3 : 1000;
    const bool has_extremes = choices.one_in(4);

    const auto any_player = [&] {
        const std::size_t number = choices.pick(players);
        // Lengths of 1 to 128, so that arenas meet all of them.
        return std::to_string(number) + std::string(number * 37 % 126, 'x');
    };
    const auto any_submission = [&] {
        Submission submission;
        for (std::size_t i = 0; i < rules.columns.size(); ++i) {
            submission.scores.units[i] = static_cast<std::int64_t>(choices.pick(score_range)) -
                                         static_cast<std::int64_t>(score_range / 3);
            if (has_extremes && choices.one_in(4)) {
                submission.scores.units[i] = choices.one_in(2) ? kMaxUnits : -kMaxUnits;
            }
        }
        if (choices.one_in(2)) {
            submission.occurred_at = {static_cast<std::int64_t>(choices.pick(50)) - 25};
        }
        return submission;
    };

    BoardHarness boards(rules, rankings, tuning);
    std::size_t removing = 1;  // of 8: phases in which the board shrinks
    for (std::size_t move = 0; !choices.done(); ++move) {
        if (choices.one_in(100)) removing = choices.one_in(3) ? 6 : 1;
        const std::size_t ranking = choices.pick(rankings);
        if (choices.pick(8) < removing) {
            boards.remove(any_player(), ranking);
            if (choices.one_in(2)) boards.drop(any_player());
        } else if (choices.one_in(6)) {
            boards.set(any_player(), any_submission(), choices.one_in(2), ranking);
        } else if (choices.one_in(120)) {
            boards.reload(choices.one_in(2));
        } else {
            boards.submit(any_player(), any_submission(), ranking);
        }
        if (players <= 16 || choices.one_in(players / 8)) boards.compare_all(choices);
    }
    boards.compare_all(choices);
}

}  // namespace standings::ranking
