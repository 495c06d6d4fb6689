// Moves what is committed from the WAL into the database file.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "base/result.h"
#include "ledger/sqlite/connection.h"
#include "ledger/sqlite/moved_pages.h"

namespace standings::ledger::sqlite {

struct Checkpointed {
    int in_wal = -1;  // frames; -1: another program is at it
    int moved = -1;   // of these, into the database file

    bool all() const { return in_wal == moved; }
};

// Checkpoints only when it is told to, and on the connection that writes: two connections that
// write or checkpoint at once can harm the WAL up to SQLite 3.51.2. Owner: the ledger. Thread: the
// committer's. Cost: ~10 us a page that is moved, and an fsync of each file.
class Checkpointer {
  public:
    // After `every` pages more in the WAL it is time. `connection` is configured, and outlives this
    // one.
    Checkpointer(Connection& connection, std::uint64_t every);
    ~Checkpointer();
    Checkpointer(const Checkpointer&) = delete;
    Checkpointer& operator=(const Checkpointer&) = delete;

    bool due() const { return wal_frames_ >= tried_frames_ + every_; }
    // As far as no reader needs the older pages. A reader that is in the way is no failure: the
    // next time moves the rest.
    base::Result<Checkpointed> run();

    // From now on each page that is moved into the file is noted in `pages`, as long as somebody
    // else has them, or they are lost: where another program has moved some. One at a time.
    base::Result<void> watch(const std::shared_ptr<MovedPages>& pages);
    bool watched() const { return !watcher_.expired(); }

  private:
    void committed(std::uint64_t frames);
    base::Result<void> note(const Checkpointed& done, MovedPages& pages);
    base::Result<std::uint32_t> salt() const;
    base::Result<std::uint32_t> wal_number(std::int64_t at) const;

    Connection& connection_;
    const std::uint64_t every_;
    std::uint64_t wal_frames_ = 0;
    std::uint64_t tried_frames_ = 0;  // in the WAL at the last time

    // The watcher knows of `noted_frames_` of the WAL that began with `salt_`.
    std::weak_ptr<MovedPages> watcher_;
    std::uint32_t salt_ = 0;
    std::uint64_t noted_frames_ = 0;
};

}  // namespace standings::ledger::sqlite
