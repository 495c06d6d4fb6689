// What holds of every text that JsonDocument is given.
#pragma once

#include <string>
#include <string_view>

#include "base/check.h"
#include "text/clean_text.h"
#include "text/json_document.h"

namespace standings::text {

// CHECKs that `text` is refused with a sentence, or comes back the same once it is written.
inline void json_comes_back(std::string_view text) {
    JsonDocument document;
    const auto root = document.parse(text);
    if (!root) {
        CHECK(!root.error().detail.empty());
        CHECK(is_utf8(root.error().detail));
        return;
    }
    CHECK(is_utf8(text));
    std::string once;
    document.write(**root, once);
    JsonDocument again;
    const auto second = again.parse(once);
    CHECK(second);
    std::string twice;
    again.write(**second, twice);
    CHECK(twice == once);
    document.for_each(**root, [&](const JsonNode& child) {
        if ((*root)->is_object()) CHECK(document.member(**root, child.key) == &child);
        // An exact number is a piece of the text as it was sent.
        if (child.is_number()) CHECK(text.find(child.text) != std::string_view::npos);
    });
}

}  // namespace standings::text
