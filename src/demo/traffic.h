// The game's submissions on their way into the engine: what happened before, at once; then live.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/result.h"
#include "demo/game.h"
#include "engine/engine.h"

namespace standings::demo {

// Where finished operations go: they are counted and dropped. Any thread. Outlives the engine.
class Desk final : public engine::Mailbox {
  public:
    void deliver(std::vector<std::unique_ptr<engine::Operation>> finished) override;

    // Hands `operation` to the engine once fewer than `most` are under way; kOverloaded and
    // kDraining as the engine answers.
    base::Result<void> hand_over(engine::Engine& engine,
                                 std::unique_ptr<engine::Operation> operation,
                                 engine::EntryOperation::Lane lane, std::size_t changes,
                                 std::size_t most);
    void wait_until_done();
    // Of the operations that came back, the first failure.
    std::optional<base::Error> failure() const;

  private:
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::size_t under_way_ = 0;
    std::optional<base::Error> failure_;
};

// Makes the boards and everything that happened before the start. 50,000 players take well under a
// second.
base::Result<void> open_game(engine::Engine& engine, const Game& game);

// Promise: submits what the game yields at `rate` a second, through the engine's queue as any
// client would, never with more than a few hundred under way; a server that cannot keep up slows
// the game. Owner: the demo; game and engine outlive it. Its thread is the only one that plays the
// game while it runs.
class Traffic {
  public:
    Traffic(engine::Engine& engine, Game& game, double rate);
    ~Traffic();

    // Ends the thread when all that was handed over is back. Idempotent; before Engine::stop().
    void stop();

  private:
    void run();
    bool submit_one();

    engine::Engine& engine_;
    Game& game_;
    const double rate_;
    Desk desk_;
    std::mutex mutex_;
    std::condition_variable ended_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace standings::demo
