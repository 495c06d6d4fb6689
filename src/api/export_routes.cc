// All standings of a board as one file.
#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "api/export_text.h"
#include "api/routes.h"
#include "api/view_answers.h"
#include "engine/standings_export.h"
#include "text/json_writer.h"

namespace standings::api {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

constexpr std::uint32_t kMaxExports = 2;
// A piece is made when the client has read all but this of what came before.
constexpr std::size_t kPieceBytes = 256 * 1024;
// A client reads at least 16 KiB/s, over a minute: less than any link that a board of this size is
// fetched over gives. One that trickles would keep one of the few exports from everybody else.
constexpr auto kClientPatience = std::chrono::seconds(60);
constexpr std::size_t kLeastRead = 60 * 16 * 1024;
constexpr auto kLookAtClient = std::chrono::milliseconds(250);
constexpr auto kRetryFullPool = std::chrono::milliseconds(20);
constexpr auto kMaxBuild = std::chrono::minutes(5);

// One of the exports that there may be at once.
class Permit {
  public:
    static std::unique_ptr<Permit> take(Service& service) {
        if (service.exports.fetch_add(1) < kMaxExports) {
            return std::unique_ptr<Permit>(new Permit(service));
        }
        service.exports.fetch_sub(1);
        return nullptr;
    }
    ~Permit() { service_.exports.fetch_sub(1); }
    Permit(const Permit&) = delete;
    Permit& operator=(const Permit&) = delete;

  private:
    explicit Permit(Service& service) : service_(service) {}
    Service& service_;
};

struct ExportRequest {
    ExportFormat format = ExportFormat::kNdjson;
    bool with_meta = false;
    base::BoardId board;
    ViewId view;
    std::string cache_rule;
};

std::string export_headers(std::string_view epoch, std::string_view slug, base::Sequence seq,
                           const ExportRequest& request) {
    std::string headers = "ETag: ";
    append_etag(headers, epoch, seq, request.view);
    headers += "\r\nStandings-Position: ";
    headers += epoch;
    headers += ':';
    text::append_number(headers, seq.value);
    headers += "\r\nContent-Disposition: attachment; filename=\"";
    headers += slug;
    headers += '-';
    text::append_number(headers, seq.value);
    headers += '.';
    headers += export_extension(request.format);
    headers += "\"\r\n";
    headers += request.cache_rule;
    return headers;
}

// One export on its way: built on a worker, then made into text piece by piece on a worker, each
// when the client has read the one before. Shared by whoever brings it forward next; only one does
// at a time, on the loop's thread or a worker's.
class Download : public std::enable_shared_from_this<Download> {
  public:
    Download(Reply reply, std::unique_ptr<Permit> permit, ExportRequest request,
             std::size_t expected_rows)
        : reply_(std::move(reply)),
          permit_(std::move(permit)),
          request_(std::move(request)),
          expected_rows_(expected_rows),
          give_up_after_(service().engine.clock().monotonic() + kMaxBuild) {}

    void start();

    // On a worker's thread.
    void work(ledger::LedgerReader& reader);
    // On the loop's thread, after each work(), or when there was none: with the pool's reason.
    void worked(const std::optional<Error>& refused);

  private:
    Service& service() const { return reply_.tools().service; }
    Result<void> build(ledger::LedgerReader& reader);
    Result<void> make_piece();
    void drop_rows();
    Result<void> ask_worker();
    void watch_client();
    void ask_for_piece();
    void send_piece();

    Reply reply_;
    std::unique_ptr<Permit> permit_;
    const ExportRequest request_;
    const std::size_t expected_rows_;
    const base::Monotonic give_up_after_;
    std::atomic<bool> client_gone_{false};

    std::unique_ptr<engine::StandingsExport> rows_;
    std::string slug_;
    base::Sequence seq_;
    std::string piece_;
    bool complete_ = false;
    bool begun_ = false;
    std::optional<Error> error_;
};

class DownloadStep final : public engine::ReadOperation {
  public:
    DownloadStep(engine::Mailbox& home, std::shared_ptr<Download> owner)
        : ReadOperation(home), download_(std::move(owner)) {}
    void run(ledger::LedgerReader& reader) override { download_->work(reader); }
    void finished() override { download_->worked(error); }

  private:
    std::shared_ptr<Download> download_;
};

void Download::start() {
    if (const auto asked = ask_worker(); !asked) return reply_.problem(asked.error());
    watch_client();
}

Result<void> Download::ask_worker() {
    std::unique_ptr<engine::ReadOperation> step =
        std::make_unique<DownloadStep>(reply_.tools().mailbox, shared_from_this());
    return service().engine.read_slowly(step);
}

// Nobody waits for an export whose client has left, or at a shutdown.
void Download::watch_client() {
    reply_.tools().loop.after(kLookAtClient, [here = weak_from_this()] {
        const auto self = here.lock();
        if (!self || self->begun_) return;
        if (!self->reply_.exchange().open()) {
            self->client_gone_ = true;
        } else {
            self->watch_client();
        }
    });
}

void Download::work(ledger::LedgerReader& reader) {
    if (client_gone_ && begun_) return drop_rows();
    const auto worked = rows_ ? make_piece() : build(reader);
    if (!worked) error_ = worked.error();
    if (error_ || complete_) drop_rows();
}

// Hundreds of megabytes, and a file of more: not to be freed on an event loop.
void Download::drop_rows() {
    rows_.reset();
}

Result<void> Download::build(ledger::LedgerReader& reader) {
    engine::Engine& engine = service().engine;
    auto built =
        engine::StandingsExport::build(reader, request_.board,
                                       {.folder = engine.spool_folder(),
                                        .with_meta = request_.with_meta,
                                        .expected_rows = expected_rows_,
                                        .given_up = [this, &engine] {
                                            return client_gone_ || service().draining ||
                                                   engine.clock().monotonic() > give_up_after_;
                                        }});
    if (!built) return built.error();
    rows_ = *std::move(built);
    slug_ = rows_->record().slug;
    seq_ = rows_->seq();
    append_export_head(piece_, request_.format, rows_->record(), engine.epoch(),
                       request_.with_meta);
    return make_piece();
}

Result<void> Download::make_piece() {
    engine::ExportedRow row;
    while (piece_.size() < kPieceBytes) {
        const auto more = rows_->next(row);
        if (!more) return more.error();
        if (!*more) {
            append_export_tail(piece_, request_.format);
            complete_ = true;
            return {};
        }
        append_export_row(piece_, request_.format, rows_->record().config, row, request_.with_meta);
    }
    return {};
}

void Download::worked(const std::optional<Error>& refused) {
    if (begun_ && client_gone_) return;
    if (refused) error_ = refused;
    if (error_) {
        if (!begun_) return reply_.problem(*error_);
        // The client must not take the beginning for the whole.
        return reply_.exchange().abort();
    }
    if (!begun_) {
        begun_ = true;
        reply_.exchange().allow_slow_reading(kClientPatience, kLeastRead);
        reply_.expect_long();
        reply_.begin(200, export_content_type(request_.format),
                     export_headers(service().engine.epoch(), slug_, seq_, request_));
    }
    send_piece();
}

void Download::send_piece() {
    reply_.exchange().write(piece_);
    piece_.clear();
    if (complete_) return reply_.end();
    reply_.exchange().when_unsent_at_most(kPieceBytes,
                                          [self = shared_from_this()] { self->ask_for_piece(); });
}

void Download::ask_for_piece() {
    if (!reply_.exchange().open()) {
        client_gone_ = true;
        // Where even that has to wait, it is freed here after all.
        static_cast<void>(ask_worker());
        return;
    }
    if (ask_worker()) return;
    // Others read, too.
    reply_.tools().loop.after(kRetryFullPool,
                              [self = shared_from_this()] { self->ask_for_piece(); });
}

Result<ExportFormat> read_format(const Call& call) {
    const std::string_view text = call.target.parameter("format").value_or("ndjson");
    if (text == "ndjson") return ExportFormat::kNdjson;
    if (text == "json") return ExportFormat::kJson;
    if (text == "csv") return ExportFormat::kCsv;
    return Error{ErrorCode::kInvalid, "`format` is `csv`, `ndjson` or `json`.", "?format"};
}

void get_export(Call& call) {
    const auto board = call.board();
    if (!board) return call.reply.problem(board.error());
    if (const auto known = call.check_parameters({"format", "min_seq"}); !known) {
        return call.reply.problem(known.error());
    }
    const auto format = read_format(call);
    if (!format) return call.reply.problem(format.error());

    const bool may_see_meta = call.caller.may(access::Scope::kReadPrivate);
    const ViewId view = view_id(call.request.target, may_see_meta);
    if (answer_unchanged(call, **board, view)) return;
    const auto [config, rows] = (*board)->read([](const engine::HostedBoard::View& look) {
        return std::pair(look.config, look.board.size());
    });
    ExportRequest request{.format = *format,
                          .with_meta = may_see_meta || config->public_meta,
                          .board = (*board)->id(),
                          .view = view,
                          .cache_rule = std::string(cache_rule(*config, with_credential(call)))};
    Service& service = call.service();
    if (call.request.method == net::Method::kHead) {
        call.reply.begin(
            200, export_content_type(*format),
            export_headers(service.engine.epoch(), (*board)->slug(), (*board)->seq(), request));
        return call.reply.end();
    }
    auto permit = Permit::take(service);
    if (!permit) {
        return call.reply.problem({ErrorCode::kOverloaded,
                                   "Two exports are under way already. Try again when one of them "
                                   "has ended."});
    }
    std::make_shared<Download>(std::move(call.reply), std::move(permit), std::move(request), rows)
        ->start();
}

constexpr Route kRoutes[] = {
    {net::Method::kGet, "/v1/boards/{board}/export", access::Scope::kNone, get_export, true},
};

}  // namespace

std::span<const Route> export_routes() {
    return kRoutes;
}

}  // namespace standings::api
