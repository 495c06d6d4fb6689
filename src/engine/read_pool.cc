#include "engine/read_pool.h"

#include <utility>

namespace standings::engine {

void DetailsOperation::run(ledger::LedgerReader& reader) {
    auto read = read_details(reader, cache_, keys, players);
    if (!read) {
        error = read.error();
        return;
    }
    details = *std::move(read);
}

base::Result<std::vector<SharedDetails>> read_details(ledger::LedgerReader& reader,
                                                      DetailsCache& cache,
                                                      std::span<const ledger::EntryKey> keys,
                                                      std::span<const std::string> players) {
    std::vector<DetailsCache::Ticket> tickets;
    tickets.reserve(keys.size());
    for (const auto& key : keys) tickets.push_back(cache.ticket(key));

    auto read = reader.details(keys);
    if (!read) return read.error();
    std::vector<SharedDetails> details;
    details.reserve(keys.size());
    for (std::size_t i = 0; i < keys.size(); ++i) {
        ledger::PlayerRecord& row = (*read)[i];
        if (row.player != players[i]) {
            // The slot was dropped since; what it holds now is somebody else's.
            details.push_back(share_details(players[i], {}));
            continue;
        }
        details.push_back(share_details(row.player, std::move(row.details)));
        cache.fill(keys[i], details.back(), tickets[i]);
    }
    return details;
}

base::Result<std::unique_ptr<ReadPool>> ReadPool::start(ledger::Ledger& ledger, std::size_t threads,
                                                        std::size_t max_waiting, AtStop at_stop) {
    std::unique_ptr<ReadPool> pool(new ReadPool(max_waiting, at_stop));
    for (std::size_t i = 0; i < threads; ++i) {
        auto reader = ledger.open_reader();
        if (!reader) return reader.error().with_context("open a reading connection");
        pool->readers_.push_back(std::move(*reader));
    }
    for (const auto& reader : pool->readers_) {
        pool->threads_.emplace_back([pool = pool.get(), &reader] { pool->work(*reader); });
    }
    return pool;
}

ReadPool::~ReadPool() {
    stop();
}

bool ReadPool::push(std::unique_ptr<ReadOperation>& operation) {
    {
        const std::lock_guard hold(mutex_);
        if (stopping_ || waiting_.size() >= max_waiting_) return false;
        waiting_.push_back(std::move(operation));
    }
    arrived_.notify_one();
    return true;
}

void ReadPool::stop() {
    std::deque<std::unique_ptr<ReadOperation>> unread;
    {
        const std::lock_guard hold(mutex_);
        stopping_ = true;
        if (at_stop_ == AtStop::kHandBack) unread.swap(waiting_);
    }
    arrived_.notify_all();
    for (auto& operation : unread) {
        operation->error = base::Error{base::ErrorCode::kDraining,
                                       "The server is shutting down. Try again in a moment."};
        hand_back(std::move(operation));
    }
    for (auto& thread : threads_) {
        if (thread.joinable()) thread.join();
    }
}

void ReadPool::work(ledger::LedgerReader& reader) {
    for (;;) {
        std::unique_lock hold(mutex_);
        arrived_.wait(hold, [this] { return stopping_ || !waiting_.empty(); });
        if (waiting_.empty()) return;
        auto operation = std::move(waiting_.front());
        waiting_.pop_front();
        hold.unlock();

        operation->run(reader);
        hand_back(std::move(operation));
    }
}

void ReadPool::hand_back(std::unique_ptr<ReadOperation> operation) {
    Mailbox& home = operation->home();
    std::vector<std::unique_ptr<Operation>> finished;
    finished.push_back(std::move(operation));
    home.deliver(std::move(finished));
}

}  // namespace standings::engine
