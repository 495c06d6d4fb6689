// What can go wrong, as a value. Every failure of the product has one code here; `api/` gives each
// a status and a page, `server/` an exit code.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace standings::base {

enum class ErrorCode : std::uint8_t {
    // The request itself.
    kMalformed,        // not JSON, not UTF-8, not HTTP
    kInvalid,          // well-formed, but a value is not allowed
    kUnauthenticated,  // no credential, or an unknown one
    kForbidden,        // a credential without the scope
    kRouteNotFound,
    kMethodNotAllowed,
    kUpgradeRequired,  // the resource is a WebSocket
    kBoardNotFound,
    kPlayerNotFound,
    kSubmissionNotFound,
    kBoardExists,
    kBoardNotEmpty,
    kBoardClosed,
    kBoardFull,
    kHistoryTrimmed,       // what a submission changed is not known any more
    kScoreOverflow,        // a sum beyond what a score can hold
    kRevisionMismatch,     // If-Match names another revision
    kIdempotencyMismatch,  // the key was used for another request
    kIdempotencyRunning,   // the first request with this key is not finished
    kEpochChanged,
    kJobNotFound,
    kBackupNotFound,
    kJobRunning,  // one at a time
    kCancelled,
    kTooLarge,
    kTargetTooLong,
    kHeadTooLarge,
    kExpectationFailed,
    kVersionNotSupported,
    kNotImplemented,
    kUnsupportedMediaType,
    kTimeout,
    kRateLimited,
    // The server.
    kInternal,
    kOverloaded,      // a bounded queue is full
    kDraining,        // the server is shutting down
    kReadOnly,        // the disk refused; nothing is written until it works again
    kOutcomeUnknown,  // the commit failed in a way that may still be on disk
    kReadTimeout,     // a long read did not end in time
    kNotReached,      // min_seq was not reached in time
    // Disk and start.
    kIo,
    kNoSpace,
    kIntegrity,  // what is on disk is damaged or older than what was acknowledged
    kBusy,       // address or data folder in use by another process
    kSchema,     // a database of another program or version
    kSettings,
};

// One failure. `detail` is a sentence for a person that says what to do; `pointer` is the JSON
// pointer of the offending value where there is one.
struct Error {
    ErrorCode code;
    std::string detail;
    std::string pointer = {};

    // The same failure with what was being done in front: "open data folder: disk full".
    [[nodiscard]] Error with_context(std::string_view doing) const {
        return {code, std::string(doing) + ": " + detail, pointer};
    }
};

}  // namespace standings::base
