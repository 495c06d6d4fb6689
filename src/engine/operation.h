// Writes on their way to the committer and back.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <memory_resource>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"
#include "ledger/records.h"
#include "ledger/take_back.h"
#include "ranking/rules.h"

namespace standings::engine {

class HostedBoard;
class Operation;

// Where finished operations go: one per event loop. The committer delivers once per batch.
class Mailbox {
  public:
    virtual ~Mailbox() = default;
    // Any thread. The owner calls finished() of each on its own thread, in order.
    virtual void deliver(std::vector<std::unique_ptr<Operation>> finished) = 0;
};

// Something that another thread does for an event loop. Built by the loop, owned by whoever holds
// it, finished on the loop's thread again.
class Operation {
  public:
    explicit Operation(Mailbox& home) : home_(&home) {}
    virtual ~Operation() = default;
    Operation(const Operation&) = delete;
    Operation& operator=(const Operation&) = delete;

    // Called on the home loop's thread once the outcome is in place.
    virtual void finished() = 0;

    Mailbox& home() const { return *home_; }

  private:
    Mailbox* home_;
};

// The idempotency key of a request, hashed with its credential, and what the request said.
struct RequestKey {
    base::Hash128 hash;
    std::uint64_t fingerprint = 0;
};

// What taking submissions back leaves, and the state of the entry it was computed from.
struct PlannedTakeBack {
    ledger::EntryKey key;
    base::Sequence last_seq;    // of the player
    base::Sequence rule_since;  // of the board
    ledger::TakeBack what;
};

// One change of one entry.
struct EntryChange {
    HostedBoard* board = nullptr;  // one that the operation keeps
    // HostedBoard::columns_version() when the scores were read.
    std::uint32_t columns_version = 0;
    ledger::EventKind kind = ledger::EventKind::kSubmit;
    std::string_view player;  // in the operation's text
    ranking::Scores scores;
    base::Instant occurred_at = base::kNever;
    std::optional<std::string_view> name;  // an empty one removes it
    std::optional<std::string_view> meta;
    // For kTakenBack, which has no scores of its own. Lives as long as the operation.
    const PlannedTakeBack* take_back = nullptr;
};

// What became of one EntryChange.
struct ChangeOutcome {
    std::optional<base::Error> error;
    ranking::Outcome outcome = ranking::Outcome::kUnchanged;
    base::Sequence seq;  // of its event; of the board where nothing had to change
    base::PlayerSlot slot = base::kNoSlot;
    bool had_entry = false;
    ranking::Scores previous;
    bool stale = false;  // the entry is not the one that the take-back was planned for: do it anew
    base::Sequence previous_reached_seq;  // 0 where it is not known any more (a replay)
};

// How far a keyed stream is once this operation is durable.
struct StreamProgress {
    base::Hash128 key;
    // How far it is before this operation: one behind a piece that was not stored is refused, or
    // a retry would skip what is missing.
    std::uint64_t lines_before = 0;
    std::uint64_t lines = 0;
    std::uint64_t running_hash = 0;
    std::uint64_t rejected_by_reader = 0;  // lines that never got here
    bool complete = false;
};

// Changes of entries: a single one, an atomic array (of one board), or a piece of a stream.
class EntryOperation : public Operation {
  public:
    enum class Lane : std::uint8_t { kSingle, kBulk };

    // `board`: the one that all changes are for, or none where each names its own.
    explicit EntryOperation(Mailbox& home, std::shared_ptr<HostedBoard> board = nullptr)
        : Operation(home), board_(std::move(board)), text_(buffer_.data(), buffer_.size()) {}

    // Keeps a copy of `text` as long as the operation lives.
    std::string_view keep(std::string_view text) {
        if (text.empty()) return {};
        auto* copy = static_cast<char*>(text_.allocate(text.size(), 1));
        text.copy(copy, text.size());
        return {copy, text.size()};
    }

    // Keeps the board alive as long as the operation, for changes to point to. O(boards kept).
    HostedBoard* keep(const std::shared_ptr<HostedBoard>& board) {
        if (!board_) board_ = board;
        if (board_ == board) return board_.get();
        const auto kept = std::find(more_boards_.begin(), more_boards_.end(), board);
        if (kept == more_boards_.end()) more_boards_.push_back(board);
        return board.get();
    }

    // The first board, often the only one.
    HostedBoard& board() const { return *board_; }
    // Every board once.
    template <class Visit>
    void for_each_board(Visit&& visit) const {
        if (board_) visit(*board_);
        for (const auto& board : more_boards_) visit(*board);
    }

    // The request. `atomic`: all of the changes or none; the first error is the answer.
    bool atomic = true;
    // For one that is not atomic: when its board is closed, deleted, or has other columns now, none
    // of the changes is done either, and the error is that. So they may come again.
    bool stops_with_board = false;
    std::vector<EntryChange> changes;
    std::optional<RequestKey> key;
    std::optional<StreamProgress> stream;

    // The outcome. Either `error`, or one outcome per change.
    std::optional<base::Error> error;
    std::size_t failed_change = 0;  // which one `error` speaks of
    bool replayed = false;
    std::vector<ChangeOutcome> outcomes;
    std::optional<ledger::StreamRecord> stream_after;

  private:
    std::shared_ptr<HostedBoard> board_;
    std::vector<std::shared_ptr<HostedBoard>> more_boards_;
    std::array<char, 192> buffer_;
    std::pmr::monotonic_buffer_resource text_;
};

// A change of a board itself.
class BoardOperation : public Operation {
  public:
    using Operation::Operation;

    ledger::EventKind kind = ledger::EventKind::kBoardCreated;
    std::string slug;
    ledger::BoardConfig config;                      // created, changed
    std::optional<std::uint32_t> expected_revision;  // If-Match, or what `config` was made from
    std::optional<RequestKey> key;

    std::optional<base::Error> error;
    bool replayed = false;
    base::Sequence seq;
    std::shared_ptr<HostedBoard> board;  // none once it is deleted
};

// The begin and the end of a keyed stream: only one connection at a time may carry a key.
class StreamOperation : public Operation {
  public:
    enum class Step : std::uint8_t { kOpen, kRelease };

    using Operation::Operation;

    Step step = Step::kOpen;
    base::Hash128 key;

    std::optional<base::Error> error;
    // How far an earlier connection came.
    std::optional<ledger::StreamRecord> record;
};

}  // namespace standings::engine
