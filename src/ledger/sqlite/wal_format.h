// Where SQLite keeps what in a database in WAL mode: https://www.sqlite.org/fileformat2.html
#pragma once

#include <cstdint>

namespace standings::ledger::sqlite {

inline constexpr std::int64_t kPageBytes = 4096;  // of all databases that we make

inline constexpr std::int64_t kWalHeaderBytes = 32;
inline constexpr std::int64_t kWalSaltAt =
    16;  // the first of two: one more each time it begins anew
inline constexpr std::int64_t kFrameHeaderBytes = 24;  // the page's number stands first

// Counts frames from 0; also the bytes of a WAL that holds so many.
constexpr std::int64_t wal_frame_at(std::int64_t frame) {
    return kWalHeaderBytes + frame * (kFrameHeaderBytes + kPageBytes);
}

}  // namespace standings::ledger::sqlite
