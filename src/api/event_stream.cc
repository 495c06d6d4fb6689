#include "api/event_stream.h"

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "api/live_desk.h"
#include "text/json_writer.h"

namespace standings::api {
namespace {

// So that proxies on the way do not take the silence for an end.
constexpr auto kKeepAlive = std::chrono::seconds(15);

// The desk keeps it. What the desk calls never unwatches but at an end.
class EventStream final : public LiveWatcher,
                          public LiveClient,
                          public std::enable_shared_from_this<EventStream> {
  public:
    explicit EventStream(Reply reply) : reply_(std::move(reply)) { desk().enter(*this); }
    ~EventStream() override { desk().leave(*this); }
    EventStream(const EventStream&) = delete;
    EventStream& operator=(const EventStream&) = delete;

    void start(live::Watch watch) {
        reply_.expect_long();
        desk().watch(shared_from_this(), std::move(watch));
        wait_for_end();
    }

    void on_welcome(const live::Audience::Welcome&, FrameBytes* frame) override {
        has_begun_ = true;
        reply_.begin(200, "text/event-stream",
                     "Cache-Control: no-store\r\nX-Accel-Buffering: no\r\n");
        reply_.exchange().bound_unsent(kMostUnsent);
        write("retry: " + retry() + "\n\n");
        if (frame != nullptr) write(*frame);
        keep_alive();
    }

    void on_refused(live::Refusal why) override {
        if (why == live::Refusal::kTooMany) {
            return reply_.problem(
                {base::ErrorCode::kOverloaded, "More views are watched than this server takes."});
        }
        reply_.problem({base::ErrorCode::kBoardNotFound, "There is no board of this name."});
    }

    void on_frame(FrameBytes& frame) override {
        if (!is_behind_ && reply_.exchange().unsent_bytes() <= kMostUnsent) {
            return write(frame);
        }
        ++reply_.tools().service.publisher->statistics().skipped;
        if (std::exchange(is_behind_, true)) return;
        reply_.exchange().when_unsent_at_most(kCaughtUp, [here = weak_from_this()] {
            const auto self = here.lock();
            if (!self) return;
            if (!self->reply_.exchange().open()) return self->desk().unwatch(*self);
            self->desk().resync(*self);
            self->wait_for_end();
        });
    }

    void on_caught_up(FrameBytes& snapshot) override {
        is_behind_ = false;
        write(snapshot);
    }

    void on_event(std::uint64_t, std::string_view json) override {
        if (!is_behind_) write("event: event\ndata: " + std::string(json) + "\n\n");
    }

    // Who comes back is told that there is no such board.
    void on_end() override { reply_.end(); }

    void on_bye() override {
        const auto self = shared_from_this();
        desk().unwatch(*this);
        if (!has_begun_) {
            return reply_.problem({base::ErrorCode::kDraining, "The server is shutting down."});
        }
        const std::string wait = retry();
        write("retry: " + wait +
              "\nevent: bye\ndata: {\"type\":\"bye\",\"reason\":\"draining\",\"retry_after_ms\":" +
              wait + "}\n\n");
        reply_.end();
    }

  private:
    LiveDesk& desk() const { return *reply_.tools().live; }
    std::string retry() const { return std::to_string(retry_after(reply_.tools().service.random)); }

    void write(FrameBytes& frame) {
        write(frame.as_event());
        reply_.tools().service.publisher->statistics().count(frame.frame().kind);
    }
    void write(std::string_view bytes) {
        is_silent_ = false;
        reply_.exchange().write(bytes);
    }

    void wait_for_end() {
        reply_.exchange().when_gone([here = weak_from_this()] {
            if (const auto self = here.lock()) self->desk().unwatch(*self);
        });
    }

    void keep_alive() {
        is_silent_ = true;
        reply_.tools().loop.after(kKeepAlive / 2, [here = weak_from_this()] {
            const auto self = here.lock();
            if (!self || !self->reply_.exchange().open()) return;
            if (self->is_silent_) self->write(":\n\n");
            self->keep_alive();
        });
    }

    Reply reply_;
    bool has_begun_ = false;
    bool is_behind_ = false;
    bool is_silent_ = true;  // since the last look
};

}  // namespace

void open_event_stream(Reply reply, live::Watch watch) {
    std::make_shared<EventStream>(std::move(reply))->start(std::move(watch));
}

}  // namespace standings::api
