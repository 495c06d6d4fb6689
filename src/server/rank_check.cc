#include "server/rank_check.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "cli/http_client.h"
#include "cli/progress_line.h"
#include "cli/stop_request.h"
#include "ledger/sqlite/connection.h"
#include "text/json_document.h"

namespace standings::server {
namespace {

using cli::ProgressLine;

namespace sqlite = ledger::sqlite;
using base::Result;

constexpr int kTries = 20;
constexpr std::size_t kPage = 1000;

struct Row {
    std::string player;
    std::string rank;
    std::string position;
    std::string scores;  // as texts, with spaces between
    friend bool operator==(const Row&, const Row&) = default;
};

struct Standings {
    std::string seq;  // empty: there is no such board, or it moved between two pages
    std::vector<Row> rows;
    bool there = true;
};

// A board as the database has it. Two that are equal are the same board: a life is never used
// twice.
struct Stored {
    std::int64_t life = 0;
    std::int64_t revision = 0;
    std::int64_t seq = 0;  // of its last own change
    bool is_private = false;
    friend bool operator==(const Stored&, const Stored&) = default;
};

std::string text_of(const text::JsonDocument& document, const text::JsonNode& object,
                    std::string_view key) {
    const auto* node = document.member(object, key);
    return node == nullptr ? std::string() : std::string(node->text);
}

class RankCheck {
  public:
    RankCheck(cli::HttpClient& client, sqlite::Connection& connection, const std::string& epoch)
        : client_(client), connection_(connection), epoch_(epoch) {}

    Result<RankReport> run() {
        auto boards = shown_boards();
        if (!boards) return boards.error();
        const auto stored = stored_boards();
        if (!stored) return stored.error();
        // One that only the folder has may be private, new or deleted by now, or lost.
        boards->insert(stored->begin(), stored->end());
        for (const std::string& board : *boards) {
            if (auto done = check_board(board); !done) return done.error();
        }
        return std::move(report_);
    }

  private:
    base::Error another_server(const std::string& epoch) const {
        return {base::ErrorCode::kSettings, "the server at " + client_.server() +
                                                " is not that of this folder: its epoch is " +
                                                epoch + ", the folder's " + epoch_};
    }

    // None: the server says that there is no such thing.
    Result<std::optional<const text::JsonNode*>> get(const std::string& target) {
        if (cli::StopRequest::signal() != 0) {
            return base::Error{base::ErrorCode::kCancelled, "interrupted"};
        }
        auto answer = client_.send({.target = target});
        if (!answer) return answer.error();
        if (answer->status == 404) return std::optional<const text::JsonNode*>();
        if (answer->status == 409) return another_server("another one");
        if (!answer->is_ok()) return cli::error_of(*answer);
        body_ = std::move(answer->body);
        const auto root = document_.parse(body_);
        if (!root) return root.error();
        return std::optional(*root);
    }

    Result<std::set<std::string>> shown_boards() {
        std::set<std::string> names;
        std::string cursor;
        while (true) {
            auto answer = client_.send(
                {.target = "/v1/boards?limit=100" + (cursor.empty() ? "" : "&cursor=" + cursor)});
            if (!answer) return answer.error();
            if (!answer->is_ok()) return cli::error_of(*answer);
            const auto page = document_.parse(answer->body);
            if (!page) return page.error();
            std::string other_epoch;
            if (const auto* items = document_.member(**page, "items")) {
                document_.for_each(*items, [&](const text::JsonNode& item) {
                    names.insert(text_of(document_, item, "id"));
                    if (auto epoch = text_of(document_, item, "epoch"); epoch != epoch_) {
                        other_epoch = std::move(epoch);
                    }
                });
            }
            if (!other_epoch.empty()) return another_server(other_epoch);
            cursor = cli::escaped(text_of(document_, **page, "next_cursor"));
            if (cursor.empty()) return names;
        }
    }

    Result<std::vector<std::string>> stored_boards() {
        std::vector<std::string> names;
        auto boards = connection_.prepare("SELECT slug FROM board");
        if (!boards) return boards.error();
        while (true) {
            const auto more = boards->step();
            if (!more) return more.error();
            if (!*more) return names;
            names.emplace_back(boards->text(0));
        }
    }

    Result<void> check_board(const std::string& board) {
        for (int attempt = 0; attempt < kTries; ++attempt) {
            auto shown = ask(board);
            if (!shown) return shown.error();
            if (!shown->there) {
                const auto settled = settle_absent(board);
                if (!settled) return settled.error();
                if (*settled) return {};
                continue;
            }
            if (shown->seq.empty()) continue;  // it moved between two pages
            auto stored = read(board);
            if (!stored) return stored.error();
            if (!stored->there) {
                const auto settled = settle_unknown(board);
                if (!settled) return settled.error();
                if (*settled) return {};
                continue;
            }
            if (stored->seq != shown->seq) continue;
            compare(board, *shown, *stored);
            return {};
        }
        report_.moving.push_back(board);
        return {};
    }

    // Why the server does not show a board. False: it is there by now, or has changed meanwhile.
    Result<bool> settle_absent(const std::string& board) {
        const auto before = stored(board);
        if (!before) return before.error();
        if (!*before) return true;  // deleted
        // Asked for what holds at or after the moment of which the database told: a server that
        // has the board by then, and in all that follows, shows it.
        const auto answer =
            get("/v1/boards/" + cli::escaped(board) + "?min_seq=" + cli::escaped(epoch_) + ':' +
                std::to_string((*before)->seq));
        if (!answer) return answer.error();
        if (*answer) return false;
        const auto after = stored(board);
        if (!after) return after.error();
        if (*after != *before) return false;
        if ((*before)->is_private) {
            const auto sees = sees_private();
            if (!sees) return sees.error();
            if (!*sees) return report_.hidden.push_back(board), true;
        }
        found("board " + board + ": the database has it, the server does not");
        return true;
    }

    // Why the database does not have a board that the server shows. False: it has been deleted, or
    // made anew.
    Result<bool> settle_unknown(const std::string& board) {
        const auto before = life_of(board);
        if (!before) return before.error();
        const auto there = stored(board);
        if (!there) return there.error();
        const auto after = life_of(board);
        if (!after) return after.error();
        if (*there || before->empty() || *before != *after) return false;
        found("board " + board + ": the server shows it, the database does not have it");
        return true;
    }

    // Empty: the server has no such board.
    Result<std::string> life_of(const std::string& board) {
        const auto answer = get("/v1/boards/" + cli::escaped(board));
        if (!answer) return answer.error();
        return *answer ? text_of(document_, ***answer, "life") : std::string();
    }

    // Whether the key may read private boards: the ledger of any board, of one that is not there
    // too, asks for that first.
    Result<bool> sees_private() {
        if (sees_private_) return *sees_private_;
        const auto answer = client_.send({.target = "/v1/boards/none/submissions?limit=1"});
        if (!answer) return answer.error();
        sees_private_ = answer->status != 401 && answer->status != 403;
        return *sees_private_;
    }

    // None: the database has no such board.
    Result<std::optional<Stored>> stored(const std::string& board) {
        auto row = connection_.prepare(
            "SELECT ranking, revision, seq, visibility FROM board WHERE slug = ?1");
        if (!row) return row.error();
        row->bind_text(1, board);
        const auto there = row->step();
        if (!there) return there.error();
        if (!*there) return std::optional<Stored>();
        return std::optional(Stored{.life = row->number(0),
                                    .revision = row->number(1),
                                    .seq = row->number(2),
                                    .is_private = row->text(3) == "private"});
    }

    // What the server shows.
    Result<Standings> ask(const std::string& board) {
        Standings shown;
        while (true) {
            const auto page = get("/v1/boards/" + cli::escaped(board) +
                                  "/standings?limit=" + std::to_string(kPage) +
                                  "&offset=" + std::to_string(shown.rows.size()));
            if (!page) return page.error();
            if (!*page) return Standings{.seq = {}, .rows = {}, .there = false};
            const std::string seq = text_of(document_, ***page, "seq");
            if (!shown.rows.empty() && seq != shown.seq) return Standings{};
            shown.seq = seq;
            const std::size_t before = shown.rows.size();
            if (const auto* rows = document_.member(***page, "rows")) {
                document_.for_each(
                    *rows, [&](const text::JsonNode& row) { shown.rows.push_back(row_of(row)); });
            }
            progress_.show(board, shown.rows.size(), 0, "rows");
            if (shown.rows.size() - before < kPage) return shown;
        }
    }

    Row row_of(const text::JsonNode& node) {
        Row row{.player = text_of(document_, node, "player"),
                .rank = text_of(document_, node, "rank"),
                .position = text_of(document_, node, "position"),
                .scores = text_of(document_, node, "score")};
        if (const auto* scores = document_.member(node, "scores")) {
            document_.for_each(*scores, [&](const text::JsonNode& score) {
                if (!row.scores.empty()) row.scores += ' ';
                row.scores += score.text;
            });
        }
        return row;
    }

    // What the database holds, in one snapshot.
    Result<Standings> read(const std::string& board) {
        if (auto begun = connection_.exec("BEGIN"); !begun) return begun.error();
        auto stored = read_snapshot(board);
        if (auto ended = connection_.exec("COMMIT"); !ended) return ended.error();
        return stored;
    }

    Result<Standings> read_snapshot(const std::string& board) {
        Standings stored;
        auto seq = connection_.prepare("SELECT seq FROM boards WHERE board = ?1");
        if (!seq) return seq.error();
        seq->bind_text(1, board);
        const auto found = seq->step();
        if (!found) return found.error();
        stored.there = *found;
        if (!stored.there) return stored;
        stored.seq = std::to_string(seq->number(0));
        auto rows = connection_.prepare(
            "SELECT player, rank, position, score_1, score_2, score_3, score_4 FROM standings"
            " WHERE board = ?1 ORDER BY position");
        if (!rows) return rows.error();
        rows->bind_text(1, board);
        while (true) {
            const auto more = rows->step();
            if (!more) return more.error();
            if (!*more) return stored;
            Row& row = stored.rows.emplace_back();
            row.player = rows->text(0);
            row.rank = rows->text(1);
            row.position = rows->text(2);
            for (int column = 3; column < 7 && !rows->is_null(column); ++column) {
                if (column > 3) row.scores += ' ';
                row.scores += rows->text(column);
            }
        }
    }

    void compare(const std::string& board, const Standings& shown, const Standings& stored) {
        ++report_.boards;
        report_.rows += shown.rows.size();
        if (shown.rows.size() != stored.rows.size()) {
            found("board " + board + ": the server shows " + std::to_string(shown.rows.size()) +
                  " entries, the database has " + std::to_string(stored.rows.size()));
        }
        for (std::size_t i = 0; i < std::min(shown.rows.size(), stored.rows.size()); ++i) {
            if (shown.rows[i] == stored.rows[i]) continue;
            found("board " + board + ", position " + std::to_string(i + 1) + ": the server shows " +
                  described(shown.rows[i]) + ", the database has " + described(stored.rows[i]));
        }
    }
    static std::string described(const Row& row) {
        return row.player + " with rank " + row.rank + " and " + row.scores;
    }
    void found(std::string what) {
        if (++report_.damages <= RankReport::kMostNamed) {
            report_.findings.push_back(std::move(what));
        }
    }

    cli::HttpClient& client_;
    sqlite::Connection& connection_;
    const std::string& epoch_;
    std::optional<bool> sees_private_;
    RankReport report_;
    ProgressLine progress_{"Compare ranks"};
    std::string body_;
    text::JsonDocument document_;
};

}  // namespace

Result<RankReport> check_ranks(const cli::ClientSettings& server,
                               const std::filesystem::path& database, const std::string& epoch) {
    auto client = cli::HttpClient::open(server);
    if (!client) return client.error();
    auto connection = sqlite::Connection::open(database.string(), sqlite::Access::kRead);
    if (!connection) return connection.error();
    return RankCheck(*client, *connection, epoch).run();
}

}  // namespace standings::server
