#include "api/problem.h"

#include <array>

#include "base/check.h"
#include "text/clean_text.h"
#include "text/json_writer.h"

namespace standings::api {
namespace {

using base::ErrorCode;

constexpr std::array kKinds = {
    ProblemKind{ErrorCode::kMalformed, 400, "malformed", "The request cannot be read",
                "The request is not HTTP/1.1, not JSON or not UTF-8 as the standards have it. The "
                "detail names the place. Mend the client; sending it again does not help."},
    ProblemKind{
        ErrorCode::kInvalid, 422, "invalid", "A value is not allowed",
        "The request can be read, but a value in it is not allowed, or a member is not "
        "known. `errors` points to it: `/player` in the body, `?limit` of the query. Nothing was "
        "changed."},
    ProblemKind{ErrorCode::kUnauthenticated, 401, "unauthenticated", "A key is needed",
                "Send a key that this server knows as `Authorization: Bearer st_sk_...`. The first "
                "start of the server showed one on its terminal, or wrote it to DATA/initial-key "
                "where it had none."},
    ProblemKind{ErrorCode::kForbidden, 403, "forbidden", "This is not allowed",
                "The key is known, but lacks the scope that `detail` names; or there are no keys, "
                "as in a demo, and nobody may do it."},
    ProblemKind{ErrorCode::kRouteNotFound, 404, "not_found", "There is nothing here",
                "No route has this path. The API begins at GET /v1/boards, which lists the boards; "
                "the page of one is /b/{board}."},
    ProblemKind{ErrorCode::kBoardNotFound, 404, "board_not_found", "There is no such board",
                "The board was never made, was deleted, or is private to others. GET /v1/boards "
                "lists those that you may see."},
    ProblemKind{ErrorCode::kPlayerNotFound, 404, "player_not_found", "There is no such player",
                "The player has no entry on this board."},
    ProblemKind{ErrorCode::kSubmissionNotFound, 404, "submission_not_found",
                "There is no such submission",
                "No submission of this board has this seq. What PUT has set is no submission, and "
                "the oldest ones leave the ledger with time."},
    ProblemKind{ErrorCode::kJobNotFound, 404, "job_not_found", "There is no such job",
                "Jobs are kept in memory, the last hundred since the start of the server. GET "
                "/v1/jobs lists them."},
    ProblemKind{ErrorCode::kBackupNotFound, 404, "backup_not_found", "There is no such backup",
                "It was never made, or was deleted to make room for newer ones. GET /v1/backups "
                "lists those that there are."},
    ProblemKind{ErrorCode::kMethodNotAllowed, 405, "method_not_allowed",
                "The path does not take this method", "`Allow` names the methods that it takes."},
    ProblemKind{ErrorCode::kUpgradeRequired, 426, "upgrade_required", "This is a WebSocket",
                "Connect with a WebSocket client; docs/live.md tells what to send. For "
                "server-sent events there is GET /v1/boards/{board}/live."},
    ProblemKind{ErrorCode::kTimeout, 408, "timeout", "The request took too long",
                "The head or body of the request did not arrive in time. Send it again."},
    ProblemKind{ErrorCode::kBoardExists, 409, "board_exists", "The board is there already",
                "Choose another id, or change the board with PATCH."},
    ProblemKind{ErrorCode::kBoardNotEmpty, 409, "board_not_empty", "The board has entries",
                "What was asked for is possible only for an empty board. Reset it first."},
    ProblemKind{ErrorCode::kBoardClosed, 409, "board_closed", "The board is closed",
                "A closed board takes no scores. POST .../reopen opens it again."},
    ProblemKind{ErrorCode::kBoardFull, 409, "board_full", "The board is full",
                "The board holds as many players as it can."},
    ProblemKind{ErrorCode::kHistoryTrimmed, 409, "history_trimmed",
                "The score without it is not known",
                "Submissions from before a removal, a reset or a change of the rule are a fixed "
                "base, and so are those whose history has left the ledger. Set the right score "
                "with PUT, or remove the entry with DELETE."},
    ProblemKind{ErrorCode::kScoreOverflow, 409, "score_overflow", "The sum would be too large",
                "A score holds at most 2^53 - 1 units. The entry is as it was."},
    ProblemKind{ErrorCode::kIdempotencyRunning, 409, "idempotency_running",
                "The first request is still under way",
                "Another request with this Idempotency-Key is not finished. Wait a moment and send "
                "it again."},
    ProblemKind{ErrorCode::kEpochChanged, 409, "epoch_changed", "The history was replaced",
                "The position was read before a restore. Forget it and read the board anew."},
    ProblemKind{ErrorCode::kJobRunning, 409, "job_running", "Another job is running",
                "Long work is done one piece at a time. Wait until GET /v1/jobs shows it ended, "
                "or cancel it with DELETE /v1/jobs/{id}."},
    ProblemKind{ErrorCode::kCancelled, 409, "cancelled", "It was cancelled",
                "Somebody ended the work before it was done. Start it again."},
    ProblemKind{ErrorCode::kRevisionMismatch, 412, "revision_mismatch",
                "The board has changed since",
                "Read the board, apply your change to what it is now, and send it with the new "
                "ETag in If-Match."},
    ProblemKind{ErrorCode::kTooLarge, 413, "too_large", "The request is too large",
                "`detail` names the limit. Many scores fit an NDJSON stream of any length."},
    ProblemKind{ErrorCode::kTargetTooLong, 414, "target_too_long", "The address is too long",
                "Shorten the query."},
    ProblemKind{ErrorCode::kUnsupportedMediaType, 415, "unsupported_media_type",
                "This kind of body is not taken",
                "Send `application/json`, or `application/x-ndjson` where a stream is taken, "
                "without a Content-Encoding."},
    ProblemKind{ErrorCode::kExpectationFailed, 417, "expectation_failed",
                "This expectation is not known", "Only `Expect: 100-continue` is."},
    ProblemKind{ErrorCode::kIdempotencyMismatch, 422, "idempotency_mismatch",
                "The key was used for another request",
                "An Idempotency-Key belongs to one request. Make a new one for another body."},
    ProblemKind{ErrorCode::kRateLimited, 429, "rate_limited", "Too many requests",
                "Wait as long as Retry-After says."},
    ProblemKind{ErrorCode::kHeadTooLarge, 431, "head_too_large", "The headers are too large",
                "Send fewer or shorter headers."},
    ProblemKind{ErrorCode::kInternal, 500, "internal", "This is our mistake",
                "Please report it with the request id."},
    ProblemKind{ErrorCode::kNotImplemented, 501, "not_implemented", "This is not supported",
                "The request uses a part of HTTP that the server does not have."},
    ProblemKind{ErrorCode::kOverloaded, 503, "overloaded", "The server is busy",
                "More work arrives than can be done. Wait as long as Retry-After says."},
    ProblemKind{ErrorCode::kDraining, 503, "draining", "The server is shutting down",
                "Send it again in a moment, with the same Idempotency-Key."},
    ProblemKind{ErrorCode::kReadOnly, 503, "read_only", "Nothing can be written now",
                "The disk refuses writes. Nothing of the request was done. Reads go on; writes "
                "begin again by themselves, or after a restart, as `detail` says."},
    ProblemKind{ErrorCode::kOutcomeUnknown, 503, "outcome_unknown",
                "Whether it counts is not known yet",
                "The disk failed while the score was being made durable. Send the request again "
                "with the same Idempotency-Key once the server is back: it never counts twice."},
    ProblemKind{ErrorCode::kReadTimeout, 503, "read_timeout", "The read took too long",
                "The ledger was not read to the end in time. Ask for less at once, or again when "
                "the server has less to do. Nothing was changed."},
    ProblemKind{ErrorCode::kNotReached, 503, "not_reached", "The position is not reached yet",
                "The server has not seen what min_seq asks for within two seconds. Read again."},
    ProblemKind{ErrorCode::kIo, 503, "disk_failed", "The disk could not be read",
                "The disk or the database file failed while the request ran. The server's log and "
                "`detail` say how. Try again; if it stays, look at the disk."},
    ProblemKind{ErrorCode::kIntegrity, 503, "data_damaged", "What is stored is damaged",
                "A row of the database does not match its checksum, and is not served. `detail` "
                "names it. Restore a backup; the rest can be read meanwhile."},
    ProblemKind{ErrorCode::kNoSpace, 503, "no_space", "The disk is full",
                "There is no room for what the request needs on the disk. Make room; the server "
                "goes on by itself."},
    ProblemKind{ErrorCode::kBusy, 503, "storage_busy", "The database is busy",
                "Another process holds the database. Try again in a moment."},
    ProblemKind{ErrorCode::kVersionNotSupported, 505, "version_not_supported",
                "This version of HTTP is not spoken", "Use HTTP/1.1."},
};

}  // namespace

const ProblemKind& problem_kind(ErrorCode error) {
    for (const ProblemKind& kind : kKinds) {
        if (kind.error == error) return kind;
    }
    // What only a start meets.
    return problem_kind(ErrorCode::kInternal);
}

const ProblemKind* find_problem(std::string_view code) {
    for (const ProblemKind& kind : kKinds) {
        if (kind.code == code) return &kind;
    }
    return nullptr;
}

std::span<const ProblemKind> problem_kinds() {
    return kKinds;
}

void append_problem_item(std::string& out, const base::Error& error) {
    out += '{';
    if (!error.pointer.empty()) {
        text::append_member(out, "pointer", error.pointer);
        out += ',';
    }
    text::append_member(out, "code", problem_kind(error.code).code);
    out += ',';
    text::append_member(out, "detail", error.detail);
    out += '}';
}

void append_problem(std::string& out, const base::Error& error, std::string_view instance,
                    std::string_view request_id) {
    const ProblemKind& kind = problem_kind(error.code);
    out += "{\"type\":\"/problems/";
    out += kind.code;
    out += "\",";
    text::append_member(out, "title", kind.title);
    out += ",\"status\":";
    text::append_number(out, kind.status);
    out += ',';
    // SQLite repeats what it found in a damaged file, whatever bytes those are.
    text::append_member(out, "detail", text::as_utf8(error.detail));
    // Where there is no path, the occurrence is named by its request id.
    out += ',';
    if (instance.empty()) {
        text::append_member(out, "instance", "urn:standings:request:" + std::string(request_id));
    } else {
        text::append_member(out, "instance", instance);
    }
    out += ',';
    text::append_member(out, "code", kind.code);
    out += ',';
    text::append_member(out, "request_id", request_id);
    if (!error.pointer.empty()) {
        out += ",\"errors\":[";
        append_problem_item(out, error);
        out += ']';
    }
    out += "}\n";
}

}  // namespace standings::api
