// What clients say over the WebSocket, read and checked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/ids.h"
#include "base/result.h"
#include "live/view.h"
#include "text/json_document.h"

namespace standings::api {

struct AuthMessage {
    std::string_view token;
};
struct WatchMessage {
    struct Since {
        std::string_view epoch;
        base::Sequence seq;
    };
    live::View view;
    std::uint32_t rate = 0;
    std::optional<Since> since;
};
struct UnwatchMessage {
    std::string_view view;  // its name
};
struct SubmitMessage {
    std::string_view board;
    const text::JsonNode* submission = nullptr;
    std::optional<std::string_view> idempotency_key;
};

// The texts are the document's.
struct LiveMessage {
    std::string id = "null";  // as the client wrote it
    base::Result<std::variant<AuthMessage, WatchMessage, UnwatchMessage, SubmitMessage>> what;
};

// A failure is kInvalid or kMalformed, with a pointer where one member is to blame.
LiveMessage read_live_message(const text::JsonDocument& json, const text::JsonNode& node);

}  // namespace standings::api
