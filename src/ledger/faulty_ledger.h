// A ledger that fails when it is told to, around one that works. For tests of what uses a ledger.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "ledger/ledger.h"

namespace standings::ledger {

// Promise: passes everything on, but the commit that is named by fail_commit() ends as it says.
// After kUnknown every begin() fails with kReadOnly, as with a real one. Owner and thread: as of
// the ledger inside.
class FaultyLedger final : public Ledger {
  public:
    explicit FaultyLedger(std::unique_ptr<Ledger> inside) : inside_(std::move(inside)) {}

    // The n-th commit from now on (1: the next one) answers `outcome`. `kept`: whether a kUnknown
    // one is in the ledger after all.
    void fail_commit(std::uint64_t nth, CommitOutcome outcome, bool kept = false) {
        CHECK(nth > 0);
        fail_in_ = nth;
        outcome_ = outcome;
        kept_ = kept;
    }
    // begin() fails with this until it is called with none.
    void fail_begin(std::optional<base::Error> error) { begin_error_ = std::move(error); }

    std::uint64_t commits() const { return commits_; }
    Ledger& inside() { return *inside_; }
    std::unique_ptr<Ledger> take_inside() { return std::move(inside_); }

    const LedgerState& state() const override { return inside_->state(); }
    base::Result<std::vector<BoardRecord>> boards() override { return inside_->boards(); }
    base::Result<std::unique_ptr<Cursor<PlayerRecord>>> players() override {
        return inside_->players();
    }
    base::Result<std::unique_ptr<Cursor<EntryRecord>>> entries() override {
        return inside_->entries();
    }
    base::Result<std::unique_ptr<Cursor<Event>>> events(base::Sequence after) override {
        return inside_->events(after);
    }
    base::Result<std::unique_ptr<Cursor<Event>>> keyed_events(std::chrono::milliseconds window,
                                                              std::uint64_t most) override {
        return inside_->keyed_events(window, most);
    }

    base::Result<void> begin(std::span<const base::BoardId> boards) override {
        if (begin_error_) return *begin_error_;
        return inside_->begin(boards);
    }
    base::Result<base::Sequence> catch_up(EventSink& sink) override {
        return inside_->catch_up(sink);
    }
    base::Result<void> append(const Batch& batch) override { return inside_->append(batch); }

    Committed commit() override {
        ++commits_;
        if (fail_in_ == 0 || --fail_in_ > 0 || outcome_ == CommitOutcome::kCommitted) {
            return inside_->commit();
        }
        if (outcome_ == CommitOutcome::kUnknown) {
            begin_error_ = base::Error{base::ErrorCode::kReadOnly, "a commit was left unknown"};
        }
        if (outcome_ == CommitOutcome::kUnknown && kept_) {
            CHECK(inside_->commit().outcome == CommitOutcome::kCommitted);
        } else {
            inside_->roll_back();
        }
        return {outcome_, "told to fail"};
    }
    void roll_back() override { inside_->roll_back(); }

    base::Result<std::optional<Event>> event(base::Sequence seq) override {
        return inside_->event(seq);
    }
    base::Result<Details> details(EntryKey key) override { return inside_->details(key); }
    base::Result<std::optional<StreamRecord>> stream(base::Hash128 key) override {
        return inside_->stream(key);
    }
    base::Result<bool> maintain(base::Instant now, base::Sequence first_remembered) override {
        return inside_->maintain(now, first_remembered);
    }
    LedgerSizes sizes() override { return inside_->sizes(); }
    base::Result<std::unique_ptr<LedgerCopy>> start_backup(const std::string& path) override {
        return inside_->start_backup(path);
    }
    base::Result<BackupFacts> seal_backup(const std::string& path,
                                          const std::function<bool()>& cancelled) override {
        return inside_->seal_backup(path, cancelled);
    }
    base::Result<std::unique_ptr<LedgerReader>> open_reader() override {
        return inside_->open_reader();
    }
    base::Result<void> close() override { return inside_->close(); }

  private:
    std::unique_ptr<Ledger> inside_;
    std::uint64_t commits_ = 0;
    std::uint64_t fail_in_ = 0;
    CommitOutcome outcome_ = CommitOutcome::kCommitted;
    bool kept_ = false;
    std::optional<base::Error> begin_error_;
};

}  // namespace standings::ledger
