// What holds of every text that the API's parsers are given: whatever they take means the same when
// it is written down and read again.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "api/api_harness.h"
#include "api/board_json.h"
#include "api/cursor_text.h"
#include "api/standings_json.h"
#include "api/submission_json.h"
#include "api/target.h"
#include "base/check.h"
#include "ranking/score.h"
#include "text/clean_text.h"
#include "text/json_writer.h"

namespace standings::api {

// A submission that was read, with the operation that keeps its texts.
struct ReadSubmission {
    NoMailbox home;
    PlainOperation operation{home};
    text::JsonDocument document;
    std::optional<engine::EntryChange> change;
    std::optional<base::Error> error;
};

inline std::unique_ptr<ReadSubmission> read_submission_text(std::string_view text,
                                                            const ledger::BoardConfig& config,
                                                            base::Instant now) {
    auto read = std::make_unique<ReadSubmission>();
    const auto root = read->document.parse(text);
    if (!root) return nullptr;
    auto change = read_submission(read->document, **root, {config, now}, read->operation);
    if (change) {
        read->change = *change;
    } else {
        read->error = change.error();
    }
    return read;
}

// The change as a client could have sent it.
inline std::string submission_of(const engine::EntryChange& change,
                                 const ledger::BoardConfig& config) {
    std::string out = "{";
    text::append_member(out, "player", change.player);
    out += ',';
    append_scores(out, config, change.scores);
    if (change.name) {
        out += ",\"name\":";
        if (change.name->empty()) {
            out += "null";
        } else {
            text::append_json_string(out, *change.name);
        }
    }
    if (change.meta) {
        out += ",\"meta\":";
        out += change.meta->empty() ? "null" : *change.meta;
    }
    if (change.occurred_at != base::kNever) {
        out += ',';
        text::append_member(out, "occurred_at", base::rfc3339(change.occurred_at));
    }
    return out + '}';
}

inline void submission_comes_back(std::string_view text, const ledger::BoardConfig& config) {
    constexpr base::Instant kNow{1'790'000'000'000};
    const auto first = read_submission_text(text, config, kNow);
    if (!first) return;
    if (first->error) {
        CHECK(first->error->code == base::ErrorCode::kInvalid && !first->error->detail.empty());
        CHECK(text::is_utf8(first->error->detail) && text::is_utf8(first->error->pointer));
        return;
    }
    const engine::EntryChange& change = *first->change;
    CHECK(text::is_player_id(change.player));
    for (const std::int64_t units : change.scores.units) {
        CHECK(std::abs(units) <= ranking::kMaxUnits);
    }
    const auto second = read_submission_text(submission_of(change, config), config, kNow);
    CHECK(second && second->change);
    CHECK(second->change->player == change.player && second->change->scores == change.scores);
    CHECK(second->change->name == change.name && second->change->meta == change.meta);
    CHECK(second->change->occurred_at == change.occurred_at);
}

// The members of a board resource that a client sends to make the same board.
inline std::string board_request_of(std::string_view resource) {
    text::JsonDocument document;
    const auto root = document.parse(resource);
    CHECK(root);
    std::string request = "{";
    document.for_each(**root, [&](const text::JsonNode& member) {
        for (const char* ours :
             {"state", "revision", "epoch", "life", "seq", "total", "created_at", "updated_at"}) {
            if (member.key == ours) return;
        }
        // No title is written as an empty one, and sent as none.
        if (member.key == "title" && member.text.empty()) return;
        if (request.size() > 1) request += ',';
        text::append_key(request, member.key);
        document.write(member, request);
    });
    return request + '}';
}

// CHECKs that the board's own resource makes the same board again.
inline void board_comes_back(const std::string& slug, const ledger::BoardConfig& config) {
    std::string resource;
    append_board(resource, *hosted_board(config, slug), "k1");
    const std::string request = board_request_of(resource);
    text::JsonDocument document;
    const auto root = document.parse(request);
    CHECK(root);
    const auto again = read_new_board(document, **root);
    CHECK(again && again->slug == slug && again->config == config);
}

// `text` as a new board, and as a patch of `config`.
inline void board_request_is_sound(std::string_view text, const ledger::BoardConfig& config) {
    text::JsonDocument document;
    const auto root = document.parse(text);
    if (!root) return;
    if (const auto made = read_new_board(document, **root)) {
        board_comes_back(made->slug, made->config);
    } else {
        CHECK(made.error().code == base::ErrorCode::kInvalid && !made.error().detail.empty());
        CHECK(text::is_utf8(made.error().detail) && text::is_utf8(made.error().pointer));
    }
    const auto patched = patch_board(config, "a", document, **root);
    if (patched) board_comes_back("a", *patched);
}

// `text` as a request target: what it names can be asked for by name, and is UTF-8.
inline void target_is_sound(std::string_view text) {
    Target target;
    if (!target.parse(text)) return;
    CHECK(target.segment_count() <= Target::kMaxSegments);
    CHECK(target.parameters().size() <= Target::kMaxParameters);
    const bool ascii = std::all_of(text.begin(), text.end(), [](char c) { return c >= 0; });
    for (const Target::Parameter& parameter : target.parameters()) {
        CHECK(target.parameter(parameter.name) == parameter.value);
        // The parser of heads lets no other bytes through.
        if (ascii) CHECK(text::is_utf8(parameter.name) && text::is_utf8(parameter.value));
    }
}

// `text` as a cursor and as a score of a query.
inline void query_value_comes_back(std::string_view text) {
    for (std::size_t columns = 1; columns <= ranking::kMaxColumns; ++columns) {
        const auto cursor = parse_cursor(text, columns);
        if (!cursor) continue;
        std::string again;
        ranking::Row row{};
        row.scores = cursor->scores;
        row.reached_seq = cursor->reached_seq;
        append_cursor(again, cursor->direction, row, columns);
        const auto second = parse_cursor(again, columns);
        CHECK(second && second->direction == cursor->direction);
        CHECK(second->scores == cursor->scores && second->reached_seq == cursor->reached_seq);
    }
    for (std::uint8_t decimals = 0; decimals <= ranking::kMaxDecimals; ++decimals) {
        const auto units = ranking::parse_units(text, decimals);
        if (!units) continue;
        CHECK(std::abs(*units) <= ranking::kMaxUnits);
        std::string again;
        ranking::append_units(again, *units, decimals);
        const auto second = ranking::parse_units(again, decimals);
        CHECK(second && *second == *units);
    }
}

}  // namespace standings::api
