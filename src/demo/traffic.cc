#include "demo/traffic.h"

#include <algorithm>
#include <utility>

namespace standings::demo {
namespace {

using base::Result;
using engine::EntryOperation;

constexpr std::size_t kAtOnce = 1000;     // submissions of one bulk operation
constexpr std::size_t kBulkUnderWay = 8;  // bulk operations
constexpr std::size_t kSinglesUnderWay = 256;
// After a pause (a suspended machine, a stopped process) traffic goes on; it does not catch up.
constexpr auto kMostLate = std::chrono::milliseconds(250);
constexpr auto kTick = std::chrono::milliseconds(5);
constexpr auto kAfterRefusal = std::chrono::milliseconds(100);

class Submissions final : public EntryOperation {
  public:
    Submissions(engine::Mailbox& home, std::shared_ptr<engine::HostedBoard> hosted)
        : EntryOperation(home, std::move(hosted)) {}
    void finished() override {}

    void add(const Game& game, const GameSubmission& submission) {
        engine::EntryChange change;
        change.board = &board();
        change.columns_version = board().columns_version();
        change.player = keep(player_id(submission.player));
        change.scores = submission.scores;
        if (submission.first) change.name = keep(game.name(submission.player));
        changes.push_back(change);
    }
};

class MakeBoard final : public engine::BoardOperation {
  public:
    using BoardOperation::BoardOperation;
    void finished() override {}
};

std::optional<base::Error> failure_of(const engine::Operation& operation) {
    if (const auto* board = dynamic_cast<const engine::BoardOperation*>(&operation)) {
        return board->error;
    }
    const auto* entries = dynamic_cast<const EntryOperation*>(&operation);
    if (entries == nullptr) return std::nullopt;
    if (entries->error) return entries->error;
    for (const auto& outcome : entries->outcomes) {
        if (outcome.error) return outcome.error;
    }
    return std::nullopt;
}

const std::string& slug_of(BoardName board) {
    return game_boards()[static_cast<std::size_t>(board)].slug;
}

}  // namespace

void Desk::deliver(std::vector<std::unique_ptr<engine::Operation>> finished) {
    const std::lock_guard hold(mutex_);
    for (const auto& operation : finished) {
        if (!failure_) failure_ = failure_of(*operation);
    }
    under_way_ -= finished.size();
    changed_.notify_all();
}

Result<void> Desk::hand_over(engine::Engine& engine, std::unique_ptr<engine::Operation> operation,
                             EntryOperation::Lane lane, std::size_t changes, std::size_t most) {
    {
        std::unique_lock hold(mutex_);
        changed_.wait(hold, [&] { return under_way_ < most; });
        ++under_way_;
    }
    const auto taken = engine.submit(operation, lane, changes);
    if (!taken) {
        const std::lock_guard hold(mutex_);
        --under_way_;
        changed_.notify_all();
    }
    return taken;
}

void Desk::wait_until_done() {
    std::unique_lock hold(mutex_);
    changed_.wait(hold, [&] { return under_way_ == 0; });
}

std::optional<base::Error> Desk::failure() const {
    const std::lock_guard hold(mutex_);
    return failure_;
}

Result<void> open_game(engine::Engine& engine, const Game& game) {
    Desk desk;
    Result<void> opened;
    const auto hand_over = [&](std::unique_ptr<engine::Operation> operation, std::size_t changes) {
        if (opened) {
            opened = desk.hand_over(engine, std::move(operation), EntryOperation::Lane::kBulk,
                                    changes, kBulkUnderWay);
        }
    };
    for (const GameBoard& board : game_boards()) {
        auto make = std::make_unique<MakeBoard>(desk);
        make->slug = board.slug;
        make->config = board.config;
        hand_over(std::move(make), 1);
    }
    desk.wait_until_done();
    if (opened && desk.failure()) return *desk.failure();

    for (std::size_t i = 0; i < kBoards; ++i) {
        const auto board = engine.registry().find(game_boards()[i].slug);
        const auto all = game.opening(static_cast<BoardName>(i));
        for (std::size_t from = 0; from < all.size(); from += kAtOnce) {
            auto some = std::make_unique<Submissions>(desk, board);
            const std::size_t to = std::min(from + kAtOnce, all.size());
            for (std::size_t at = from; at < to; ++at) some->add(game, all[at]);
            hand_over(std::move(some), to - from);
        }
    }
    desk.wait_until_done();
    if (opened && desk.failure()) return *desk.failure();
    return opened;
}

Traffic::Traffic(engine::Engine& engine, Game& game, double rate)
    : engine_(engine), game_(game), rate_(rate) {
    if (rate_ > 0) thread_ = std::thread([this] { run(); });
}

Traffic::~Traffic() {
    stop();
}

void Traffic::stop() {
    {
        const std::lock_guard hold(mutex_);
        stopping_ = true;
    }
    ended_.notify_one();
    if (thread_.joinable()) thread_.join();
    desk_.wait_until_done();
}

void Traffic::run() {
    using Seconds = std::chrono::duration<double>;
    const auto between = std::chrono::duration_cast<base::Monotonic>(Seconds(1 / rate_));
    auto due = engine_.clock().monotonic() + between;
    std::unique_lock hold(mutex_);
    while (!stopping_) {
        const auto now = engine_.clock().monotonic();
        if (now < due) {
            ended_.wait_for(hold, std::max<base::Monotonic>(due - now, kTick));
            continue;
        }
        due = std::max<base::Monotonic>(due, now - kMostLate) + between;
        hold.unlock();
        const bool taken = submit_one();
        hold.lock();
        if (!taken) ended_.wait_for(hold, kAfterRefusal, [this] { return stopping_; });
    }
}

bool Traffic::submit_one() {
    const GameSubmission submission = game_.next();
    const auto board = engine_.registry().find(slug_of(submission.board));
    if (!board) return true;  // somebody deleted it: the game goes on with the others
    auto single = std::make_unique<Submissions>(desk_, board);
    single->add(game_, submission);
    const auto taken = desk_.hand_over(engine_, std::move(single), EntryOperation::Lane::kSingle, 1,
                                       kSinglesUnderWay);
    return static_cast<bool>(taken);
}

}  // namespace standings::demo
