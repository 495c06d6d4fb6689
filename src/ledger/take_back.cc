#include "ledger/take_back.h"

#include "base/check.h"

namespace standings::ledger {
namespace {

// The numbers of `input`: the seq (negative: from it on), then the entry's place.
constexpr std::size_t kSeq = 0;
constexpr std::size_t kReachedSeq = 1;
constexpr std::size_t kReachedAt = 2;
constexpr std::size_t kSubmissions = 3;
static_assert(ranking::kMaxColumns == 4);

}  // namespace

void put_take_back(Event& event, const TakeBack& take_back) {
    event.kind = EventKind::kTakenBack;
    const auto seq = static_cast<std::int64_t>(take_back.seq.value);
    event.input = {};
    event.input.units[kSeq] = take_back.onwards ? -seq : seq;
    event.result = {};
    event.occurred_at = base::kNever;
    if (!take_back.entry) {
        event.outcome = ranking::Outcome::kRemoved;
        return;
    }
    const ranking::Entry& entry = *take_back.entry;
    event.outcome =
        entry.scores == event.previous ? ranking::Outcome::kUnchanged : ranking::Outcome::kReplaced;
    event.result = entry.scores;
    event.occurred_at = entry.occurred_at;
    event.input.units[kReachedSeq] = static_cast<std::int64_t>(entry.reached_seq.value);
    event.input.units[kReachedAt] = entry.reached_at.ms;
    event.input.units[kSubmissions] = entry.submissions;
}

TakeBack take_back_of(const Event& event) {
    CHECK(event.kind == EventKind::kTakenBack);
    const auto& numbers = event.input.units;
    const std::int64_t seq = numbers[kSeq];
    TakeBack take_back;
    take_back.seq = {static_cast<std::uint64_t>(seq < 0 ? -seq : seq)};
    take_back.onwards = seq < 0;
    if (removes_entry(event)) return take_back;
    ranking::Entry& entry = take_back.entry.emplace();
    entry.scores = event.result;
    entry.reached_seq = {static_cast<std::uint64_t>(numbers[kReachedSeq])};
    entry.last_seq = event.seq;
    entry.reached_at = {numbers[kReachedAt]};
    entry.occurred_at = event.occurred_at;
    entry.submissions = static_cast<std::uint32_t>(numbers[kSubmissions]);
    return take_back;
}

}  // namespace standings::ledger
