#include "api/live_desk.h"

#include <utility>

#include "net/websocket.h"
#include "text/json_writer.h"

namespace standings::api {
namespace {

// Watchers that are told before other work of the loop gets its turn.
constexpr std::size_t kSlice = 64;

std::string_view event_name(live::FrameKind kind) {
    return kind == live::FrameKind::kSnapshot ? "snapshot" : "delta";
}

}  // namespace

const std::string& FrameBytes::as_event() {
    if (!event_.empty()) return event_;
    event_ = "id: ";
    event_ += epoch_;
    event_ += ':';
    text::append_number(event_, frame_->seq.value);
    // A beat moves the id only: browsers send it when they come back.
    if (frame_->kind != live::FrameKind::kBeat) {
        event_ += "\nevent: ";
        event_ += event_name(frame_->kind);
        event_ += "\ndata: ";
        event_ += frame_->json;
    }
    event_ += "\n\n";
    return event_;
}

const std::string& FrameBytes::as_text_frame() {
    if (text_frame_.empty()) text_frame_ = net::text_frame(frame_->json);
    return text_frame_;
}

LiveDesk::LiveDesk(Publisher& publisher, net::Loop& loop, std::string epoch)
    : publisher_(publisher),
      loop_(loop),
      epoch_(std::move(epoch)),
      index_(publisher.add_loop([this](std::vector<Told> told) {
          loop_.post([this, heard = std::make_shared<std::vector<Told>>(std::move(told))] {
              hear(std::move(*heard));
          });
      })) {}

void LiveDesk::watch(const std::shared_ptr<LiveWatcher>& watcher, live::Watch watch) {
    watcher->id_ = {next_watcher_++};
    watch.loop = index_;
    watch.watcher = watcher->id_;
    watchers_.emplace(watcher->id_, watcher);
    publisher_.join(std::move(watch));
}

void LiveDesk::unwatch(LiveWatcher& watcher) {
    const auto found = watchers_.find(watcher.id_);
    if (found == watchers_.end()) return;
    const std::shared_ptr<LiveWatcher> held = std::move(found->second);
    watchers_.erase(found);
    // Where the welcome is still on its way, it finds nobody.
    if (held->stream_ == live::StreamId{}) return;
    publisher_.leave(index_, held->stream_);
    leave_stream(*held);
}

void LiveDesk::leave_stream(LiveWatcher& watcher) {
    const auto found = streams_.find(watcher.stream_);
    auto& all = found->second.watchers;
    std::size_t place = watcher.place_;
    const auto move_to = [&all](std::size_t to, std::size_t from) {
        all[to] = all[from];
        all[to]->place_ = to;
    };
    // In the middle of a frame: who has it stays in front of who does not.
    const auto* const under_way = told_.empty() ? nullptr : std::get_if<Published>(&told_.front());
    if (under_way != nullptr && under_way->stream == watcher.stream_ && place < delivered_) {
        --delivered_;
        move_to(place, delivered_);
        place = delivered_;
    }
    // The last one is itself, or has just been moved.
    if (place != all.size() - 1) move_to(place, all.size() - 1);
    all.pop_back();
    watcher.stream_ = {};
    if (all.empty()) forget(found);
}

void LiveDesk::forget(Streams::iterator stream) {
    const auto board = of_board_.find(stream->second.board);
    board->second.erase(stream->first);
    if (board->second.empty()) of_board_.erase(board);
    streams_.erase(stream);
}

void LiveDesk::resync(const LiveWatcher& watcher) {
    publisher_.resync(index_, watcher.id_, watcher.stream_);
}

// --- what the publisher tells ---------------------------------------------------------------

void LiveDesk::hear(std::vector<Told> told) {
    for (Told& one : told) told_.push_back(std::move(one));
    if (!is_posted_) pump();
}

void LiveDesk::pump() {
    budget_ = kSlice;
    while (!told_.empty()) {
        const bool done =
            std::visit([this](const auto& told) { return tell(told); }, told_.front());
        if (!done) {
            is_posted_ = true;
            return loop_.post([this] {
                is_posted_ = false;
                pump();
            });
        }
        told_.pop_front();
        delivered_ = 0;
    }
    bytes_.reset();
    bytes_frame_.reset();
}

FrameBytes& LiveDesk::bytes_of(const live::SharedFrame& frame) {
    if (bytes_frame_ != frame) {
        bytes_frame_ = frame;
        bytes_ = std::make_unique<FrameBytes>(*frame, epoch_);
    }
    return *bytes_;
}

// False: the slice is used up.
bool LiveDesk::spend() {
    if (budget_ == 0) return false;
    --budget_;
    return true;
}

bool LiveDesk::tell(const TurnEnd&) {
    publisher_.heard(index_);
    return true;
}

LiveWatcher* LiveDesk::find(live::WatcherId id) const {
    const auto found = watchers_.find(id);
    return found != watchers_.end() ? found->second.get() : nullptr;
}

bool LiveDesk::tell(const Welcomed& told) {
    if (!spend()) return false;
    LiveWatcher* const watcher = find(told.watcher);
    if (watcher == nullptr) return publisher_.leave(index_, told.welcome.stream), true;
    const auto [at, is_new] = streams_.try_emplace(told.welcome.stream);
    Stream& stream = at->second;
    if (is_new) {
        stream.board = told.welcome.board;
        of_board_[stream.board].insert(at->first);
    }
    watcher->stream_ = told.welcome.stream;
    watcher->place_ = stream.watchers.size();
    stream.watchers.push_back(watcher);
    if (told.welcome.wanted_recovery) {
        LiveStatistics& statistics = publisher_.statistics();
        ++(told.welcome.recovered ? statistics.recovered : statistics.unrecovered);
    }
    if (!told.welcome.frame) return watcher->on_welcome(told.welcome, nullptr), true;
    watcher->on_welcome(told.welcome, &bytes_of(told.welcome.frame));
    return true;
}

bool LiveDesk::tell(const Refused& told) {
    const auto found = watchers_.find(told.watcher);
    if (found == watchers_.end()) return true;
    const std::shared_ptr<LiveWatcher> held = std::move(found->second);
    watchers_.erase(found);
    held->on_refused(told.why);
    return true;
}

bool LiveDesk::tell(const CaughtUp& told) {
    if (!spend()) return false;
    LiveWatcher* const watcher = find(told.watcher);
    if (watcher == nullptr) return true;
    watcher->on_caught_up(bytes_of(told.snapshot));
    return true;
}

bool LiveDesk::tell(const Published& told) {
    FrameBytes& bytes = bytes_of(told.frame);
    // Looked up each time: a watcher may leave, and be the last one, when it is told.
    for (auto stream = streams_.find(told.stream);
         stream != streams_.end() && delivered_ < stream->second.watchers.size();
         stream = streams_.find(told.stream)) {
        if (!spend()) return false;
        stream->second.watchers[delivered_++]->on_frame(bytes);
    }
    if (told.frame->kind == live::FrameKind::kDelta) {
        publisher_.statistics().publish_delay.add(publisher_.clock().monotonic() - told.changed_at);
    }
    return true;
}

bool LiveDesk::tell(const Announced& told) {
    if (delivered_ == 0) {
        ++events_;
        concerned_ = watchers_of(told.board);
    }
    for (; delivered_ < concerned_.size(); ++delivered_) {
        if (!spend()) return false;
        // It may have gone meanwhile.
        if (LiveWatcher* const watcher = find(concerned_[delivered_])) {
            watcher->on_event(events_, told.json);
        }
    }
    concerned_.clear();
    return true;
}

std::vector<live::WatcherId> LiveDesk::watchers_of(std::string_view board) const {
    std::vector<live::WatcherId> all;
    const auto streams = of_board_.find(std::string(board));
    if (streams == of_board_.end()) return all;
    for (const live::StreamId id : streams->second) {
        for (const LiveWatcher* watcher : streams_.at(id).watchers) all.push_back(watcher->id_);
    }
    return all;
}

bool LiveDesk::tell(const Ended& told) {
    const auto found = streams_.find(told.stream);
    if (found == streams_.end()) return true;
    const auto ended = std::move(found->second.watchers);
    forget(found);
    std::vector<std::shared_ptr<LiveWatcher>> held;
    for (LiveWatcher* watcher : ended) {
        watcher->stream_ = {};
        held.push_back(std::move(watchers_.extract(watcher->id_).mapped()));
    }
    for (const auto& watcher : held) watcher->on_end();
    return true;
}

bool LiveDesk::tell(const Bye&) {
    const std::vector<LiveClient*> all(clients_.begin(), clients_.end());
    for (LiveClient* const client : all) {
        if (clients_.contains(client)) client->on_bye();
    }
    return true;
}

}  // namespace standings::api
