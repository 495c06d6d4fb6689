#include "api/details_read.h"

namespace standings::api {
namespace {

class PageRead final : public engine::DetailsOperation {
  public:
    PageRead(Reply reply, engine::Page page, std::vector<std::size_t> missing, RenderPage render,
             WithoutNames without)
        : DetailsOperation(reply.tools().mailbox, reply.tools().service.engine.details()),
          reply_(std::move(reply)),
          page_(std::move(page)),
          missing_(std::move(missing)),
          render_(std::move(render)),
          without_(without) {
        for (const std::size_t row : missing_) {
            keys.push_back({page_.ranking, page_.rows[row].slot});
            players.emplace_back(page_.player(row));
        }
    }

    void finished() override {
        if (error) return fail(*error);
        for (std::size_t i = 0; i < missing_.size(); ++i) {
            page_.details[missing_[i]] = std::move(details[i]);
        }
        render_(page_, reply_);
    }
    void fail(const base::Error& why) {
        if (without_ == WithoutNames::kProblem) return reply_.problem(why);
        render_(page_, reply_);
    }

  private:
    Reply reply_;
    engine::Page page_;
    std::vector<std::size_t> missing_;
    RenderPage render_;
    WithoutNames without_;
};

}  // namespace

std::vector<std::size_t> resolve_details(LoopTools& tools, engine::Page& page) {
    std::vector<std::size_t> missing;
    page.details.resize(page.rows.size());
    engine::DetailsCache& cache = tools.service.engine.details();
    for (std::size_t i = 0; i < page.rows.size(); ++i) {
        if (!page.rows[i].has_details) continue;
        page.details[i] = cache.find({page.ranking, page.rows[i].slot}, page.player(i));
        if (!page.details[i]) missing.push_back(i);
    }
    return missing;
}

void read_details(engine::Page& page, std::vector<std::size_t> missing, Reply reply,
                  RenderPage render, WithoutNames without) {
    Service& service = reply.tools().service;
    std::unique_ptr<engine::ReadOperation> read = std::make_unique<PageRead>(
        std::move(reply), std::move(page), std::move(missing), std::move(render), without);
    page = engine::Page{};
    const auto taken = service.engine.read(read);
    if (!taken) static_cast<PageRead&>(*read).fail(taken.error());
}

}  // namespace standings::api
