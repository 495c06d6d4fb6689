#include "engine/engine.h"

#include <utility>

namespace standings::engine {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

// Of the ledger, that a start looks through for the feed.
constexpr std::uint64_t kFeedEvents = 2000;

// The first event of a ranking is one of these.
constexpr bool may_begin_life(ledger::EventKind kind) {
    return kind == ledger::EventKind::kBoardCreated || kind == ledger::EventKind::kBoardChanged ||
           kind == ledger::EventKind::kBoardReset;
}

}  // namespace

Engine::Engine(std::unique_ptr<ledger::Ledger> ledger, const base::Clock& clock,
               const Options& options)
    : ledger_(std::move(ledger)),
      clock_(clock),
      epoch_(ledger_->state().epoch),
      hash_seed_(ledger_->state().hash_seed),
      spool_folder_(options.spool_folder),
      details_(options.details_cache_bytes),
      waits_(options.max_position_waits),
      queue_(options.queue) {}

Result<std::unique_ptr<Engine>> Engine::start(std::unique_ptr<ledger::Ledger> ledger,
                                              const base::Clock& clock, const Options& options) {
    std::unique_ptr<Engine> engine(new Engine(std::move(ledger), clock, options));
    auto loaded = load(*engine->ledger_, engine->registry_, clock, options.load);
    if (!loaded) return loaded.error();
    auto reads = ReadPool::start(*engine->ledger_, options.read_threads, options.max_waiting_reads,
                                 ReadPool::AtStop::kFinish);
    if (!reads) return reads.error();
    engine->reads_ = std::move(*reads);
    auto slow_reads = ReadPool::start(*engine->ledger_, options.slow_read_threads,
                                      options.max_waiting_slow_reads, ReadPool::AtStop::kHandBack);
    if (!slow_reads) return slow_reads.error();
    engine->slow_reads_ = std::move(*slow_reads);
    engine->committer_ = std::make_unique<Committer>(
        *engine->ledger_, engine->registry_, engine->details_, engine->feed_, engine->queue_, clock,
        engine->applied_, engine->statistics_, *std::move(loaded), options.committer);
    engine->fill_feed();
    engine->waits_.on_applied(engine->applied_seq());
    engine->committer_->start();
    return engine;
}

// The last submissions of before, so that a feed does not begin empty.
void Engine::fill_feed() {
    const std::uint64_t last = applied_seq().value;
    auto events = ledger_->events({last - std::min(last, kFeedEvents)});
    if (!events) return feed_.start({last});
    ledger::Event event;
    auto more = (*events)->next(event);
    const base::Sequence after{more && *more ? event.seq.value - 1 : last};
    feed_.start(after);
    for (; more && *more; more = (*events)->next(event)) {
        const HostedBoard* board = registry_.find(event.ranking);
        if (board != nullptr && may_begin_life(event.kind)) {
            feed_.begin_life(event.ranking, event.seq);
        }
        const bool has_player = board != nullptr && ledger::is_entry_event(event.kind) &&
                                board->committed_board().has_player(event.slot);
        if (!has_player) continue;
        Feed::Adding(feed_).add(event, board->committed_board().player_id(event.slot),
                                board->committed_record());
    }
    // An event that cannot be read: what is lost is a glance at the past, not the start.
    if (!more) feed_.start({last});
    feed_.reach({last});
}

Engine::~Engine() {
    stop();
}

void Engine::stop() {
    if (slow_reads_) slow_reads_->stop();
    if (committer_) committer_->stop();
    // Behind the committer: the last receipts may need a name.
    if (reads_) reads_->stop();
}

Result<void> Engine::submit(std::unique_ptr<Operation>& operation, EntryOperation::Lane lane,
                            std::size_t changes) {
    const auto push = lane == EntryOperation::Lane::kBulk ? queue_.push_bulk(operation, changes)
                                                          : queue_.push_single(operation, changes);
    switch (push) {
        case WriteQueue::Push::kTaken:
            return {};
        case WriteQueue::Push::kFull:
            return Error{ErrorCode::kOverloaded,
                         "More scores arrive than can be made durable. Try again in a moment."};
        case WriteQueue::Push::kClosed:
            break;
    }
    return Error{ErrorCode::kDraining, "The server is shutting down. Try again in a moment."};
}

Result<void> Engine::read(std::unique_ptr<ReadOperation>& operation) {
    if (reads_->push(operation)) return {};
    return Error{ErrorCode::kOverloaded,
                 "Too many reads wait for the disk. Try again in a moment."};
}

Result<void> Engine::read_slowly(std::unique_ptr<ReadOperation>& operation) {
    if (slow_reads_->push(operation)) return {};
    return Error{ErrorCode::kOverloaded,
                 "Too many long reads are under way. Try again in a moment."};
}

}  // namespace standings::engine
