// Submissions as JSON.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "engine/operation.h"
#include "ledger/records.h"
#include "text/json_document.h"

namespace standings::api {

// What a reader of submissions needs to know of the board and of now.
struct SubmissionRules {
    const ledger::BoardConfig& config;
    base::Instant now;
    bool names_board = false;  // has a member `board`, which the caller reads
};

// The board that a submission to /v1/submissions names. Fails with kInvalid and a pointer.
base::Result<std::string_view> read_board_name(const text::JsonDocument& document,
                                               const text::JsonNode& node);

// Reads {"player":...,"score":...} into a change that keeps its texts in `operation`. Fails with
// kInvalid and a pointer relative to `node`.
base::Result<engine::EntryChange> read_submission(const text::JsonDocument& document,
                                                  const text::JsonNode& node,
                                                  const SubmissionRules& rules,
                                                  engine::EntryOperation& operation);

// The body of a PUT: the same without `player`, which the path has.
base::Result<engine::EntryChange> read_exact_scores(const text::JsonDocument& document,
                                                    const text::JsonNode& node,
                                                    const SubmissionRules& rules,
                                                    std::string_view player,
                                                    engine::EntryOperation& operation);

}  // namespace standings::api
