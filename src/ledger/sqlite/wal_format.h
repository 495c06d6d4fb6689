// Where SQLite keeps what in a database in WAL mode: https://www.sqlite.org/fileformat2.html
#pragma once

#include <cstdint>

namespace standings::ledger::sqlite {

inline constexpr std::int64_t kPageBytes = 4096;  // of all databases that we make

inline constexpr std::int64_t kWalHeaderBytes = 32;
// The first of two; one more each time the WAL begins anew.
inline constexpr std::int64_t kWalSaltAt = 16;
// The page's number stands first.
inline constexpr std::int64_t kFrameHeaderBytes = 24;

// Counts frames from 0; also the bytes of a WAL that holds so many.
constexpr std::int64_t wal_frame_at(std::int64_t frame) {
    return kWalHeaderBytes + frame * (kFrameHeaderBytes + kPageBytes);
}

}  // namespace standings::ledger::sqlite
