#include "live/hub.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "live/feed_stream.h"
#include "live/row_stream.h"
#include "text/json_writer.h"

namespace standings::live {
namespace {

// Two who fight for the lead do not drown the frames.
constexpr auto kLeaderEvery = std::chrono::milliseconds(500);
// A loop that is behind has caught up.
constexpr base::Monotonic kLookAgain = std::chrono::milliseconds(10);
// Names come from the disk meanwhile.
constexpr auto kAskAgain = std::chrono::milliseconds(20);

using Watchers = std::vector<std::size_t>;  // by loop

void count(Watchers& watchers, LoopIndex loop) {
    if (watchers.size() <= loop) watchers.resize(loop + 1);
    ++watchers[loop];
}

template <class Visit>
void for_each_loop(const Watchers& watchers, Visit&& visit) {
    for (LoopIndex loop = 0; loop < watchers.size(); ++loop) {
        if (watchers[loop] > 0) visit(loop);
    }
}

void keep_earliest(std::optional<base::Monotonic>& kept, base::Monotonic when) {
    kept = kept ? std::min(*kept, when) : when;
}

std::string event_json(std::string_view board, std::string_view kind) {
    std::string json = R"({"type":"event",)";
    text::append_member(json, "board", board);
    json += ',';
    text::append_member(json, "kind", kind);
    return json;
}

}  // namespace

struct Hub::Stream {
    StreamId id;
    const Key* key;
    Board* board;
    std::size_t place = 0;  // among the board's
    std::string name;
    std::unique_ptr<FrameStream> frames;  // none: never read
    std::vector<Watch> waiting;           // for a reading
    Watchers watchers;
    std::size_t watcher_count = 0;
    // Since when the board may have moved behind the last reading. None: it has not.
    std::optional<base::Monotonic> stale_since;
    base::Monotonic changed_at{};  // what the last reading found
    bool is_late = false;          // it could not be read when it was due
    base::Monotonic sent{};
    base::Monotonic idle_since{};

    const View& view() const { return key->first; }
    base::Monotonic period() const { return std::chrono::nanoseconds(1'000'000'000) / key->second; }
    bool is_wanted() const { return watcher_count > 0 || !waiting.empty(); }
};

struct Hub::Board {
    std::string slug;
    std::optional<ViewReader::BoardLook> known;
    std::vector<Stream*> streams;
    Watchers watchers;
    std::optional<base::Monotonic> wake;  // when something is due though nothing moves
    std::optional<std::string> leader;    // who was told last, or led when it was first looked at
    std::optional<base::Monotonic> leader_told;
};

Hub::Hub(ViewReader& reader, Audience& audience, std::string epoch, Limits limits)
    : reader_(reader), audience_(audience), epoch_(std::move(epoch)), limits_(limits) {}

Hub::~Hub() = default;

// --- who watches ----------------------------------------------------------------------------

void Hub::join(const Watch& watch, base::Monotonic now) {
    CHECK(std::ranges::find(kRates, watch.rate) != std::end(kRates));
    const auto look = reader_.look(watch.view.board);
    // It may have become private since the watcher was let in.
    if (!look || (!look->is_public && !watch.may_read_private)) {
        return audience_.refuse(watch.loop, watch.watcher, Refusal::kNoBoard);
    }
    const Key key{watch.view, watch.rate};
    if (!streams_.contains(key) && streams_.size() >= limits_.max_streams) {
        return audience_.refuse(watch.loop, watch.watcher, Refusal::kTooMany);
    }
    Stream& joined = stream(key);
    if (!joined.board->known) {
        joined.board->leader = look->leader;
        joined.board->known = look;
    }

    // Whoever has seen more than the others were told must not be sent back.
    const bool is_behind = joined.frames && watch.since > joined.frames->seq();
    if (joined.frames && joined.watcher_count > 0 && !is_behind) return welcome(joined, watch);
    joined.waiting.push_back(watch);
    if (!joined.stale_since) joined.stale_since = now;
    serve(joined, now);
}

void Hub::welcome(Stream& stream, const Watch& watch) {
    Audience::Welcome said{.stream = stream.id, .board = stream.board->slug, .name = stream.name};
    said.wanted_recovery = watch.since.has_value();
    const auto resumed = watch.since > base::Sequence{} ? stream.frames->resume(*watch.since)
                                                        : std::optional<FrameStream::Resumed>();
    said.recovered = resumed.has_value();
    said.frame = resumed ? resumed->frame : stream.frames->snapshot();
    if (stream.watcher_count == 0) idle_.erase({stream.idle_since, stream.id});
    count(stream.watchers, watch.loop);
    count(stream.board->watchers, watch.loop);
    ++stream.watcher_count;
    ++watchers_;
    audience_.welcome(watch.loop, watch.watcher, said);
}

void Hub::leave(LoopIndex loop, StreamId id, base::Monotonic now) {
    const auto found = by_id_.find(id);
    if (found == by_id_.end()) return;  // it ended meanwhile
    Stream& left = *found->second;
    --left.watchers[loop];
    --left.board->watchers[loop];
    --left.watcher_count;
    --watchers_;
    if (left.watcher_count > 0) return;
    left.idle_since = now;
    idle_.emplace(now, id);
    forget_idle(now);
}

void Hub::resync(LoopIndex loop, WatcherId watcher, StreamId id) {
    const auto found = by_id_.find(id);
    if (found == by_id_.end()) return;
    audience_.catch_up(loop, watcher, found->second->frames->snapshot());
}

// --- what changes ---------------------------------------------------------------------------

void Hub::tick(base::Monotonic now, std::optional<base::Monotonic> moved_at) {
    wake_.reset();
    for (auto at = boards_.begin(); at != boards_.end();) {
        Board& board = *at->second;
        ++at;  // it may be the board's end
        look_at(board, now, moved_at.value_or(now));
    }
    forget_idle(now);
}

std::optional<base::Monotonic> Hub::next_tick() const {
    std::optional<base::Monotonic> next = wake_;
    if (!idle_.empty()) keep_earliest(next, idle_.begin()->first + limits_.idle_for);
    return next;
}

void Hub::look_at(Board& board, base::Monotonic now, base::Monotonic moved_at) {
    auto look = reader_.look(board.slug);
    if (!look) return end_board(board);
    // Who may still watch is not known here: they ask again.
    if (board.known && board.known->is_public != look->is_public) return end_board(board);
    const bool has_moved = !board.known || board.known->seq != look->seq;
    if (has_moved) {
        if (board.known) tell_changes(board, *look);
        board.known = std::move(look);
        for (Stream* stream : board.streams) {
            if (!stream->stale_since) stream->stale_since = moved_at;
        }
    } else if (!board.wake || *board.wake > now) {
        if (board.wake) keep_earliest(wake_, *board.wake);
        return;
    }
    board.wake.reset();
    tell_leader(board, now);
    for (Stream* stream : board.streams) {
        if (stream->is_wanted()) serve(*stream, now);
    }
}

void Hub::tell_changes(Board& board, const ViewReader::BoardLook& now) {
    const ViewReader::BoardLook& before = *board.known;
    const auto tell = [&](const std::string& json) { announce(board, json + '}'); };
    if (now.ranking != before.ranking) {
        board.leader.reset();
        tell(event_json(board.slug, "reset"));
    }
    if (now.is_open != before.is_open) {
        tell(event_json(board.slug, now.is_open ? "unfrozen" : "frozen"));
    }
}

void Hub::tell_leader(Board& board, base::Monotonic now) {
    const std::optional<std::string>& leader = board.known->leader;
    if (!leader) board.leader.reset();
    if (!leader || leader == board.leader) return;
    if (board.leader_told && now < *board.leader_told + kLeaderEvery) {
        return wake_at(board, *board.leader_told + kLeaderEvery);
    }
    board.leader = leader;
    board.leader_told = now;
    std::string json = event_json(board.slug, "leader");
    json += ',';
    text::append_member(json, "player", *leader);
    announce(board, json + '}');
}

void Hub::announce(const Board& board, std::string_view json) {
    for_each_loop(board.watchers,
                  [&](LoopIndex loop) { audience_.announce(loop, board.slug, json); });
}

void Hub::serve(Stream& stream, base::Monotonic now) {
    if (stream.stale_since) {
        const base::Monotonic due = stream.sent + stream.period();
        if (stream.watcher_count > 0 && now < due) return wake_at(*stream.board, due);
        if (!are_ready(stream)) {
            return wake_at(*stream.board, now + std::min(stream.period(), kLookAgain));
        }
        if (!refresh(stream, now)) {
            if (!std::exchange(stream.is_late, true)) late_.push_back(stream.id);
            return wake_at(*stream.board, now + kAskAgain);
        }
    }
    if (!stream.frames->has_news()) return;
    const base::Monotonic due = stream.sent + limits_.beat_every;
    if (now < due) return wake_at(*stream.board, due);
    stream.changed_at = now;  // it was not due before
    send(stream, stream.frames->beat(), now);
}

std::unique_ptr<FrameStream> Hub::make_frames(const Stream& stream, Reading first) const {
    if (stream.view().kind == ViewKind::kFeed) {
        return std::make_unique<FeedStream>(stream.name, epoch_, stream.view().size,
                                            std::move(first));
    }
    return std::make_unique<RowStream>(stream.name, epoch_, std::move(first));
}

bool Hub::refresh(Stream& stream, base::Monotonic now) {
    Reading reading;
    const auto answer = reader_.read(stream.view(), reading);
    if (answer == ViewReader::Answer::kLater) return false;
    // The next look at the board ends it.
    if (answer == ViewReader::Answer::kNoBoard) return false;
    stream.changed_at = std::exchange(stream.stale_since, std::nullopt).value_or(now);
    if (!stream.frames) {
        stream.frames = make_frames(stream, std::move(reading));
        stream.sent = now;
    } else {
        send(stream, stream.frames->publish(std::move(reading)), now);
        // Nobody has the one before: whoever comes gets this one.
        if (stream.watcher_count == 0) stream.frames->beat();
    }
    for (const Watch& watch : std::exchange(stream.waiting, {})) {
        // One who has seen as much elsewhere goes on from there.
        if (watch.since > stream.frames->seq()) send(stream, stream.frames->beat(), now);
        welcome(stream, watch);
    }
    return true;
}

bool Hub::are_ready(const Stream& stream) const {
    bool ready = true;
    for_each_loop(stream.watchers, [&](LoopIndex loop) { ready &= audience_.is_ready(loop); });
    return ready;
}

void Hub::retry(base::Monotonic now) {
    for (const StreamId id : std::exchange(late_, {})) {
        const auto found = by_id_.find(id);
        if (found == by_id_.end()) continue;
        found->second->is_late = false;
        if (found->second->is_wanted()) serve(*found->second, now);
    }
}

void Hub::send(Stream& stream, const SharedFrame& frame, base::Monotonic now) {
    if (!frame) return;
    stream.sent = now;
    for_each_loop(stream.watchers, [&](LoopIndex loop) {
        audience_.publish(loop, stream.id, frame, stream.changed_at);
    });
}

void Hub::wake_at(Board& board, base::Monotonic when) {
    keep_earliest(board.wake, when);
    keep_earliest(wake_, when);
}

// --- what there is --------------------------------------------------------------------------

Hub::Stream& Hub::stream(const Key& key) {
    const auto [at, is_new] = streams_.try_emplace(key);
    if (!is_new) return *at->second;
    auto& board = boards_[key.first.board];
    if (!board) board = std::make_unique<Board>(Board{.slug = key.first.board});
    at->second = std::make_unique<Stream>(Stream{
        .id = next_stream_, .key = &at->first, .board = board.get(), .name = name_of(key.first)});
    ++next_stream_.value;
    at->second->place = board->streams.size();
    board->streams.push_back(at->second.get());
    by_id_.emplace(at->second->id, at->second.get());
    return *at->second;
}

void Hub::end_board(Board& board) {
    for (Stream* stream : board.streams) {
        for (const Watch& watch : stream->waiting) {
            audience_.refuse(watch.loop, watch.watcher, Refusal::kNoBoard);
        }
        for_each_loop(stream->watchers, [&](LoopIndex loop) { audience_.end(loop, stream->id); });
        watchers_ -= stream->watcher_count;
        by_id_.erase(stream->id);
        streams_.erase(Key(*stream->key));
    }
    boards_.erase(std::string(board.slug));
}

void Hub::forget(Stream& stream) {
    Board& board = *stream.board;
    board.streams[stream.place] = board.streams.back();
    board.streams[stream.place]->place = stream.place;
    board.streams.pop_back();
    by_id_.erase(stream.id);
    streams_.erase(Key(*stream.key));
    if (board.streams.empty()) boards_.erase(std::string(board.slug));
}

void Hub::forget_idle(base::Monotonic now) {
    while (!idle_.empty()) {
        const auto [since, id] = *idle_.begin();
        if (idle_.size() <= limits_.max_idle_streams && since + limits_.idle_for > now) return;
        idle_.erase(idle_.begin());
        const auto found = by_id_.find(id);
        if (found != by_id_.end() && !found->second->is_wanted()) forget(*found->second);
    }
}

}  // namespace standings::live
