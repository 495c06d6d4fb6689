// What to watch, as clients ask for it: the same over both carriers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "live/view.h"

namespace standings::api {

// Members that were not given are none.
struct AskedView {
    std::optional<std::string_view> around;
    std::optional<std::string_view> player;
    std::optional<std::uint64_t> top;
    std::optional<std::uint64_t> span;
    std::optional<std::uint64_t> feed;
};

// Of nothing, the top 10. An empty `board`: all of them, which only a feed can be of. Fails with
// kInvalid and a pointer to a member, in front of which `where` stands: "?" or "/view/".
base::Result<live::View> to_view(const AskedView& asked, std::string_view board,
                                 std::string_view where);
// Fails with kInvalid and `pointer`.
base::Result<std::uint32_t> to_rate(std::optional<std::uint64_t> rate, std::string pointer);

}  // namespace standings::api
