// Messages of clients over the live WebSocket.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <variant>

#include "api/live_message.h"
#include "base/check.h"
#include "live/hub.h"
#include "text/clean_text.h"
#include "text/json_document.h"

using namespace standings;

namespace {

// What was read holds what the hub counts on.
void is_sound(const api::WatchMessage& watch) {
    const live::View& view = watch.view;
    CHECK(std::ranges::find(live::kRates, watch.rate) != std::end(live::kRates));
    CHECK(!watch.since || watch.since->seq.value <= base::kMaxSequence);
    CHECK(!view.board.empty() || view.kind == live::ViewKind::kFeed);
    const bool has_player =
        view.kind == live::ViewKind::kAround || view.kind == live::ViewKind::kPlayer;
    CHECK(has_player == !view.player.empty());
    CHECK(!has_player || text::is_player_id(view.player));
    CHECK((view.size == 0) == (view.kind == live::ViewKind::kPlayer));
    CHECK(view.size <= 100);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    text::JsonDocument document;
    const auto root = document.parse(text);
    if (!root) return 0;
    const api::LiveMessage message = api::read_live_message(document, **root);
    // The id stands in the answer as it is.
    text::JsonDocument answer;
    CHECK(answer.parse(message.id));
    if (!message.what) {
        CHECK(!message.what.error().detail.empty());
    } else if (const auto* watch = std::get_if<api::WatchMessage>(&*message.what)) {
        is_sound(*watch);
    } else if (const auto* submit = std::get_if<api::SubmitMessage>(&*message.what)) {
        CHECK(submit->submission->is_object());
    }
    return 0;
}
