#include "replay.h"

#include <algorithm>

namespace load {
namespace {

auto place_of(std::vector<SharedRow>& rows, const std::string& player) {
    return std::ranges::find_if(rows, [&](const SharedRow& row) { return row->player == player; });
}

bool are_same(const std::vector<SharedRow>& some, const std::vector<SharedRow>& others) {
    return std::ranges::equal(some, others, [](const SharedRow& one, const SharedRow& other) {
        return one == other || one->json == other->json;
    });
}

// Takes out who has left and puts in what changed. Why that cannot be, or nothing.
std::string apply_delta(std::vector<SharedRow>& rows, const Message& delta, bool resumes) {
    for (const std::string& player : delta.leave) {
        const auto left = place_of(rows, player);
        if (left == rows.end()) return player + " leaves, and was not there";
        rows.erase(left);
    }
    for (const SharedRow& row : delta.rows) {
        const auto old = place_of(rows, row->player);
        if (old == rows.end()) {
            rows.push_back(row);
        } else {
            if (!resumes && (*old)->json == row->json) return "told again: " + row->json;
            *old = row;
        }
    }
    std::ranges::sort(rows, {}, [](const SharedRow& row) { return row->position; });
    return {};
}

}  // namespace

std::string View::json() const {
    switch (kind) {
        case Kind::kTop:
            return "{\"top\":" + std::to_string(size) + "}";
        case Kind::kAround:
            return "{\"around\":\"" + player + "\",\"span\":" + std::to_string(size) + "}";
        case Kind::kPlayer:
            return "{\"player\":\"" + player + "\"}";
    }
    return {};
}

std::string View::name(const std::string& board) const {
    switch (kind) {
        case Kind::kTop:
            return board + "/all/top/" + std::to_string(size);
        case Kind::kAround:
            return board + "/all/around/" + std::to_string(size) + "/" + player;
        case Kind::kPlayer:
            return board + "/all/player/" + player;
    }
    return {};
}

std::string View::complaint(const std::vector<SharedRow>& rows, std::uint64_t total) const {
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const Row& row = *rows[i];
        if (row.rank > row.position) return "a rank behind its position: " + row.json;
        if (i == 0) continue;
        if (row.position != rows[i - 1]->position + 1) {
            return "position " + std::to_string(row.position) + " follows " +
                   std::to_string(rows[i - 1]->position);
        }
        if (row.rank < rows[i - 1]->rank)
            return "a rank before that of the row before: " + row.json;
    }
    if (kind == Kind::kTop) {
        if (!rows.empty() && rows.front()->position != 1) return "the first row is not there";
        if (rows.size() != std::min(size, total)) {
            return std::to_string(rows.size()) + " rows, of a board of " + std::to_string(total);
        }
        return {};
    }
    if (rows.empty()) return {};
    const auto own =
        std::ranges::find_if(rows, [this](const SharedRow& row) { return row->player == player; });
    if (own == rows.end()) return player + " is not among the rows";
    const auto before = static_cast<std::uint64_t>(own - rows.begin());
    const std::uint64_t behind = rows.size() - 1 - before;
    if (before != std::min(size, (*own)->position - 1) ||
        behind != std::min(size, total - (*own)->position)) {
        return std::to_string(before) + " rows before and " + std::to_string(behind) + " behind " +
               (*own)->json;
    }
    return {};
}

std::size_t Replay::Hash::operator()(const Step& step) const {
    const auto& [rows, message, resumes] = step;
    const std::uint64_t mixed = (rows * 0x9E3779B97F4A7C15) ^ (message * 2 + (resumes ? 1 : 0));
    return mixed * 0xFF51AFD7ED558CCD;
}

std::variant<SharedRows, Complaint> Replay::apply(const View& view, const SharedRows& before,
                                                  const Message& message, bool resumes) {
    const Step step{before ? before->number : 0, message.number, resumes};
    if (const auto known = steps_.find(step); known != steps_.end()) return known->second;

    auto result = compute(view, before, message, resumes);
    if (const auto* const rows = std::get_if<SharedRows>(&result)) {
        steps_.emplace(step, *rows);
        in_order_.push_back(step);
        if (in_order_.size() > kMost) {
            steps_.erase(in_order_.front());
            in_order_.pop_front();
        }
    }
    return result;
}

std::variant<SharedRows, Complaint> Replay::compute(const View& view, const SharedRows& before,
                                                    const Message& message, bool resumes) {
    const bool is_snapshot = message.kind == MessageKind::kSnapshot;
    if (!before && !is_snapshot) return Complaint{true, "before any snapshot: " + message.text};
    Rows after;
    if (!is_snapshot) after = *before;
    after.view = message.view;
    after.seq = message.seq;
    std::string wrong;
    if (is_snapshot) {
        after.epoch = message.epoch;
        after.rows = message.rows;
        if (before && before->epoch == after.epoch && after.seq < before->seq) {
            wrong = "sent back to " + std::to_string(after.seq);
        }
    } else {
        if (after.seq <= before->seq) wrong = "the seq does not grow";
        if (message.kind == MessageKind::kDelta) {
            if (message.prev != before->seq) {
                return Complaint{true, "a delta from " + std::to_string(message.prev) + " after " +
                                           std::to_string(before->seq) + ": " + message.text};
            }
            const std::string refusal = apply_delta(after.rows, message, resumes);
            if (!refusal.empty()) wrong = refusal;
        }
    }
    if (wrong.empty() && message.kind != MessageKind::kBeat) {
        wrong = view.complaint(after.rows, message.total);
    }
    if (!wrong.empty()) {
        return Complaint{false, wrong + (before ? " after " + std::to_string(before->seq) : "") +
                                    ": " + message.text};
    }
    return share(std::move(after));
}

std::variant<SharedRows, Complaint> Replay::share(Rows rows) {
    const Place place{rows.view, rows.epoch, rows.seq};
    if (const auto known = shared_.find(place); known != shared_.end()) {
        if (are_same(known->second->rows, rows.rows)) return known->second;
        return Complaint{false, "two watchers of " + rows.view + " have different rows at " +
                                    std::to_string(rows.seq)};
    }
    rows.number = next_number_++;
    auto shared = std::make_shared<const Rows>(std::move(rows));
    shared_.emplace(place, shared);
    places_.push_back(place);
    if (places_.size() > kMost) {
        shared_.erase(places_.front());
        places_.pop_front();
    }
    return shared;
}

}  // namespace load
