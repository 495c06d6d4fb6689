#include "ledger/write_back.h"

#include <algorithm>
#include <bit>

#include "base/check.h"

namespace standings::ledger {

WriteBack::WriteBack(base::Sequence fold_mark, WriteBackLimits limits)
    : limits_(limits), fold_mark_(fold_mark), wrap_seq_(fold_mark) {}

void WriteBack::mark(EntryKey key) {
    const Place place = place_of(key);
    const Place start = place & ~Place{kChunkSlots - 1};
    if (recent_ == nullptr || recent_start_ != start) {
        recent_ = &chunks_[start];
        recent_start_ = start;
    }
    const auto at = static_cast<std::uint32_t>(place - start);
    std::uint64_t& word = recent_->words[at / 64];
    const std::uint64_t bit = std::uint64_t{1} << (at % 64);
    if ((word & bit) != 0) return;
    word |= bit;
    ++recent_->count;
    ++dirty_;
}

void WriteBack::forget(base::RankingId ranking) {
    recent_ = nullptr;
    auto it = chunks_.lower_bound(place_of({ranking, {0}}));
    while (it != chunks_.end() && it->first >> 32 == ranking.value) {
        dirty_ -= it->second.count;
        it = chunks_.erase(it);
    }
    std::erase_if(in_flight_, [&](const EntryKey& key) { return key.ranking == ranking; });
}

bool WriteBack::wanted(base::Sequence last_seq, std::uint64_t players, bool idle) const {
    const std::uint64_t unfolded = last_seq.value - fold_mark_.value;
    if (idle) return unfolded > 0 || dirty() > 0;
    return dirty() > std::max(limits_.dirty, players / 5) || unfolded > limits_.unfolded;
}

void WriteBack::plan(std::size_t most, base::Sequence applied_seq, WriteBackSlice& slice) {
    CHECK(most > 0);
    take_back();
    slice.keys.clear();
    slice.fold_mark.reset();
    recent_ = nullptr;
    cursor_before_ = cursor_;
    if (cursor_ == 0) wrap_seq_ = applied_seq;

    auto it = chunks_.lower_bound(cursor_ & ~Place{kChunkSlots - 1});
    while (it != chunks_.end() && slice.keys.size() < most) {
        Chunk& chunk = it->second;
        const Place start = it->first;
        auto at = static_cast<std::uint32_t>(cursor_ > start ? cursor_ - start : 0);
        while (at < kChunkSlots && slice.keys.size() < most) {
            std::uint64_t& word = chunk.words[at / 64];
            const std::uint64_t rest = word >> (at % 64);
            if (rest == 0) {
                at = (at / 64 + 1) * 64;
                continue;
            }
            at += static_cast<std::uint32_t>(std::countr_zero(rest));
            const Place place = start + at;
            slice.keys.push_back(
                {{static_cast<std::uint32_t>(place >> 32)}, {static_cast<std::uint32_t>(place)}});
            word &= ~(std::uint64_t{1} << (at % 64));
            --chunk.count;
            --dirty_;
            ++at;
        }
        cursor_ = start + at;
        it = chunk.count == 0 ? chunks_.erase(it) : std::next(it);
    }
    const bool wrapped = chunks_.lower_bound(cursor_ & ~Place{kChunkSlots - 1}) == chunks_.end();
    if (dirty_ == 0) {
        slice.fold_mark = applied_seq;
        cursor_ = 0;
    } else if (wrapped) {
        slice.fold_mark = wrap_seq_;
        cursor_ = 0;
    }
    in_flight_ = slice.keys;
}

void WriteBack::committed(const WriteBackSlice& slice) {
    in_flight_.clear();
    if (slice.fold_mark) {
        CHECK(*slice.fold_mark >= fold_mark_);
        fold_mark_ = *slice.fold_mark;
    }
}

void WriteBack::take_back() {
    if (in_flight_.empty()) return;
    for (const EntryKey& key : in_flight_) mark(key);
    in_flight_.clear();
    cursor_ = cursor_before_;
}

}  // namespace standings::ledger
