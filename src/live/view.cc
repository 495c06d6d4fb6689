#include "live/view.h"

#include <algorithm>
#include <span>

namespace standings::live {
namespace {

constexpr std::uint32_t kTops[] = {10, 25, 50, 100};
constexpr std::uint32_t kSpans[] = {3, 5, 10};
constexpr std::uint32_t kFeeds[] = {5, 10, 20, 50, 100};

std::optional<std::uint32_t> round_up(std::uint64_t rows, std::span<const std::uint32_t> sizes) {
    if (rows == 0 || rows > sizes.back()) return std::nullopt;
    return *std::ranges::lower_bound(sizes, rows);
}

}  // namespace

std::string name_of(const View& view) {
    std::string board = view.board + "/all/";
    switch (view.kind) {
        case ViewKind::kTop:
            return board + "top/" + std::to_string(view.size);
        case ViewKind::kAround:
            return board + "around/" + std::to_string(view.size) + "/" + view.player;
        case ViewKind::kPlayer:
            return board + "player/" + view.player;
        case ViewKind::kFeed:
            return (view.board.empty() ? "feed/" : view.board + "/feed/") +
                   std::to_string(view.size);
    }
    return board;
}

std::optional<std::uint32_t> round_top(std::uint64_t rows) {
    return round_up(rows, kTops);
}

std::optional<std::uint32_t> round_span(std::uint64_t rows) {
    return round_up(rows, kSpans);
}

std::optional<std::uint32_t> round_feed(std::uint64_t items) {
    return round_up(items, kFeeds);
}

}  // namespace standings::live
