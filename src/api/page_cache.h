// Finished answers of first pages, kept as bytes until their board moves.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "engine/hosted_board.h"

namespace standings::api {

// Promise: find() answers only what is true at the board's present seq. Bounded in count and
// bytes. Owner and thread: a loop.
class PageCache {
  public:
    struct Answer {
        std::shared_ptr<const engine::HostedBoard> board;
        base::Sequence seq;
        std::string etag;
        std::string headers;  // without X-Request-Id
        std::string body;
    };

    // None: not cached, or the board has moved since.
    const Answer* find(std::string_view target) const;
    void put(std::string_view target, Answer answer);

  private:
    static constexpr std::size_t kMaxAnswers = 64;
    static constexpr std::size_t kMaxBodyBytes = 64 * 1024;

    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept {
            return std::hash<std::string_view>{}(text);
        }
    };
    std::unordered_map<std::string, Answer, Hash, std::equal_to<>> answers_;
};

}  // namespace standings::api
