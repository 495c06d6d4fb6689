#include "api/page_cache.h"

#include <utility>

namespace standings::api {

const PageCache::Answer* PageCache::find(std::string_view target) const {
    const auto found = answers_.find(target);
    if (found == answers_.end()) return nullptr;
    const Answer& answer = found->second;
    if (answer.board->deleted() || answer.board->seq() != answer.seq) return nullptr;
    return &answer;
}

void PageCache::put(std::string_view target, Answer answer) {
    if (answer.body.size() > kMaxBodyBytes) return;
    const auto found = answers_.find(target);
    if (found != answers_.end()) {
        found->second = std::move(answer);
        return;
    }
    // Who asks for many different pages asks for none of them often.
    if (answers_.size() >= kMaxAnswers) answers_.clear();
    answers_.emplace(std::string(target), std::move(answer));
}

}  // namespace standings::api
