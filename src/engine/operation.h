// Writes on their way to the committer and back.
#pragma once

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

// One change of one entry.
struct EntryChange {
    ledger::EventKind kind = ledger::EventKind::kSubmit;
    std::string_view player;  // in the operation's text
    ranking::Scores scores;
    base::Instant occurred_at = base::kNever;
    std::optional<std::string_view> name;  // an empty one removes it
    std::optional<std::string_view> meta;
};

// What became of one EntryChange.
struct ChangeOutcome {
    std::optional<base::Error> error;
    ranking::Outcome outcome = ranking::Outcome::kUnchanged;
    base::Sequence seq;  // of its event; of the board where nothing had to change
    base::PlayerSlot slot = base::kNoSlot;
    bool had_entry = false;
    ranking::Scores previous;
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

// Changes of entries of one board: a single one, an atomic array, or a piece of a stream.
class EntryOperation : public Operation {
  public:
    enum class Lane : std::uint8_t { kSingle, kBulk };

    EntryOperation(Mailbox& home, std::shared_ptr<HostedBoard> board)
        : Operation(home), board_(std::move(board)), text_(buffer_.data(), buffer_.size()) {}

    // Keeps a copy of `text` as long as the operation lives.
    std::string_view keep(std::string_view text) {
        if (text.empty()) return {};
        auto* copy = static_cast<char*>(text_.allocate(text.size(), 1));
        text.copy(copy, text.size());
        return {copy, text.size()};
    }

    HostedBoard& board() const { return *board_; }
    const std::shared_ptr<HostedBoard>& shared_board() const { return board_; }

    // The request. `atomic`: all of the changes or none; the first error is the answer.
    bool atomic = true;
    std::vector<EntryChange> changes;
    std::optional<RequestKey> key;
    std::optional<StreamProgress> stream;
    // HostedBoard::columns_version() when the scores were read.
    std::uint32_t columns_version = 0;

    // The outcome. Either `error`, or one outcome per change.
    std::optional<base::Error> error;
    std::size_t failed_change = 0;  // which one `error` speaks of
    bool replayed = false;
    std::vector<ChangeOutcome> outcomes;
    std::optional<ledger::StreamRecord> stream_after;

  private:
    std::shared_ptr<HostedBoard> board_;
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
