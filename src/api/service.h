// What all routes share: the engine behind them, who may call them, and each loop's own tools.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "access/credentials.h"
#include "api/page_cache.h"
#include "api/target.h"
#include "base/log.h"
#include "base/random.h"
#include "engine/engine.h"
#include "engine/queries.h"
#include "jobs/backups.h"
#include "jobs/job_list.h"
#include "net/http.h"
#include "net/server.h"
#include "text/json_document.h"

namespace standings::api {

class Publisher;

// Bounds of what a request may bring.
struct Limits {
    std::size_t max_body_bytes = 64 * 1024;  // one object
    std::size_t max_array_bytes = 1024 * 1024;
    std::size_t max_line_bytes = 64 * 1024;  // of a stream
    std::size_t max_depth = text::JsonDocument::kMaxDepth;
    // Of a WebSocket.
    std::size_t max_message_bytes = 16 * 1024;
    std::size_t max_fragments = 64;  // of a message
    std::size_t max_watches = 64;
    std::chrono::milliseconds ping_after{25'000};
};

// Owner: the server. Any thread.
struct Service {
    engine::Engine& engine;
    const access::Credentials& credentials;
    base::Random& random;
    std::string version;
    jobs::JobList* jobs;
    Publisher* publisher;
    jobs::Backups* backups = nullptr;                    // none: the ledger has no file to copy
    std::atomic<const net::Server*> transport{nullptr};  // set once it runs
    std::atomic<bool> draining{false};
    std::atomic<std::uint32_t> exports{0};  // under way
    Limits limits = {};
    base::Log* log = &base::no_log();
    std::chrono::milliseconds slow_request{1000};  // 0: none is
};

// Brings finished operations to a loop's thread: one post for all that wait.
class LoopMailbox final : public engine::Mailbox {
  public:
    explicit LoopMailbox(net::Loop& loop) : loop_(loop) {}
    void deliver(std::vector<std::unique_ptr<engine::Operation>> finished) override;

  private:
    void drain();

    net::Loop& loop_;
    std::mutex mutex_;
    std::vector<std::unique_ptr<engine::Operation>> waiting_;
};

class LiveDesk;
class PlayerRound;

// A loop's own tools, kept so that requests allocate little. That loop's thread only.
struct LoopTools {
    LoopTools(Service& shared, net::Loop& own_loop);
    ~LoopTools();

    std::string make_request_id();
    // Whether one more line about requests that failed or were slow fits into this second.
    bool may_complain(base::Monotonic now);

    Service& service;
    net::Loop& loop;
    LoopMailbox mailbox;
    PageCache pages;
    std::unique_ptr<PlayerRound> players;
    std::unique_ptr<LiveDesk> live;
    text::JsonDocument json;
    Target target;
    engine::Page page;
    std::string body;
    std::string headers;
    std::string view_headers;

  private:
    std::uint64_t request_base_;
    std::uint64_t requests_ = 0;
    base::Monotonic complaints_since_{0};
    std::uint64_t complaints_ = 0;
};

}  // namespace standings::api
