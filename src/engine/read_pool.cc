#include "engine/read_pool.h"

#include <utility>

namespace standings::engine {

void DetailsOperation::run(ledger::LedgerReader& reader) {
    std::vector<DetailsCache::Ticket> tickets;
    tickets.reserve(keys.size());
    for (const auto& key : keys) tickets.push_back(cache_.ticket(key));

    auto read = reader.details(keys);
    if (!read) {
        error = read.error();
        return;
    }
    for (std::size_t i = 0; i < keys.size(); ++i) {
        details.push_back(std::make_shared<const ledger::Details>(std::move((*read)[i])));
        cache_.fill(keys[i], details.back(), tickets[i]);
    }
}

base::Result<std::unique_ptr<ReadPool>> ReadPool::start(ledger::Ledger& ledger, std::size_t threads,
                                                        std::size_t max_waiting) {
    std::unique_ptr<ReadPool> pool(new ReadPool(max_waiting));
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
    {
        const std::lock_guard hold(mutex_);
        stopping_ = true;
    }
    arrived_.notify_all();
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
        Mailbox& home = operation->home();
        std::vector<std::unique_ptr<Operation>> finished;
        finished.push_back(std::move(operation));
        home.deliver(std::move(finished));
    }
}

}  // namespace standings::engine
