#include "server/rank_check.h"

#include <algorithm>
#include <utility>

#include "cli/http_client.h"
#include "ledger/sqlite/connection.h"
#include "server/progress_line.h"
#include "text/json_document.h"

namespace standings::server {
namespace {

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
    std::string seq;
    std::vector<Row> rows;
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
        const auto boards = board_names();
        if (!boards) return boards.error();
        if (!other_epoch_.empty()) {
            return base::Error{base::ErrorCode::kSettings,
                               "the server at " + client_.server() +
                                   " is not that of this folder: its epoch is " + other_epoch_ +
                                   ", the folder's " + epoch_};
        }
        for (const std::string& board : *boards) {
            if (auto done = check_board(board); !done) return done.error();
        }
        return std::move(report_);
    }

  private:
    Result<const text::JsonNode*> get(const std::string& target) {
        auto answer = client_.send({.target = target});
        if (!answer) return answer.error();
        if (!answer->is_ok()) return cli::error_of(*answer);
        body_ = std::move(answer->body);
        return document_.parse(body_);
    }

    Result<std::vector<std::string>> board_names() {
        std::vector<std::string> names;
        std::string cursor;
        while (true) {
            const auto page = get("/v1/boards?limit=100" +
                                  (cursor.empty() ? "" : "&cursor=" + cli::escaped(cursor)));
            if (!page) return page.error();
            if (const auto* items = document_.member(**page, "items")) {
                document_.for_each(*items, [&](const text::JsonNode& item) {
                    names.push_back(text_of(document_, item, "id"));
                    if (auto epoch = text_of(document_, item, "epoch"); epoch != epoch_) {
                        other_epoch_ = std::move(epoch);
                    }
                });
            }
            cursor = text_of(document_, **page, "next_cursor");
            if (cursor.empty()) return names;
        }
    }

    Result<void> check_board(const std::string& board) {
        for (int attempt = 0; attempt < kTries; ++attempt) {
            auto shown = ask(board);
            if (!shown) return shown.error();
            if (shown->seq.empty()) continue;  // it moved between two pages
            auto stored = read(board);
            if (!stored) return stored.error();
            if (stored->seq != shown->seq) continue;
            compare(board, *shown, *stored);
            return {};
        }
        report_.moving.push_back(board);
        return {};
    }

    // What the server shows; without a seq when the board moved meanwhile.
    Result<Standings> ask(const std::string& board) {
        Standings shown;
        while (true) {
            const auto page = get("/v1/boards/" + cli::escaped(board) +
                                  "/standings?limit=" + std::to_string(kPage) +
                                  "&offset=" + std::to_string(shown.rows.size()));
            if (!page) return page.error();
            const std::string seq = text_of(document_, **page, "seq");
            if (!shown.rows.empty() && seq != shown.seq) return Standings{};
            shown.seq = seq;
            const std::size_t before = shown.rows.size();
            if (const auto* rows = document_.member(**page, "rows")) {
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
        if (!*found) return stored;  // deleted, or not here yet
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
    std::string other_epoch_;
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
