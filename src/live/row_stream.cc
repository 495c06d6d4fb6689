#include "live/row_stream.h"

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <utility>

#include "base/check.h"
#include "live/frame_json.h"

namespace standings::live {
RowStream::RowStream(std::string name, std::string epoch, Reading first)
    : FrameStream(std::move(name), std::move(epoch), first.seq),
      total_(first.total),
      read_total_(first.total),
      steps_{first.seq} {
    rows_.reserve(first.rows.size());
    for (Row& row : first.rows) rows_.push_back({std::move(row), first.seq, first.seq});
}

SharedFrame RowStream::publish(Reading next) {
    note_read(next.seq);
    read_total_ = next.total;
    // Names are looked up behind the rows, so this may be a row of the next seq already. That one
    // brings it.
    if (next.seq == seq()) return nullptr;
    const auto is_same = [](const KnownRow& known, const Row& row) {
        return known.row.json == row.json && known.row.player == row.player;
    };
    if (std::ranges::equal(rows_, next.rows, is_same)) return nullptr;

    boost::unordered_flat_map<std::string_view, KnownRow*> before;
    before.reserve(rows_.size());
    for (KnownRow& known : rows_) before.emplace(known.row.player, &known);

    std::vector<KnownRow> after;
    after.reserve(next.rows.size());
    std::string json = head("delta");
    append_count(json, "prev", seq().value);
    append_count(json, "seq", next.seq.value);
    append_count(json, "total", next.total);
    {
        JsonArray upsert(json, "upsert");
        for (Row& row : next.rows) {
            KnownRow known{std::move(row), next.seq, next.seq};
            const auto old = before.find(known.row.player);
            if (old != before.end()) {
                known.entered = old->second->entered;
                if (old->second->row.json == known.row.json) known.changed = old->second->changed;
                before.erase(old);
            }
            if (known.changed == next.seq) upsert.item() += known.row.json;
            after.push_back(std::move(known));
        }
    }
    {
        JsonArray leave(json, "leave");
        for (KnownRow& known : rows_) {
            if (!before.contains(known.row.player)) continue;
            text::append_json_string(leave.item(), known.row.player);
            note_left({known.row.player, known.entered, next.seq});
        }
    }
    rows_ = std::move(after);
    total_ = next.total;
    note_step(next.seq);
    return make_frame(FrameKind::kDelta, next.seq, std::move(json));
}

SharedFrame RowStream::beat() {
    if (!has_news() || read_total_ == total_) return FrameStream::beat();
    const base::Sequence told = seq();
    note_told();
    return resume(told)->frame;
}

void RowStream::note_told() {
    total_ = read_total_;
    note_step(read());
}

const SharedFrame& RowStream::snapshot() {
    if (snapshot_) return snapshot_;
    std::string json = head("snapshot");
    json += ',';
    text::append_member(json, "epoch", epoch());
    append_count(json, "seq", seq().value);
    append_count(json, "total", total_);
    {
        JsonArray rows(json, "rows");
        for (const KnownRow& known : rows_) rows.item() += known.row.json;
    }
    snapshot_ = make_frame(FrameKind::kSnapshot, seq(), std::move(json));
    return snapshot_;
}

std::optional<FrameStream::Resumed> RowStream::resume(base::Sequence since) const {
    if (!std::ranges::binary_search(steps_, since)) return std::nullopt;
    if (since == seq()) return Resumed{};
    std::string json = head("delta");
    append_count(json, "prev", since.value);
    append_count(json, "seq", seq().value);
    append_count(json, "total", total_);
    {
        JsonArray upsert(json, "upsert");
        for (const KnownRow& known : rows_) {
            if (known.changed > since) upsert.item() += known.row.json;
        }
    }
    {
        // Only who was there at `since`, and is not there again. One who left twice since then is
        // named once: the second time they had entered later.
        JsonArray leave(json, "leave");
        for (const LeftRow& left : left_) {
            if (left.left <= since || left.entered > since) continue;
            const bool is_back = std::ranges::any_of(
                rows_, [&](const KnownRow& known) { return known.row.player == left.player; });
            if (!is_back) text::append_json_string(leave.item(), left.player);
        }
    }
    return Resumed{make_frame(FrameKind::kDelta, seq(), std::move(json))};
}

void RowStream::note_step(base::Sequence seq) {
    CHECK(seq > steps_.back());
    steps_.push_back(seq);
    snapshot_.reset();
    if (steps_.size() > kMaxSteps) steps_.pop_front();
    while (!left_.empty() && left_.front().left <= steps_.front()) left_.pop_front();
}

// Where too many have left, those who come back from before the oldest get a snapshot.
void RowStream::note_left(LeftRow left) {
    left_.push_back(std::move(left));
    if (left_.size() <= kMaxLeft) return;
    const base::Sequence forgotten = left_.front().left;
    while (!left_.empty() && left_.front().left == forgotten) left_.pop_front();
    while (steps_.size() > 1 && steps_.front() < forgotten) steps_.pop_front();
}

}  // namespace standings::live
