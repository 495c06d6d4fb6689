// The classic read API: /getscores, an alias over /v1, and marked as deprecated on every answer.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/details_read.h"
#include "api/player_boards.h"
#include "api/routes.h"
#include "api/standings_json.h"
#include "api/view_answers.h"
#include "base/clock.h"
#include "engine/queries.h"
#include "engine/read_pool.h"
#include "ledger/take_back.h"
#include "text/clean_text.h"
#include "text/json_writer.h"

namespace standings::api {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

constexpr std::uint64_t kMaxCount = 1000;
// How far back a player's submissions are read for one answer.
constexpr std::size_t kMaxSteps = 10'000;

// RFC 9745: since 2026-11-21.
std::string deprecated(const std::string& successor) {
    return "Deprecation: @1795219200\r\nLink: <" + successor + ">; rel=\"successor-version\"\r\n";
}

Error invalid(std::string pointer, std::string detail) {
    return {ErrorCode::kInvalid, std::move(detail), std::move(pointer)};
}

// The board that is named, or the only public one.
Result<std::shared_ptr<engine::HostedBoard>> classic_board(const Call& call) {
    if (const auto named = call.target.parameter("board")) return call.board(*named);
    const auto some = call.service().engine.registry().list({}, 2, is_public);
    if (some.size() == 1) return some[0];
    return invalid("?board", some.empty() ? "There is no public board; name one with `board`."
                                          : "There are several boards; name one with `board`.");
}

Result<void> check_classic(const Call& call) {
    if (call.target.parameter("region")) {
        return invalid("?region",
                       "A region is a segment of a board, and boards have no segments yet. Leave "
                       "`region` out to read the whole board.");
    }
    return call.check_parameters({"board", "count", "order", "from", "to", "region", "min_seq"});
}

void get_scores(Call& call) {
    if (const auto known = check_classic(call); !known) return call.reply.problem(known.error());
    for (const std::string_view of_a_player : {"order", "from", "to"}) {
        if (!call.target.parameter(of_a_player)) continue;
        return call.reply.problem(invalid(
            '?' + std::string(of_a_player),
            "The top of a board has one order and is of now. This goes with the submissions of one "
            "player: /getscores/{username}."));
    }
    const auto count = call.number("count", 10, 1, kMaxCount);
    if (!count) return call.reply.problem(count.error());
    const auto board = classic_board(call);
    if (!board) return call.reply.problem(board.error());

    engine::Page& page = call.tools().page;
    engine::read_offset(**board, 0, static_cast<std::size_t>(*count), page);
    with_details(page, call.reply,
                 [board = *board, credential = with_credential(call)](const engine::Page& rows,
                                                                      Reply& reply) {
                     LoopTools& tools = reply.tools();
                     std::string& body = tools.body;
                     body.clear();
                     append_page(body, board->slug(), tools.service.engine.epoch(), rows, true,
                                 false);
                     reply.json(200, body,
                                deprecated("/v1/boards/" + board->slug() + "/standings") +
                                    std::string(cache_rule(*rows.config, credential)));
                 });
}

// What is asked of a player's submissions.
struct SubmissionsView {
    std::size_t count = 10;
    bool oldest_first = false;
    std::optional<base::Instant> from;
    std::optional<base::Instant> to;
};

Result<std::optional<base::Instant>> read_time(const Call& call, std::string_view name) {
    const auto text = call.target.parameter(name);
    if (!text) return std::optional<base::Instant>{};
    const bool is_day = text->size() == 10;
    const auto at =
        base::parse_rfc3339(is_day ? std::string(*text) + "T00:00:00Z" : std::string(*text));
    if (!at) {
        return invalid('?' + std::string(name),
                       "This is a time like 2026-11-21T00:15:00Z, or a day like 2026-11-21.");
    }
    return std::optional(*at);
}

Result<SubmissionsView> read_view(const Call& call) {
    SubmissionsView view;
    const auto count = call.number("count", 10, 1, kMaxCount);
    if (!count) return count.error();
    view.count = static_cast<std::size_t>(*count);
    const std::string_view order = call.target.parameter("order").value_or("desc");
    if (order != "asc" && order != "desc") {
        return invalid("?order", "`order` is `desc`, the newest first, or `asc`.");
    }
    view.oldest_first = order == "asc";
    const auto from = read_time(call, "from");
    if (!from) return from.error();
    view.from = *from;
    const auto to = read_time(call, "to");
    if (!to) return to.error();
    view.to = *to;
    return view;
}

// Follows the player's events from the newest one back, on a worker.
class SubmissionsRead final : public engine::ReadOperation {
  public:
    struct Chain {
        std::shared_ptr<const ledger::BoardConfig> config;
        base::RankingId ranking;
        base::PlayerSlot slot;
        base::Sequence newest;
        base::Sequence board_seq;
        bool with_credential = false;
    };

    SubmissionsRead(Reply reply, std::shared_ptr<engine::HostedBoard> board, std::string player,
                    const SubmissionsView& view, Chain chain)
        : ReadOperation(reply.tools().mailbox),
          reply_(std::move(reply)),
          board_(std::move(board)),
          player_(std::move(player)),
          view_(view),
          chain_(std::move(chain)) {}

    void run(ledger::LedgerReader& reader) override;
    void finished() override;
    Reply& reply() { return reply_; }

  private:
    bool wanted(const ledger::Event& event) const;

    Reply reply_;
    std::shared_ptr<engine::HostedBoard> board_;
    const std::string player_;
    const SubmissionsView view_;
    const Chain chain_;
    std::vector<ledger::Event> found_;
    bool cut_ = false;  // there may be more behind
};

bool SubmissionsRead::wanted(const ledger::Event& event) const {
    // What changed nothing is in the ledger, which needs a key.
    const bool counted =
        event.kind == ledger::EventKind::kSet ||
        (event.kind == ledger::EventKind::kSubmit && event.outcome != ranking::Outcome::kUnchanged);
    if (!counted) return false;
    return (!view_.from || event.at >= *view_.from) && (!view_.to || event.at <= *view_.to);
}

void SubmissionsRead::run(ledger::LedgerReader& reader) {
    base::Sequence seq = chain_.newest;
    std::vector<ledger::TakeBack> taken_back;
    for (std::size_t steps = 0; seq.value != 0; ++steps) {
        if (steps == kMaxSteps) {
            cut_ = true;
            break;
        }
        const auto event = reader.event(seq);
        if (!event) {
            error = event.error();
            return;
        }
        if (!*event) {
            cut_ = true;  // retention has taken it
            break;
        }
        const ledger::Event& found = **event;
        const bool own = found.ranking == chain_.ranking && found.slot == chain_.slot;
        // What was removed or taken back stays unsaid.
        if (!own || ledger::removes_entry(found)) break;
        if (found.kind == ledger::EventKind::kTakenBack) {
            taken_back.push_back(ledger::take_back_of(found));
        }
        const bool counts = found.kind == ledger::EventKind::kSet ||
                            std::none_of(taken_back.begin(), taken_back.end(), [&](auto& taken) {
                                return ledger::takes_back(taken, found.seq);
                            });
        if (counts && wanted(found)) found_.push_back(found);
        if (!view_.oldest_first && found_.size() == view_.count) break;
        seq = found.prev_seq;
    }
    if (!view_.oldest_first) return;
    std::reverse(found_.begin(), found_.end());
    if (found_.size() > view_.count) found_.resize(view_.count);
}

void SubmissionsRead::finished() {
    if (error) return reply_.problem(*error);
    std::string& body = reply_.tools().body;
    body.assign("{\"board\":\"" + board_->slug() + "\",\"player\":\"" + player_ +
                "\",\"epoch\":\"");
    body += reply_.tools().service.engine.epoch();
    body += "\",\"seq\":";
    text::append_number(body, chain_.board_seq.value);
    body += ",\"items\":[";
    for (std::size_t i = 0; i < found_.size(); ++i) {
        const ledger::Event& event = found_[i];
        body += i == 0 ? "{\"seq\":" : ",{\"seq\":";
        text::append_number(body, event.seq.value);
        body += ",\"outcome\":\"";
        body += outcome_name(event.outcome);
        body += "\",";
        append_scores(body, *chain_.config, event.input);
        body += ",\"at\":\"";
        base::append_rfc3339(body, event.at);
        body += '"';
        if (event.occurred_at != base::kNever) {
            body += ",\"occurred_at\":\"";
            base::append_rfc3339(body, event.occurred_at);
            body += '"';
        }
        body += '}';
    }
    body += cut_ ? "],\"complete\":false}\n" : "],\"complete\":true}\n";
    reply_.json(200, body,
                deprecated("/v1/boards/" + board_->slug() + "/players/" + player_ + "/history") +
                    std::string(cache_rule(*chain_.config, chain_.with_credential)));
}

void answer_submissions(Call& call, std::shared_ptr<engine::HostedBoard> board,
                        std::string_view player) {
    const auto view = read_view(call);
    if (!view) return call.reply.problem(view.error());
    auto chain = board->read(
        [&](const engine::HostedBoard::View& look) -> std::optional<SubmissionsRead::Chain> {
            const auto slot = look.board.find(player);
            if (!slot || !look.board.entry(*slot)) return std::nullopt;
            return SubmissionsRead::Chain{look.config, look.record.ranking, *slot,
                                          look.board.last_seq(*slot), look.seq()};
        });
    if (!chain) {
        return call.reply.problem(
            {ErrorCode::kPlayerNotFound,
             "This player has no entry on the board '" + board->slug() + "'."});
    }
    chain->with_credential = with_credential(call);
    Service& service = call.service();
    std::unique_ptr<engine::ReadOperation> read = std::make_unique<SubmissionsRead>(
        std::move(call.reply), std::move(board), std::string(player), *view, *std::move(chain));
    const auto taken = service.engine.read_slowly(read);
    if (!taken) static_cast<SubmissionsRead&>(*read).reply().problem(taken.error());
}

void answer_standing(Call& call, const std::shared_ptr<engine::HostedBoard>& board,
                     std::string_view player) {
    engine::Page& page = call.tools().page;
    if (!engine::read_standing(*board, player, 0, page)) {
        return call.reply.problem(
            {ErrorCode::kPlayerNotFound,
             "This player has no entry on the board '" + board->slug() + "'."});
    }
    with_details(
        page, call.reply,
        [board, credential = with_credential(call)](const engine::Page& rows, Reply& reply) {
            LoopTools& tools = reply.tools();
            std::string& body = tools.body;
            body.clear();
            append_row(body, *rows.config, rows.rows[0], rows.player(0), rows.details_of(0));
            body.back() = ',';
            append_position(body, board->slug(), tools.service.engine.epoch(), rows.seq,
                            rows.total);
            body += "}\n";
            reply.json(200, body,
                       deprecated("/v1/boards/" + board->slug() + "/players/" +
                                  std::string(rows.player(0))) +
                           std::string(cache_rule(*rows.config, credential)));
        });
}

void get_scores_of(Call& call) {
    if (const auto known = check_classic(call); !known) return call.reply.problem(known.error());
    const std::string_view player = call.target.segment(1);
    if (!text::is_player_id(player)) {
        return call.reply.problem(
            {ErrorCode::kInvalid, "A player's id has 1 to 128 of A-Z, a-z, 0-9 and . _ : @ -"});
    }
    const bool submissions = call.target.parameter("count") || call.target.parameter("order") ||
                             call.target.parameter("from") || call.target.parameter("to");
    if (!submissions && !call.target.parameter("board")) {
        return answer_player_boards(std::move(call.reply),
                                    {.player = std::string(player),
                                     .after = {},
                                     .limit = 50,
                                     .private_too = call.caller.may(access::Scope::kReadPrivate),
                                     .headers = deprecated("/v1/players/" + std::string(player))});
    }
    auto board = classic_board(call);
    if (!board) return call.reply.problem(board.error());
    if (submissions) return answer_submissions(call, *std::move(board), player);
    answer_standing(call, *std::move(board), player);
}

constexpr Route kRoutes[] = {
    {net::Method::kGet, "/getscores", access::Scope::kNone, get_scores, true},
    {net::Method::kGet, "/getscores/{username}", access::Scope::kNone, get_scores_of, true},
};

}  // namespace

std::span<const Route> classic_routes() {
    return kRoutes;
}

}  // namespace standings::api
