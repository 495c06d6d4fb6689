// NDJSON streams of submissions, to one board or with a board in each line: any length, each line
// for itself, resumable with a key.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "api/call.h"
#include "engine/hosted_board.h"
#include "net/http.h"

namespace standings::api {

// What is told of each line as it commits.
enum class LineReceipts : std::uint8_t { kNone, kProblems, kAll };

struct StreamOptions {
    LineReceipts receipts = LineReceipts::kNone;
    bool private_boards = true;  // lines may name them
    std::optional<base::Hash128> key;
};

// Takes the body of `call`. No `board`: each line names its own. Bounded: one line of text, the
// piece just read, and 1,024 lines with the committer; beyond that it pauses the connection.
std::unique_ptr<net::BodySink> open_submission_stream(Reply reply,
                                                      std::shared_ptr<engine::HostedBoard> board,
                                                      const StreamOptions& options);

}  // namespace standings::api
